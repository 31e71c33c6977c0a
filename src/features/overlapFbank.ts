import type { Fbank, Features } from './fbank';

/** Samples of a call with their features. */
interface Computed {
  readonly samples: Float32Array;
  readonly features: Features;
  /** Axes (frame): 1 if the frame has features. */
  readonly has: Uint8Array;
}

/**
 * A filterbank that takes frames from its previous call if the samples overlap, as those of consecutive windows do. A
 * frame depends on its own samples only, so the values are bit-identical to those of `fbank`.
 */
export class OverlapFbank {
  private last: Computed | null = null;

  /**
   * @param shiftSamples the shift of overlapping samples is a multiple of this number
   * @param hopSamples samples between two frames, a divisor of `shiftSamples`
   */
  constructor(
    private readonly fbank: Fbank,
    private readonly shiftSamples: number,
    private readonly hopSamples: number,
  ) {}

  /**
   * @param samples axes (sample), in [-1, 1]; not to be changed before the next call
   * @param wanted axes (frame), 0 or 1: features of the other frames are 0
   */
  compute(samples: Float32Array, wanted: Uint8Array): Features {
    const { last } = this;
    const shift = last ? this.shiftOf(last.samples, samples) / this.hopSamples : Infinity;
    const isReused = (frame: number): boolean => wanted[frame] === 1 && last?.has[frame + shift] === 1;
    const features = this.fbank.compute(samples, wanted.map((value, frame) => (isReused(frame) ? 0 : value)));
    const { data, numMelBins } = features;
    for (let frame = 0; frame < wanted.length; frame++) {
      if (!isReused(frame)) continue;
      const from = (frame + shift) * numMelBins;
      data.set(last!.features.data.subarray(from, from + numMelBins), frame * numMelBins);
    }
    this.last = { samples, features, has: wanted };
    return features;
  }

  /** Number of samples by which `next` starts after `before`, if all samples in common are equal; otherwise infinite. */
  private shiftOf(before: Float32Array, next: Float32Array): number {
    for (let shift = 0; shift < before.length; shift += this.shiftSamples) {
      let i = 0;
      const end = Math.min(next.length, before.length - shift);
      while (i < end && before[i + shift] === next[i]) i++;
      if (i === end) return shift;
    }
    return Infinity;
  }
}
