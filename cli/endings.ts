/** Cleanup when the process exits normally or by a signal. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reasonOf } from './output';

/** Signals that end a process and can be caught. */
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
  // Separate promises keep one failing cleanup from stopping the others.
  const all = [...endings].map((end) => Promise.resolve().then(end));
  const limit = new Promise((resolve) => setTimeout(resolve, END_MS));
  void Promise.race([Promise.allSettled(all), limit]).then(() => {
    for (const each of SIGNALS) process.off(each, onSignal);
    // Re-raise the signal to give the shell the right exit status.
    process.kill(process.pid, signal);
  });
}

/** Whether a signal is ending the process. Later errors are consequences of the signal. */
export const isEnding = (): boolean => ending !== null;

/**
 * Registers `end` to run if a signal ends the process.
 *
 * @returns a function that unregisters it
 */
export function onEnding(end: Ending): () => void {
  if (endings.size === 0) for (const signal of SIGNALS) process.on(signal, onSignal);
  endings.add(end);
  return () => {
    endings.delete(end);
    if (endings.size === 0 && !ending) for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}

/**
 * Creates a temporary folder that is removed when the process ends.
 *
 * @returns its path
 * @throws Error with a one-line message if the system's folder for temporary files is missing or not writable
 */
export function temporaryFolder(): string {
  const folder = created(tmpdir());
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', remove);
  onEnding(remove);
  return folder;
}

function created(parent: string): string {
  try {
    return mkdtempSync(join(parent, 'voxlane-'));
  } catch (cause) {
    throw new Error(`temporary files cannot be written to ${parent}: ${reasonOf(cause)}. TMPDIR can name another folder`, { cause });
  }
}
