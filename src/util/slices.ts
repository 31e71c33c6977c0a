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
