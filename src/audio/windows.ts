import { VoxlaneError } from '../util/errors';

/** Position of windows on a recording, in samples. */
export interface WindowGeometry {
  readonly windowSamples: number;
  /** Distance between the starts of consecutive windows; at most `windowSamples`. */
  readonly hopSamples: number;
}

/** One window of a recording. */
export interface AudioWindow {
  /** The window covers samples `index * hopSamples` and the `windowSamples` after it. */
  readonly index: number;
  /** Axes (sample), `windowSamples` long; the last window is zero-padded at its end. */
  readonly samples: Float32Array;
  readonly isLast: boolean;
}

/** Number of windows that {@link cutWindows} yields for a recording of `totalSamples`. */
export function countWindows(totalSamples: number, { windowSamples, hopSamples }: WindowGeometry): number {
  if (totalSamples <= 0) return 0;
  if (totalSamples < windowSamples) return 1;
  return Math.ceil((totalSamples - windowSamples) / hopSamples) + 1;
}

/**
 * Cuts a stream of samples into windows. Matches `Inference.slide` of pyannote.audio: one window per hop that lies
 * completely inside the recording, and one more, zero-padded, if samples are left over. An empty stream yields no
 * window. Only one window and one piece are in memory.
 *
 * @throws VoxlaneError `options` unless 0 < `hopSamples` <= `windowSamples`, both integers; errors of `pieces`
 */
export async function* cutWindows(
  pieces: AsyncIterable<Float32Array>,
  { windowSamples, hopSamples }: WindowGeometry,
): AsyncGenerator<AudioWindow, void, undefined> {
  if (!Number.isInteger(windowSamples) || !Number.isInteger(hopSamples) || hopSamples < 1 || hopSamples > windowSamples) {
    throw new VoxlaneError({
      code: 'options',
      problem: `Windows of ${windowSamples} samples cannot have a hop of ${hopSamples} samples`,
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
        // Yielded only when another sample exists, so `isLast` is correct.
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
  /** Whether this is the last batch. */
  readonly isLast: boolean;
}

/** Takes up to `count` windows from `source`; null if there are none left. */
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
