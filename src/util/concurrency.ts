/** Limits the number of concurrent tasks. The others wait in first-in, first-out order. */
export class Semaphore {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  /** @param count at least 1; `Infinity` for no limit */
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
      // The slot passes to the next waiting task. It becomes free only if none waits.
      if (next) next();
      else this.free++;
    }
  }
}

/** A slice ends after this time. It leaves most of a long task's 50 ms for the rest of the page. */
const SLICE_MS = 12;

/** Runs all steps without a break. */
export function atOnce<Result>(steps: Generator<void, Result>): Result {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/**
 * Runs the steps in slices and returns to the event loop between slices. The steps are a generator that yields often,
 * so long work does not block the page.
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

/** Waits for the next task. Timers are slower: browsers delay nested timers, and in hidden pages by a second. */
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
