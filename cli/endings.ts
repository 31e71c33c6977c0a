/** Cleanup when the process ends, by itself or by a signal. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The signals that end a process and can be caught. */
const SIGNALS: readonly NodeJS.Signals[] =
  process.platform === 'win32' ? ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] : ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
/** Time limit for cleanup after a signal, such as closing the browser. */
const END_MS = 5000;

type Ending = () => unknown;

const endings = new Set<Ending>();
let ending: NodeJS.Signals | null = null;

function onSignal(signal: NodeJS.Signals): void {
  if (ending) return;
  ending = signal;
  // In separate promises, so that one that throws does not stop the others.
  const all = [...endings].map((end) => Promise.resolve().then(end));
  const limit = new Promise((resolve) => setTimeout(resolve, END_MS));
  void Promise.race([Promise.allSettled(all), limit]).then(() => {
    for (const each of SIGNALS) process.off(each, onSignal);
    // With the signal itself, so that the shell gets the right exit status.
    process.kill(process.pid, signal);
  });
}

/** Whether a signal is ending the process. Errors from then on are consequences of it. */
export const isEnding = (): boolean => ending !== null;

/**
 * Runs `end` if a signal ends the process.
 *
 * @returns a function that cancels this
 */
export function onEnding(end: Ending): () => void {
  if (endings.size === 0) for (const signal of SIGNALS) process.on(signal, onSignal);
  endings.add(end);
  return () => {
    endings.delete(end);
    if (endings.size === 0 && !ending) for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}

/** Path of a new folder, which is removed when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', remove);
  onEnding(remove);
  return folder;
}
