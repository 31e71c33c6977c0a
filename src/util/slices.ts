/** Work on the page's thread that would block it if it were done at once: written as a generator that yields between steps. */

/** A slice ends after this time. It leaves most of a long task's 50 ms for the rest of the page. */
const SLICE_MS = 12;

/** Runs all steps now. */
export function atOnce<Result>(steps: Generator<void, Result>): Result {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/**
 * Runs the steps in slices, with a turn of the event loop in between.
 *
 * @param isWanted asked before each slice; the work stops if it is no longer wanted
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

/** A turn of the event loop. Not by a timer: browsers delay nested timers, and those of hidden pages by a second. */
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
