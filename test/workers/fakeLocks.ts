/** Exclusive locks of one browser. A holder can disappear, like a terminated worker. */
export class FakeLocks {
  private readonly queues = new Map<string, (() => void)[]>();

  /** The locks from the perspective of one thread. */
  thread(): { readonly locks: Pick<LockManager, 'request'>; readonly end: () => void } {
    const releases = new Set<() => void>();
    let isEnded = false;
    const request = async (name: string, ...rest: readonly unknown[]): Promise<unknown> => {
      const work = rest.at(-1) as () => unknown;
      const { signal } = (rest.length > 1 ? rest[0] : {}) as { signal?: AbortSignal };
      signal?.throwIfAborted();
      const release = await this.acquire(name, signal);
      if (isEnded) {
        release();
        return new Promise(() => undefined);
      }
      releases.add(release);
      try {
        return await work();
      } finally {
        releases.delete(release);
        release();
      }
    };
    const end = (): void => {
      isEnded = true;
      for (const release of releases) release();
    };
    return { locks: { request }, end };
  }

  private async acquire(name: string, signal: AbortSignal | undefined): Promise<() => void> {
    const queue = this.queues.get(name) ?? [];
    this.queues.set(name, queue);
    await new Promise<void>((resolve, reject) => {
      queue.push(resolve);
      if (queue.length === 1) resolve();
      signal?.addEventListener('abort', () => {
        if (queue.indexOf(resolve) <= 0) return;
        queue.splice(queue.indexOf(resolve), 1);
        reject(signal.reason as Error);
      });
    });
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      queue.shift();
      queue[0]?.();
    };
  }
}
