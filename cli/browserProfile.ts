import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import { cacheFolder } from '../src/util/nodeCacheFolder';

/** A lock counts as abandoned at this age. Long, because a suspended process does not refresh it. */
const STALE_MS = 60_000;

/**
 * Storage belongs to an origin, which includes the port. A kept profile is therefore always served on this port, unless
 * another program uses it.
 */
export const PROFILE_PORT = 47_821;

export interface BrowserProfile {
  readonly folder: string;
  release(): Promise<void>;
}

/**
 * The profile that the browser keeps between runs, with compiled code, stored models and verdicts about the GPU. Null while
 * another process uses it, or if it cannot be created.
 */
export async function openProfile(parent = cacheFolder()): Promise<BrowserProfile | null> {
  const folder = join(parent, 'browser');
  try {
    mkdirSync(folder, { recursive: true });
    const release = await lock(folder, { stale: STALE_MS, onCompromised: () => undefined });
    // Rejects only if the lock was lost.
    return { folder, release: () => release().catch(() => undefined) };
  } catch {
    return null;
  }
}
