/** Locks of the cache folder in Node, between processes and threads. Browsers have their own. */
import { readlinkSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { cacheFolder } from '../util/nodeCacheFolder';
import type { WithLock } from './cacheTools';
import { cancelled } from './load';

/** How often the holder of a lock shows that it works. */
const SIGN_MS = 2000;
/** Without a sign for this time, a holder has ended. Longer than a thread computes without a pause on a busy machine. */
const STALE_MS = 20_000;
/** Longest pause between two attempts. It is random, so that two processes do not always try at the same time. */
const MAX_PAUSE_MS = 200;

const folder = (...names: readonly string[]): string => cacheFolder('models', 'locks', ...names);

/** Processes with the same place have distinct process ids. Containers can have the same host name. */
function placeOfProcesses(): string {
  let space = '';
  try {
    space = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Only Linux has it.
  }
  return encodeURIComponent(`${hostname()} ${space}`);
}
const PLACE = placeOfProcesses();

let numRequests = 0;

/** What has been seen of a file of another holder: its time, and when it was seen first. Clocks of two machines differ, so times are only compared with each other. */
type Seen = Map<string, { readonly changedMs: number; readonly sinceMs: number }>;

/**
 * Runs `work` while no other process or thread runs work under the same name with the same cache folder. If the folder cannot be written,
 * `work` runs at once.
 *
 * Every holder has a file of its own, and holds the lock if it sees no other file after it has created its own. Of two that try at the same
 * time, at least one sees the other. So no process ever deletes the file of a holder that lives. The file of a process that has ended, or has
 * shown no sign for {@link STALE_MS}, is deleted.
 *
 * @throws VoxlaneError `cancelled` if `signal` fires while waiting; errors of `work`
 */
export const withFolderLock: WithLock = async (name, work, signal, onWait) => {
  const place = folder(encodeURIComponent(name));
  const own = `${process.pid}.${threadId}.${numRequests++}.${PLACE}`;
  const path = join(place, own);
  const seen: Seen = new Map();
  let isWaiting = false;
  while (await hasOthers(place, own, seen) || !(await take())) {
    if (!isWaiting) onWait?.();
    isWaiting = true;
    await new Promise((resolve) => setTimeout(resolve, MAX_PAUSE_MS * (0.2 + 0.8 * Math.random())));
    if (signal?.aborted === true) throw cancelled();
  }
  const sign = setInterval(() => {
    const now = new Date();
    void utimes(path, now, now).catch(() => undefined);
  }, SIGN_MS);
  sign.unref();
  try {
    return await work();
  } finally {
    clearInterval(sign);
    await rm(path, { force: true }).catch(() => undefined);
  }

  /** False if another process tries at the same time. */
  async function take(): Promise<boolean> {
    try {
      await mkdir(place, { recursive: true });
      await writeFile(path, '');
    } catch {
      // A read-only or full disk. The work itself reports that, if it stores something.
      return true;
    }
    if (!(await hasOthers(place, own, seen))) return true;
    await rm(path, { force: true }).catch(() => undefined);
    return false;
  }
};

/** Whether another holder lives. Deletes the files of those that have ended. */
async function hasOthers(place: string, own: string, seen: Seen): Promise<boolean> {
  let isHeld = false;
  for (const file of await readdir(place).catch(() => [])) {
    if (file === own) continue;
    const path = join(place, file);
    if (await isLive(path, file, seen)) isHeld = true;
    else await rm(path, { force: true }).catch(() => undefined);
  }
  return isHeld;
}

async function isLive(path: string, file: string, seen: Seen): Promise<boolean> {
  const [pid = '', , , ...place] = file.split('.');
  if (place.join('.') === PLACE && !isProcess(Number(pid))) return false;
  const stats = await stat(path).catch(() => null);
  // It was released meanwhile.
  if (!stats) return false;
  const now = performance.now();
  const before = seen.get(file);
  if (before?.changedMs === stats.mtimeMs) return now - before.sinceMs < STALE_MS;
  seen.set(file, { changedMs: stats.mtimeMs, sinceMs: now });
  return true;
}

function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user lives, but may not be sent signals.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Deletes the lock files of a thread of this process that was ended in the middle of its work. */
export function releaseLocksOf(thread: number): void {
  try {
    for (const name of readdirSync(folder())) {
      for (const file of readdirSync(folder(name))) {
        if (file.startsWith(`${process.pid}.${thread}.`) && file.endsWith(`.${PLACE}`)) rmSync(join(folder(name), file), { force: true });
      }
    }
  } catch {
    // There are no locks, or they cannot be deleted. They count as abandoned after a while.
  }
}
