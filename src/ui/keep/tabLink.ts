import type { Scope } from '../../util/scope';

/** A message to the other tabs about a piece of work. */
export type TabMessage =
  | { readonly type: 'saved'; readonly id: string; readonly revision: string }
  | { readonly type: 'deleted'; readonly id: string };

/** What connects the tabs of this browser, apart from the store. */
export interface TabLink {
  /**
   * Runs a task while no other tab runs one for the same work; tasks queue. If a tab crashes, its lock is released. Without
   * locks in the browser the task runs at once. This is safe, because each save names the revision that it is based on.
   */
  exclusively(id: string, task: () => Promise<void>): Promise<void>;
  /** Sends to all other tabs. Without channels in the browser, tabs read the store when they get the focus. */
  post(message: TabMessage): void;
  listen(listener: (message: TabMessage) => void): void;
}

/** A tab that is suspended while it holds the lock must not block the others. */
const PATIENCE_MS = 5000;

/** Web Locks, which need HTTPS, and a BroadcastChannel. */
export function browserTabLink(scope: Scope): TabLink {
  const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('voxlane-work') : null;
  scope.add(() => {
    channel?.close();
  });
  return {
    async exclusively(id, task) {
      const { locks } = navigator as { readonly locks?: LockManager };
      if (!locks) {
        await task();
        return;
      }
      const waiting = new AbortController();
      const timer = setTimeout(() => {
        waiting.abort();
      }, PATIENCE_MS);
      const run = { isBegun: false };
      try {
        await locks.request(`voxlane-work-${id}`, { signal: waiting.signal }, async () => {
          run.isBegun = true;
          clearTimeout(timer);
          await task();
        });
      } catch (error) {
        if (run.isBegun) throw error;
        // The browser refuses locks, or another tab holds the lock for too long.
        await task();
      } finally {
        clearTimeout(timer);
      }
    },
    post(message) {
      channel?.postMessage(message);
    },
    listen(listener) {
      if (!channel) return;
      channel.onmessage = ({ data }: MessageEvent<unknown>) => {
        if (isMessage(data)) listener(data);
      };
    },
  };
}

/** Other tabs may run another release. */
function isMessage(data: unknown): data is TabMessage {
  if (typeof data !== 'object' || data === null) return false;
  const { type, id, revision } = data as Record<string, unknown>;
  return typeof id === 'string' && (type === 'deleted' || (type === 'saved' && typeof revision === 'string'));
}
