import { VoxlaneError } from '../util/errors';

/** How windows lie over a recording, in samples. */
export interface WindowGeometry {
  readonly windowSamples: number;
  /** From the start of one window to the start of the next; at most `windowSamples`. */
  readonly hopSamples: number;
}

/** One window of a recording. */
export interface AudioWindow {
  /** The window covers samples `index * hopSamples` and the `windowSamples` after it. */
  readonly index: number;
  /** Axes (sample), `windowSamples` long; the last window is padded with zeros at its end. */
  readonly samples: Float32Array;
  readonly isLast: boolean;
}

/** Number of windows that {@link cutWindows} gives for a recording of `totalSamples`. */
export function countWindows(totalSamples: number, { windowSamples, hopSamples }: WindowGeometry): number {
  if (totalSamples <= 0) return 0;
  if (totalSamples < windowSamples) return 1;
  return Math.ceil((totalSamples - windowSamples) / hopSamples) + 1;
}

/**
 * Cuts a stream of samples into windows. Matches `Inference.slide` of pyannote.audio: a window at every
 * hop that is wholly inside the recording, and one more, padded with zeros, where samples are left over.
 * An empty stream gives no window. Only one window and one piece are in memory.
 *
 * @throws VoxlaneError `options` unless 0 < `hopSamples` <= `windowSamples`, both integer; and whatever
 *   `pieces` throws
 */
export async function* cutWindows(
  pieces: AsyncIterable<Float32Array>,
  { windowSamples, hopSamples }: WindowGeometry,
): AsyncGenerator<AudioWindow, void, undefined> {
  if (!Number.isInteger(windowSamples) || !Number.isInteger(hopSamples) || hopSamples < 1 || hopSamples > windowSamples) {
    throw new VoxlaneError({
      code: 'options',
      problem: `Windows of ${windowSamples} samples cannot be laid every ${hopSamples} samples`,
      expected: 'whole numbers with 0 < hop <= window',
    });
  }
  const held = new Float32Array(windowSamples);
  let filled = 0;
  let index = 0;
  for await (const piece of pieces) {
    let taken = 0;
    while (taken < piece.length) {
      if (filled === windowSamples) {
        // Given out only now that a sample is known to follow, so that `isLast` is right.
        yield { index: index++, samples: held.slice(), isLast: false };
        held.copyWithin(0, hopSamples);
        filled -= hopSamples;
      }
      const part = piece.subarray(taken, taken + windowSamples - filled);
      held.set(part, filled);
      filled += part.length;
      taken += part.length;
    }
  }
  if (filled === 0) return;
  held.fill(0, filled);
  yield { index, samples: held, isLast: true };
}

/** Consecutive windows of a recording. */
export interface WindowBatch {
  /** Axes (window, sample), float32. */
  readonly windows: Float32Array;
  readonly numWindows: number;
  /** No window follows. */
  readonly isLast: boolean;
}

/** Takes up to `count` windows from `source`; null where there are none left. */
export async function takeBatch(source: AsyncIterator<AudioWindow>, count: number): Promise<WindowBatch | null> {
  const taken: Float32Array[] = [];
  let isLast = false;
  while (taken.length < count && !isLast) {
    const step = await source.next();
    if (step.done) break;
    taken.push(step.value.samples);
    isLast = step.value.isLast;
  }
  const [first] = taken;
  if (!first) return null;
  const windows = new Float32Array(taken.length * first.length);
  taken.forEach((samples, index) => { windows.set(samples, index * first.length); });
  return { windows, numWindows: taken.length, isLast };
}
