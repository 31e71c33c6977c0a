import { checkFinite } from '../audio/blocks';
import type { SampleBatch } from './network';
import { type FrameWindows, samplesOfBatch } from './stepSchedule';

/** The filterbank of a Sortformer model, whose frames are centered. */
export interface FrontEnd extends FrameWindows {
  readonly sampleRate: number;
  readonly numMelBins: number;
  /**
   * Computes consecutive frames. The value of a frame must not depend on the others.
   *
   * Samples outside `samples` are 0 after pre-emphasis, and the first sample has no predecessor. If `samples` starts in the
   * middle of a recording, it starts at least one sample before the first window.
   *
   * @param samples axes (sample), float32, nominally in [-1, 1]
   * @param centerSamples center of the first frame, from the first sample
   * @returns axes (mel frame, mel), float32
   */
  melFrames(samples: Float32Array, centerSamples: number, numFrames: number): Promise<Float32Array> | Float32Array;
}

/** Number of mel frames that a recording of `numSamples` has: the last frame is centered one hop before the end, or earlier. */
const countMelFrames = (numSamples: number, { hopSamples }: Pick<FrontEnd, 'hopSamples'>): number =>
  Math.floor(numSamples / hopSamples);

/**
 * Collects samples and computes mel frames in batches of fixed size, so batches do not depend on the size of the pushes. Keeps
 * only the samples of one batch.
 *
 * A batch is complete after the number of samples that {@link samplesOfBatch} returns.
 */
export class SampleFramer {
  private readonly buffer: Float32Array;
  /** Samples of the recording before the first one in the buffer. */
  private dropped = 0;
  private received = 0;
  private nextFrame = 0;

  /**
   * @param firstFrames mel frames of the first batch
   * @param laterFrames mel frames of each other batch
   */
  constructor(
    private readonly frontEnd: FrontEnd,
    private readonly firstFrames: number,
    private readonly laterFrames: number,
  ) {
    const { hopSamples, fftSize } = frontEnd;
    this.buffer = new Float32Array(Math.max(firstFrames, laterFrames) * hopSamples + 2 * fftSize);
  }

  private get batchFrames(): number {
    return this.nextFrame === 0 ? this.firstFrames : this.laterFrames;
  }

  /** Samples from the start of the recording after which the next batch is complete. */
  private get neededSamples(): number {
    return samplesOfBatch(this.nextFrame + this.batchFrames, this.nextFrame === 0, this.frontEnd);
  }

  /**
   * @param samples axes (sample), float32, mono; any number
   * @returns batches of mel frames; axes (mel frame, mel), float32
   * @throws VoxlaneError `audio-not-finite` with the time of the first sample that is NaN, infinite or too large
   */
  async *push(samples: Float32Array): AsyncGenerator<Float32Array> {
    for (const batch of this.batches(samples)) yield await this.melFrames(batch);
  }

  /**
   * Like {@link push}, with the samples of each batch in place of its mel frames.
   *
   * @throws VoxlaneError like {@link push}
   */
  *batches(samples: Float32Array): Generator<SampleBatch> {
    checkFinite(samples, this.received, this.frontEnd.sampleRate);
    let rest = samples;
    while (this.received + rest.length >= this.neededSamples) {
      const used = this.neededSamples - this.received;
      this.store(rest.subarray(0, used));
      rest = rest.subarray(used);
      yield this.take(this.batchFrames);
    }
    this.store(rest);
  }

  /** The remaining mel frames; axes (mel frame, mel), float32. Their windows may reach over the end. */
  async finish(): Promise<Float32Array> {
    const numFrames = countMelFrames(this.received, this.frontEnd) - this.nextFrame;
    return numFrames > 0 ? this.melFrames(this.take(numFrames)) : new Float32Array(0);
  }

  private store(samples: Float32Array): void {
    this.buffer.set(samples, this.received - this.dropped);
    this.received += samples.length;
  }

  private melFrames({ samples, centerSamples, numFrames }: SampleBatch): Promise<Float32Array> | Float32Array {
    return this.frontEnd.melFrames(samples, centerSamples, numFrames);
  }

  /** The samples of the next frames. Forgets those that no later frame needs. */
  private take(numFrames: number): SampleBatch {
    const { frontEnd, buffer } = this;
    const { hopSamples, windowSamples } = frontEnd;
    const centerSamples = this.nextFrame * hopSamples - this.dropped;
    const batch = { samples: buffer.slice(0, this.received - this.dropped), centerSamples, numFrames };
    this.nextFrame += numFrames;
    // One more than the window needs, for the pre-emphasis of its first sample.
    const firstKept = Math.max(0, this.nextFrame * hopSamples - windowSamples / 2 - 1);
    const kept = Math.min(firstKept, this.received);
    buffer.copyWithin(0, kept - this.dropped, this.received - this.dropped);
    this.dropped = kept;
    return batch;
  }
}
