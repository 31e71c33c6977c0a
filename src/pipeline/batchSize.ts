/** Most windows in one batch: beyond it the measured gain is small, and cancelling and progress become coarse. */
export const MOST_WINDOWS = 32;
/** A window that takes this long alone has nothing to gain from company. */
const SLOW_WINDOW_SECONDS = 0.5;
/** A doubling that makes a window less than this much cheaper ends the search. */
const WORTHWHILE_GAIN = 0.1;

/** Windows that fit: the largest tensor of a batch must be bindable. */
export function windowsThatFit(limits: Pick<GPUSupportedLimits, 'maxStorageBufferBindingSize' | 'maxBufferSize'>, bytesPerWindow: number): number {
  const bytes = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  return Math.max(1, Math.min(MOST_WINDOWS, Math.floor(bytes / bytesPerWindow)));
}

/**
 * The batch size at which a window costs least, by doubling while that pays.
 *
 * @param most windows that fit
 * @param secondsOf measures a batch; may throw for one that is too large after all
 */
export async function findBatchSize(most: number, secondsOf: (numWindows: number) => Promise<number>): Promise<number> {
  let best = 1;
  let bestPerWindow = await secondsOf(1);
  for (let size = 2; size <= most && bestPerWindow < SLOW_WINDOW_SECONDS; size *= 2) {
    const perWindow = (await secondsOf(size)) / size;
    if (perWindow > bestPerWindow * (1 - WORTHWHILE_GAIN)) break;
    best = size;
    bestPerWindow = perWindow;
  }
  return best;
}

/**
 * Runs `work` on `numWindows` windows, and where memory does not allow that many, on the halves in turn. Halves that
 * do not fit are halved again; a single window that does not fit is the error that `isMemoryError` knows.
 *
 * @param work takes windows `[from, to)`
 */
export async function halvedToFit(
  numWindows: number,
  size: { current: number },
  isMemoryError: (error: unknown) => boolean,
  work: (from: number, to: number) => Promise<void>,
): Promise<void> {
  let from = 0;
  while (from < numWindows) {
    const to = Math.min(from + size.current, numWindows);
    try {
      await work(from, to);
      from = to;
    } catch (error) {
      if (to - from === 1 || !isMemoryError(error)) throw error;
      // Kept for as long as the engine: what did not fit now will not fit in the next batch.
      size.current = Math.max(1, Math.floor((to - from) / 2));
    }
  }
}
