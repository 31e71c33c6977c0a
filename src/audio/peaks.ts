/** Sample rate for computing peaks, in Hz. It is the models' rate, so recordings are decoded in only one way. */
export const PEAK_SAMPLE_RATE = 16_000;
/** 16 ms: two and a half megabytes for three hours. At one second across a window, the curve still has 62 points. */
export const SAMPLES_PER_PEAK = 256;
const FULL_SCALE = 32_767;
/** One minute of audio: the first array arrives soon, and three hours take about two hundred arrays. */
const PEAKS_PER_ARRAY = (60 * PEAK_SAMPLE_RATE) / SAMPLES_PER_PEAK;

/** Loudness of a recording over time. Plain data that can be sent and stored. */
export interface Peaks {
  /** Duration of one peak. */
  readonly secondsPerPeak: number;
  /** Axes (peak, [lowest, highest]): samples × 32,767; values beyond ±1 are clipped. */
  readonly extremes: Int16Array;
}

/** Computes peaks from samples in pieces of any length. */
export class PeakReducer {
  #lowest = Infinity;
  #highest = -Infinity;
  #filled = 0;

  /**
   * @param samples axes (sample), finite, at {@link PEAK_SAMPLE_RATE}
   * @returns axes (peak, [lowest, highest]), as in {@link Peaks}; empty if no peak was completed
   */
  append(samples: Float32Array): Int16Array {
    const extremes = new Int16Array(2 * Math.floor((this.#filled + samples.length) / SAMPLES_PER_PEAK));
    let at = 0;
    for (const sample of samples) {
      if (sample < this.#lowest) this.#lowest = sample;
      if (sample > this.#highest) this.#highest = sample;
      this.#filled += 1;
      if (this.#filled < SAMPLES_PER_PEAK) continue;
      at = this.#write(extremes, at);
    }
    return extremes;
  }

  /** The last peak, from the remaining samples; empty if there are none. */
  flush(): Int16Array {
    const extremes = new Int16Array(this.#filled > 0 ? 2 : 0);
    if (this.#filled > 0) this.#write(extremes, 0);
    return extremes;
  }

  #write(extremes: Int16Array, at: number): number {
    extremes[at] = quantized(this.#lowest);
    extremes[at + 1] = quantized(this.#highest);
    this.#lowest = Infinity;
    this.#highest = -Infinity;
    this.#filled = 0;
    return at + 2;
  }
}

/**
 * Reads the peaks of a recording in arrays of `peaksPerArray`; the last can be shorter. A decoder's pieces are only some
 * milliseconds long, too short to send one by one.
 *
 * @param pieces axes (sample), as for {@link PeakReducer.append}
 * @returns axes (peak, [lowest, highest]), as in {@link Peaks}; each array has its own memory
 */
export async function* readPeaks(
  pieces: AsyncIterable<Float32Array>,
  peaksPerArray = PEAKS_PER_ARRAY,
): AsyncGenerator<Int16Array, void, undefined> {
  const reducer = new PeakReducer();
  let gathered = new Int16Array(2 * peaksPerArray);
  let filled = 0;
  const take = function* (extremes: Int16Array): Generator<Int16Array, void, undefined> {
    for (let at = 0; at < extremes.length; ) {
      const part = extremes.subarray(at, at + gathered.length - filled);
      gathered.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < gathered.length) continue;
      yield gathered;
      gathered = new Int16Array(2 * peaksPerArray);
      filled = 0;
    }
  };
  for await (const piece of pieces) yield* take(reducer.append(piece));
  yield* take(reducer.flush());
  if (filled > 0) yield gathered.slice(0, filled);
}

const quantized = (sample: number): number => Math.round(FULL_SCALE * Math.min(1, Math.max(-1, sample)));

/**
 * One level of the pyramid. Its capacity doubles, so the cost of appending does not depend on the length of the
 * recording.
 */
class Level {
  /** Axes (peak, [lowest, highest]); only the first `length` peaks are used. */
  extremes = new Int16Array(2 * 4096);
  length = 0;

  push(lowest: number, highest: number): void {
    if (2 * this.length === this.extremes.length) {
      const larger = new Int16Array(2 * this.extremes.length);
      larger.set(this.extremes);
      this.extremes = larger;
    }
    this.extremes[2 * this.length] = lowest;
    this.extremes[2 * this.length + 1] = highest;
    this.length += 1;
  }
}

/**
 * Peaks at every zoom. Each level has half the peaks of the level below, so a screen column is read from a few peaks,
 * whether it represents a hundredth of a second or ten seconds. Uses five megabytes for three hours.
 */
export class PeakPyramid {
  readonly secondsPerPeak: number;
  readonly #levels: Level[] = [new Level()];

  constructor(secondsPerPeak = SAMPLES_PER_PEAK / PEAK_SAMPLE_RATE) {
    this.secondsPerPeak = secondsPerPeak;
  }

  static from({ secondsPerPeak, extremes }: Peaks): PeakPyramid {
    const pyramid = new PeakPyramid(secondsPerPeak);
    pyramid.append(extremes);
    return pyramid;
  }

  /** Duration of the peaks so far, in seconds. */
  get seconds(): number {
    return this.#levels[0]!.length * this.secondsPerPeak;
  }

  /** The largest absolute value so far, 0 to 1. */
  get loudest(): number {
    let loudest = 0;
    // A peak without a partner is not part of the level above. These peaks together cover all samples.
    for (const { length, extremes } of this.#levels) {
      if (length % 2 === 0) continue;
      loudest = Math.max(loudest, -extremes[2 * length - 2]!, extremes[2 * length - 1]!);
    }
    return Math.min(1, loudest / FULL_SCALE);
  }

  /** @param extremes axes (peak, [lowest, highest]), as returned by {@link PeakReducer} */
  append(extremes: Int16Array): void {
    for (let at = 0; at + 1 < extremes.length; at += 2) this.#push(extremes[at]!, extremes[at + 1]!);
  }

  #push(lowest: number, highest: number): void {
    for (let depth = 0; ; depth += 1) {
      const level = (this.#levels[depth] ??= new Level());
      level.push(lowest, highest);
      if (level.length % 2 === 1) return;
      // A pair is complete: its extremes are the next peak of the level above.
      const before = 2 * (level.length - 2);
      lowest = Math.min(lowest, level.extremes[before]!);
      highest = Math.max(highest, level.extremes[before + 1]!);
    }
  }

  /** All peaks so far, as plain data in new memory. */
  toPeaks(): Peaks {
    const base = this.#levels[0]!;
    return { secondsPerPeak: this.secondsPerPeak, extremes: base.extremes.slice(0, 2 * base.length) };
  }

  /**
   * Reads the extremes of consecutive columns of equal duration.
   *
   * @param startSeconds of the first column; may be before the recording
   * @param columns output, axes (column, [lowest, highest]), -1 to 1. Columns narrower than a peak are interpolated
   *   linearly between the centers of peaks. Columns outside the recording or not known yet are not changed.
   * @returns index of the first known column, and index after the last
   */
  read(startSeconds: number, secondsPerColumn: number, columns: Float32Array): readonly [number, number] {
    const numColumns = columns.length / 2;
    const from = Math.min(numColumns, Math.max(0, Math.ceil(-startSeconds / secondsPerColumn - 1e-6)));
    const to = Math.max(from, Math.min(numColumns, Math.floor((this.seconds - startSeconds) / secondsPerColumn + 1e-6)));
    if (secondsPerColumn < this.secondsPerPeak) {
      this.#interpolate(startSeconds, secondsPerColumn, columns, from, to);
      return [from, to];
    }
    const fit = Math.floor(Math.log2(secondsPerColumn / this.secondsPerPeak) + 1e-6);
    const depth = Math.min(fit, this.#levels.length - 1);
    for (let column = from; column < to; column += 1) {
      const start = startSeconds + column * secondsPerColumn;
      this.#extremes(depth, start, start + secondsPerColumn, columns, 2 * column);
    }
    return [from, to];
  }

  #extremes(depth: number, startSeconds: number, endSeconds: number, into: Float32Array, at: number): void {
    const { extremes, length } = this.#levels[depth]!;
    const secondsPerPeak = this.secondsPerPeak * 2 ** depth;
    const first = Math.max(0, Math.floor(startSeconds / secondsPerPeak + 1e-6));
    const end = Math.ceil(endSeconds / secondsPerPeak - 1e-6);
    if (end > length && depth > 0) {
      // The last peaks may lack a partner, so this level may not contain them.
      this.#extremes(0, startSeconds, endSeconds, into, at);
      return;
    }
    let lowest = FULL_SCALE;
    let highest = -FULL_SCALE;
    for (let peak = Math.min(first, length - 1); peak < Math.min(end, length); peak += 1) {
      if (extremes[2 * peak]! < lowest) lowest = extremes[2 * peak]!;
      if (extremes[2 * peak + 1]! > highest) highest = extremes[2 * peak + 1]!;
    }
    into[at] = lowest / FULL_SCALE;
    into[at + 1] = highest / FULL_SCALE;
  }

  #interpolate(startSeconds: number, secondsPerColumn: number, columns: Float32Array, from: number, to: number): void {
    const { extremes, length } = this.#levels[0]!;
    for (let column = from; column < to; column += 1) {
      const middle = (startSeconds + (column + 0.5) * secondsPerColumn) / this.secondsPerPeak - 0.5;
      const before = Math.min(length - 1, Math.max(0, Math.floor(middle)));
      const after = Math.min(length - 1, before + 1);
      const part = Math.min(1, Math.max(0, middle - before));
      for (const side of [0, 1]) {
        const value = extremes[2 * before + side]! * (1 - part) + extremes[2 * after + side]! * part;
        columns[2 * column + side] = value / FULL_SCALE;
      }
    }
  }
}
