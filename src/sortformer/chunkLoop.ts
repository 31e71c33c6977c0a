import type { StreamMode } from '../store/streamModes';
import { modeSizes, type ModeSizes, type StreamingSettings } from '../store/streamingSettings';
import { unlessAborted } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import { concatenate, healthy } from '../util/values';
import type { SampleBatch, StreamNetwork } from './network';
import { SpeakerCache } from './speakerCache';

/** Logits of consecutive mel frames. */
export interface StreamLogits {
  /** Axes (mel frame, speaker), float32. The probability is the logistic function of the logit. */
  readonly logits: Float32Array;
  /** Mel frame of the recording to which the first row belongs. */
  readonly firstFrame: number;
  readonly numFrames: number;
}

/** A finished step, for goldens, comparison and captures. */
export interface StreamStep extends StreamLogits {
  /** Number of the step, from 0. */
  readonly index: number;
  /** Encoder frames that the step attended to. */
  readonly numInputFrames: number;
  /** State after the step. Later steps change it: copy what you keep. */
  readonly state: SpeakerCache;
}

export interface ChunkLoopOptions {
  readonly network: StreamNetwork;
  readonly settings: StreamingSettings;
  readonly mode: StreamMode;
  /** Cancels between two steps, or in the middle of one: its result is not used. */
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: ((step: StreamStep) => void) | undefined;
}

/**
 * The loop over chunks: collects mel frames until a chunk and its look-ahead are complete, runs the network on the speaker
 * cache, the FIFO and these frames, and updates the state. Memory is constant, and time is linear.
 *
 * Matches `Nemotron3DiarizationForAudioFrameClassification.forward` of transformers 5.24.0: called once per recording in offline
 * mode, and once per chunk of its processor in streaming modes. Each batch of the network has a size that only depends on the
 * position in the recording, so the results do not depend on the size of the pushes.
 */
export class ChunkLoop {
  /** The state after the last step. */
  readonly state: SpeakerCache;
  private readonly sizes: ModeSizes;
  /** Mel frames that are not embedded yet; axes (mel frame, mel). */
  private readonly mel: Float32Array;
  private melValues = 0;
  /** Embedded frames that no step has decided: look-ahead, and then the next chunk; axes (encoder frame, hidden). */
  private pending: Float32Array = new Float32Array(0);
  /** Encoder frames at the end of `pending` that are padding. */
  private padding = 0;
  /** Mel frames that were pushed. */
  private received = 0;
  private decided = 0;
  private steps = 0;

  constructor(private readonly options: ChunkLoopOptions) {
    const { network, settings, mode } = options;
    this.sizes = modeSizes(settings, mode);
    this.state = new SpeakerCache(settings, mode, network.silence);
    this.mel = new Float32Array(this.inputFrames * settings.melFramesPerEncoderFrame * network.numMelBins);
  }

  /** Mel frames from the start of the recording whose logits were returned. */
  get numDecided(): number {
    return this.decided;
  }

  /** Encoder frames of a chunk with its look-ahead. */
  private get inputFrames(): number {
    return this.sizes.chunkFrames + this.sizes.lookAheadFrames;
  }

  /** Values that the buffer of mel frames accepts before a step. */
  private get room(): number {
    const { network, settings } = this.options;
    return this.mel.length - this.pendingFrames * settings.melFramesPerEncoderFrame * network.numMelBins - this.melValues;
  }

  /**
   * Accepts mel frames and runs the steps that are complete.
   *
   * @param melFrames axes (mel frame, mel), float32; any number of frames
   * @throws VoxlaneError `options` if the last frame is not complete, `audio-not-finite`, `model-output`, `model-invalid`,
   *   `cancelled`, and the errors of the network
   */
  async *push(melFrames: Float32Array): AsyncGenerator<StreamLogits> {
    this.check(melFrames);
    yield* this.collect(melFrames, false);
  }

  /**
   * Accepts the samples of all mel frames that the next step needs, for a network that computes mel frames, and runs the step.
   *
   * @throws VoxlaneError like {@link push}
   */
  async *pushSamples(batch: SampleBatch): AsyncGenerator<StreamLogits> {
    const { network, signal } = this.options;
    if (batch.numFrames * network.numMelBins !== this.room) throw new RangeError(`${batch.numFrames} mel frames do not complete a step`);
    this.received += batch.numFrames;
    this.keep(await unlessAborted(signal, () => network.embedSamples!(batch)), batch.numFrames);
    yield* this.step(this.sizes.chunkFrames);
  }

  /**
   * Runs the remaining steps. In offline mode, chunks continue to the last frame, with less look-ahead. In streaming modes, one
   * step decides all that is left.
   *
   * @param melFrames the last mel frames, which have no look-ahead; as in {@link push}
   * @throws VoxlaneError like {@link push}
   */
  async *finish(melFrames: Float32Array = new Float32Array(0)): AsyncGenerator<StreamLogits> {
    const isOffline = this.options.mode === 'offline';
    this.check(melFrames);
    yield* this.collect(melFrames, !isOffline);
    if (this.received === 0) return;
    await this.embedRest(isOffline);
    for (let left = this.pendingFrames; left > 0; left = this.pendingFrames) {
      yield* this.step(isOffline ? Math.min(left, this.sizes.chunkFrames) : left);
    }
  }

  private get pendingFrames(): number {
    return this.pending.length / this.options.network.silence.length;
  }

  /** @param isLast a chunk that is complete at the end of `melFrames` waits for the last step */
  private async *collect(melFrames: Float32Array, isLast: boolean): AsyncGenerator<StreamLogits> {
    let rest = melFrames;
    while (isLast ? rest.length > this.room : rest.length >= this.room) {
      rest = rest.subarray(this.store(rest.subarray(0, this.room)));
      await this.embed();
      yield* this.step(this.sizes.chunkFrames);
    }
    this.store(rest);
  }

  /** @returns number of values */
  private store(melFrames: Float32Array): number {
    this.mel.set(melFrames, this.melValues);
    this.melValues += melFrames.length;
    this.received += melFrames.length / this.options.network.numMelBins;
    return melFrames.length;
  }

  /**
   * Completes the last encoder frame with zeros. The offline front end of the reference adds a mel frame of zeros behind the
   * recording, and marks it as padding. If it starts an encoder frame, that frame is padding too: it is a part of the chunk,
   * but no frame attends to it.
   */
  private async embedRest(addsFrame: boolean): Promise<void> {
    const { network, settings } = this.options;
    const { numMelBins } = network;
    const whole = settings.melFramesPerEncoderFrame * numMelBins;
    const isPadding = addsFrame && this.melValues % whole === 0;
    const values = Math.ceil((this.melValues + (addsFrame ? numMelBins : 0)) / whole) * whole;
    this.mel.fill(0, this.melValues, values);
    this.melValues = values;
    if (values > 0) await this.embed();
    this.padding = isPadding ? 1 : 0;
  }

  private async embed(): Promise<void> {
    const { network, signal } = this.options;
    const melFrames = this.mel.slice(0, this.melValues);
    this.melValues = 0;
    this.keep(await unlessAborted(signal, () => network.embed(melFrames)), melFrames.length / network.numMelBins);
  }

  private keep(embedded: Float32Array, numMelFrames: number): void {
    const { network, settings } = this.options;
    checkSize(embedded, 'embeddings', [numMelFrames / settings.melFramesPerEncoderFrame, network.silence.length]);
    this.pending = concatenate([this.pending, embedded]);
  }

  /** Runs the network on the state and all pending frames, and decides the first `chunkFrames` of them. */
  private async *step(chunkFrames: number): AsyncGenerator<StreamLogits> {
    const { network, settings, signal, onStep } = this.options;
    const { numSpeakers, melFramesPerEncoderFrame: factor } = settings;
    const hidden = network.silence.length;
    const embeddings = concatenate([this.state.cache, this.state.fifo, this.pending]);
    const numFrames = embeddings.length / hidden;
    const numValidFrames = numFrames - this.padding;
    const chunkStart = this.state.numCacheFrames + this.state.numFifoFrames;
    const firstScoredFrame = this.state.firstScoredFrame(chunkFrames);
    const input = { embeddings, numFrames, numValidFrames, firstScoredFrame };
    const logits = await unlessAborted(signal, () => network.logits(input));
    checkSize(logits, 'logits', [numFrames - firstScoredFrame, factor, numSpeakers]);
    healthy(logits, 'logits', 'model-output');
    this.state.update(this.pending.subarray(0, chunkFrames * hidden), { logits, firstFrame: firstScoredFrame, numValidFrames });
    this.pending = this.pending.slice(chunkFrames * hidden);

    const firstFrame = this.decided;
    // The last encoder frame may be longer than the recording.
    const numRows = Math.min(chunkFrames * factor, this.received - firstFrame);
    const firstRow = (chunkStart - firstScoredFrame) * factor;
    const rows = logits.slice(firstRow * numSpeakers, (firstRow + numRows) * numSpeakers);
    this.decided += numRows;
    const result = { logits: rows, firstFrame, numFrames: numRows };
    onStep?.({ ...result, index: this.steps++, numInputFrames: numFrames, state: this.state });
    if (numRows > 0) yield result;
  }

  /** @throws VoxlaneError `options`, `audio-not-finite` */
  private check(melFrames: Float32Array): void {
    const { numMelBins } = this.options.network;
    if (melFrames.length % numMelBins !== 0) {
      throw new VoxlaneError({
        code: 'options',
        problem: `${melFrames.length} values are not whole mel frames`,
        expected: `a multiple of ${numMelBins} values`,
        remedy: 'Push whole frames',
      });
    }
    const index = melFrames.findIndex((value) => !Number.isFinite(value));
    if (index < 0) return;
    throw new VoxlaneError({
      code: 'audio-not-finite',
      problem: `Mel bin ${index % numMelBins} of mel frame ${this.received + Math.floor(index / numMelBins)} is ${melFrames[index]}`,
      expected: 'finite numbers',
      remedy: 'Check the code that computes the mel frames',
    });
  }
}

/** @throws VoxlaneError `model-invalid` */
function checkSize(values: Float32Array, name: string, shape: readonly number[]): void {
  if (values.length === shape.reduce((product, size) => product * size, 1)) return;
  throw new VoxlaneError({
    code: 'model-invalid',
    problem: `The model output ${name} has ${values.length} values`,
    expected: `${shape.join(' × ')} values`,
    remedy: 'Export the model again with its export.py',
  });
}
