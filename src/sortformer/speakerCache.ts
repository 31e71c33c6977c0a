import type { StreamMode } from '../store/streamModes';
import { modeSizes, type ModeSizes, type ScoreCounts, scoreCounts, type StreamingSettings } from '../store/streamingSettings';
import { concatenate } from '../util/values';
import { SILENCE, selectFrames } from './compression';
import { frameScores } from './frameScores';
import { pooledProbabilities, type StepLogits } from './probabilities';

/**
 * State between the steps of a stream: the arrival-order speaker cache, with the most typical frames of each speaker, and the
 * FIFO of the most recent frames. Both contain encoder frames before the first layer. Memory is constant.
 *
 * Matches `Nemotron3DiarizationSpeakerCache` of transformers 5.24.0 for one recording.
 */
export class SpeakerCache {
  private readonly sizes: ModeSizes;
  private readonly counts: ScoreCounts;
  private readonly cacheData: Float32Array;
  private readonly cacheProbabilities: Float32Array;
  private readonly fifoData: Float32Array;
  private cacheFrames = 0;
  private fifoFrames = 0;
  private compressed = false;

  /**
   * @param silence learned embedding of silence; axes (hidden), float32
   */
  constructor(
    private readonly settings: StreamingSettings,
    mode: StreamMode,
    private readonly silence: Float32Array,
  ) {
    this.sizes = modeSizes(settings, mode);
    this.counts = scoreCounts(settings);
    this.cacheData = new Float32Array(settings.cache.cacheFrames * this.hiddenSize);
    this.cacheProbabilities = new Float32Array(settings.cache.cacheFrames * settings.numSpeakers);
    this.fifoData = new Float32Array(this.sizes.fifoFrames * this.hiddenSize);
  }

  private get hiddenSize(): number {
    return this.silence.length;
  }

  /** Encoder frames in the speaker cache. */
  get numCacheFrames(): number {
    return this.cacheFrames;
  }

  /** Encoder frames in the FIFO. */
  get numFifoFrames(): number {
    return this.fifoFrames;
  }

  /** Whether the frames of the cache were selected. Before that, they are the first frames of the recording. */
  get isCompressed(): boolean {
    return this.compressed;
  }

  /** Speaker cache; axes (encoder frame, hidden), float32. A view that the next update changes. */
  get cache(): Float32Array {
    return this.cacheData.subarray(0, this.cacheFrames * this.hiddenSize);
  }

  /** Probabilities with which the frames of the cache were stored; axes (encoder frame, speaker), float32. A view. */
  get probabilities(): Float32Array {
    return this.cacheProbabilities.subarray(0, this.cacheFrames * this.settings.numSpeakers);
  }

  /** FIFO; axes (encoder frame, hidden), float32. A view that the next update changes. */
  get fifo(): Float32Array {
    return this.fifoData.subarray(0, this.fifoFrames * this.hiddenSize);
  }

  /**
   * Encoder frames that a chunk moves from the FIFO to the cache: none before the FIFO overflows. Matches
   * `_num_popped_frames`.
   */
  numMoved(chunkFrames: number): number {
    const waiting = this.fifoFrames + chunkFrames;
    if (waiting <= this.sizes.fifoFrames) return 0;
    return Math.min(Math.max(this.sizes.updatePeriodFrames, waiting - this.sizes.fifoFrames), waiting);
  }

  /**
   * First encoder frame of the next step whose logits matter. The logits of the FIFO matter if frames leave it. Those of the
   * cache matter only then, and only before it is compressed: later, its frames are not in the order of time, and keep their
   * probabilities.
   */
  firstScoredFrame(chunkFrames: number): number {
    if (this.numMoved(chunkFrames) === 0) return this.cacheFrames + this.fifoFrames;
    return this.compressed ? this.cacheFrames : 0;
  }

  /**
   * Appends a chunk to the FIFO, and moves the oldest frames to the cache if the FIFO overflows. Matches `update`.
   *
   * @param chunk axes (encoder frame, hidden), float32: the frames of the chunk without look-ahead
   * @param step logits from {@link firstScoredFrame} on
   */
  update(chunk: Float32Array, step: StepLogits): void {
    const hidden = this.hiddenSize;
    const chunkFrames = chunk.length / hidden;
    const moved = this.numMoved(chunkFrames);
    if (moved === 0) {
      this.fifoData.set(chunk, this.fifo.length);
      this.fifoFrames += chunkFrames;
      return;
    }
    const waiting = concatenate([this.fifo, chunk]);
    this.append(waiting.subarray(0, moved * hidden), moved, step);
    const kept = waiting.subarray(moved * hidden);
    this.fifoData.set(kept);
    this.fifoFrames = kept.length / hidden;
  }

  /** @param frames axes (encoder frame, hidden): the oldest frames, which follow the cache in the step */
  private append(frames: Float32Array, numFrames: number, step: StepLogits): void {
    const { numSpeakers, melFramesPerEncoderFrame, cache } = this.settings;
    const pooled = (from: number, to: number): Float32Array =>
      pooledProbabilities(step, from, to, melFramesPerEncoderFrame, numSpeakers);
    const total = this.cacheFrames + numFrames;
    const embeddings = concatenate([this.cache, frames]);
    const known = this.compressed ? this.probabilities : pooled(0, this.cacheFrames);
    const probabilities = concatenate([known, pooled(this.cacheFrames, total)]);
    if (total <= cache.cacheFrames) {
      this.cacheData.set(embeddings);
      this.cacheProbabilities.set(probabilities);
      this.cacheFrames = total;
    } else {
      this.compress(embeddings, probabilities, total);
    }
  }

  private compress(embeddings: Float32Array, probabilities: Float32Array, numFrames: number): void {
    const { numSpeakers, cache } = this.settings;
    const hidden = this.hiddenSize;
    const candidates = { probabilities, numFrames, numSpeakers, firstNewFrame: cache.cacheFrames };
    const scores = frameScores(candidates, cache, this.counts);
    const places = selectFrames(scores, cache.cacheFrames, cache.silenceFramesPerSpeaker);
    this.cacheProbabilities.fill(0);
    for (const [place, frame] of places.entries()) {
      const isSilence = frame === SILENCE;
      this.cacheData.set(isSilence ? this.silence : embeddings.subarray(frame * hidden, (frame + 1) * hidden), place * hidden);
      if (isSilence) continue;
      this.cacheProbabilities.set(probabilities.subarray(frame * numSpeakers, (frame + 1) * numSpeakers), place * numSpeakers);
    }
    this.cacheFrames = cache.cacheFrames;
    this.compressed = true;
  }
}
