import type { Scope } from '../../util/scope';

/** What one tab tells the others of a piece of work. */
export type TabMessage =
  | { readonly type: 'saved'; readonly id: string; readonly revision: string }
  | { readonly type: 'deleted'; readonly id: string };

/** What the tabs of this browser share besides the store. */
export interface TabLink {
  /**
   * Runs a task when no other tab runs one for the same work; tasks queue. The lock of a tab that crashes is free at once.
   * Where the browser has no locks the task runs at once: saves are safe without, because each names the revision that it
   * follows.
   */
  exclusively(id: string, task: () => Promise<void>): Promise<void>;
  /** Reaches all tabs but this one. Where the browser has no channel, tabs see each other's work when they are shown. */
  post(message: TabMessage): void;
  listen(listener: (message: TabMessage) => void): void;
}

/** A tab that was suspended with the lock must not stop the others. */
const PATIENCE_MS = 5000;

/** Web Locks, which pages without HTTPS do not have, and a BroadcastChannel. */
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
        // The browser refuses locks, or the tab that has the lock does not answer.
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

/** A tab may run another release. */
function isMessage(data: unknown): data is TabMessage {
  if (typeof data !== 'object' || data === null) return false;
  const { type, id, revision } = data as Record<string, unknown>;
  return typeof id === 'string' && (type === 'deleted' || (type === 'saved' && typeof revision === 'string'));
}
