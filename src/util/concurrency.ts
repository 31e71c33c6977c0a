/** Lets so many pieces of work run at a time; the others wait, first come, first served. */
export class Semaphore {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  /** @param count at least 1; `Infinity` for no bound */
  constructor(count: number) {
    this.free = count;
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      // The slot goes to whoever waits; it is free only where nobody does.
      if (next) next();
      else this.free++;
    }
  }
}

/**
 * Lets one event reject whatever is pending at the time.
 *
 * Not `Promise.race` against one long-lived promise: each race would leave a reaction on it that keeps its result
 * in memory for as long as that promise lives (nodejs/node#17469), here every batch of audio of a recording.
 */
export class Interruptible<Reason extends Error> {
  private readonly pending = new Set<(reason: Reason) => void>();
  private reason: Reason | null = null;

  /** Why everything is rejected from now on; null as long as nothing has happened. */
  get interruption(): Reason | null {
    return this.reason;
  }

  /** Settles like `work`, or rejects with the reason of an interruption that comes first. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.reason) {
        reject(this.reason);
        return;
      }
      this.pending.add(reject);
      const settled = (): void => {
        this.pending.delete(reject);
      };
      work().then(resolve, reject).finally(settled);
    });
  }

  /** Rejects what is pending and all that comes. Only the first reason counts. */
  interrupt(reason: Reason): void {
    if (this.reason) return;
    this.reason = reason;
    for (const reject of this.pending) reject(reason);
    this.pending.clear();
  }
}

/** Long work on the page's thread, as a generator that yields between steps so that it does not block the page. */

/** A slice ends after this time. It leaves most of a long task's 50 ms for the rest of the page. */
const SLICE_MS = 12;

/** Runs all steps without a break. */
export function atOnce<Result>(steps: Generator<void, Result>): Result {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/**
 * Runs the steps in slices, with a turn of the event loop in between.
 *
 * @param isWanted called before each slice; the work stops if it returns false
 * @returns null if the work was stopped
 */
export async function inSlices<Result>(steps: Generator<void, Result>, isWanted: () => boolean = () => true): Promise<Result | null> {
  for (;;) {
    await nextTask();
    if (!isWanted()) return null;
    const end = performance.now() + SLICE_MS;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (performance.now() < end);
  }
}

/** Waits for the next task. Timers would be slower: browsers delay nested ones, and those of hidden pages by a second. */
function nextTask(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
