import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';

/** A build whose process died without a word is given up after this time. Long, because a build can block its thread. */
const STALE_MS = 60_000;
/** Longest pause between two looks at a lock that another process holds. */
const LOOK_MS = 1000;

/**
 * Runs `work` while no other process runs any on the same folder.
 *
 * @param onWait is called if another process is at work
 */
export async function withBuildLock<Result>(folder: string, onWait: () => void, work: () => Promise<Result>): Promise<Result> {
  // In node_modules, which git ignores and every checkout has.
  const place = join(folder, 'node_modules', '.cache', 'voxlane');
  mkdirSync(place, { recursive: true });
  const options = {
    stale: STALE_MS,
    // A process that was stopped for longer than that: the next one builds again, which does no harm.
    onCompromised: () => undefined,
  };
  const retries = { forever: true, minTimeout: 100, maxTimeout: LOOK_MS };
  const release = await lock(place, options).catch((error: unknown) => {
    if ((error as { code?: string }).code !== 'ELOCKED') throw error;
    onWait();
    return lock(place, { ...options, retries });
  });
  try {
    return await work();
  } finally {
    // Rejects only if the lock was lost.
    await release().catch(() => undefined);
  }
}
