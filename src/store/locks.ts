import { cancelled } from './failures';

/**
 * Runs `work` while no other tab or worker of this site runs any under the same name. Where there are no locks, outside
 * a secure context, it just runs.
 */
export type WithLock = <Result>(name: string, work: () => Promise<Result>, signal?: AbortSignal) => Promise<Result>;

/** @throws VoxlaneError `cancelled` where `signal` fires while others work; what `work` throws */
export const withBrowserLock: WithLock = async (name, work, signal) => {
  const { locks } = navigator as { readonly locks?: LockManager };
  if (!locks) return work();
  const grant = { isGiven: false };
  try {
    return await locks.request(name, signal ? { signal } : {}, () => {
      grant.isGiven = true;
      return work();
    });
  } catch (error) {
    if (grant.isGiven) throw error;
    if (signal?.aborted === true) throw cancelled();
    // A page without an origin of its own may have the interface and not the permission.
    return work();
  }
};
