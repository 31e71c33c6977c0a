import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';

/** A lock counts as abandoned at this age. Long, because a build can block the thread that refreshes the lock. */
const STALE_MS = 60_000;
/** Longest pause between two attempts to take the lock. */
const MAX_RETRY_MS = 1000;

/**
 * Runs `work` while no other process holds the build lock of `folder`.
 *
 * @param onWait called if another process holds the lock
 */
export async function withBuildLock<Result>(folder: string, onWait: () => void, work: () => Promise<Result>): Promise<Result> {
  // Git ignores node_modules, and every checkout has one.
  const place = join(folder, 'node_modules', '.cache', 'voxlane');
  mkdirSync(place, { recursive: true });
  const options = {
    stale: STALE_MS,
    // If this process is suspended for longer, the next process also builds. This is harmless.
    onCompromised: () => undefined,
  };
  const retries = { forever: true, minTimeout: 100, maxTimeout: MAX_RETRY_MS };
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
