import { cpuFrontEnd } from '../../sortformer/melFrontEnd';
import type { StepInput, StreamNetwork } from '../../sortformer/network';
import { stream } from '../../sortformer/speakerStream';
import type { DiarizationManifest } from '../../store/diarizationManifest';
import type { StreamingSettings } from '../../store/streamingSettings';
import type { StreamMode } from '../../store/streamModes';
import { concatenate } from '../../util/values';
import type { GraphTensor, ValueRunner } from '../graphRunner';
import type { Tensor } from '../tensor';

/** What entered a step of our own loop, and what it computed. */
export interface OwnStep {
  /** Number of the step in the recording, from 0. */
  readonly index: number;
  /** Mel frames of the chunk and its look-ahead; axes (mel frame, mel). */
  readonly features: Tensor;
  /** Speaker cache and FIFO before the step; axes (encoder frame, hidden). */
  readonly state: Tensor;
  /** Values of the graph by name. `stacked` has the frames of the chunk and its look-ahead. */
  readonly values: ReadonlyMap<string, GraphTensor>;
}

export interface OwnStepsRequest {
  readonly graph: ValueRunner;
  readonly manifest: DiarizationManifest;
  readonly settings: StreamingSettings;
  readonly mode: StreamMode;
  /** Values to record. */
  readonly values: readonly string[];
  /** Axes (sample), at the rate of the model. */
  readonly samples: Float32Array;
  /** Called and awaited before each step; may throw to stop the work. */
  readonly onStep: (index: number) => Promise<void> | void;
}

/**
 * Runs a recording through our own loop, with the state that it accumulates, and yields every step.
 *
 * @throws VoxlaneError errors of the backend, of the loop and of `onStep`
 */
export async function* ownSteps(request: OwnStepsRequest): AsyncGenerator<OwnStep> {
  const { manifest, settings, mode, samples } = request;
  const network = await RecordingNetwork.open(request);
  const finished: OwnStep[] = [];
  const options = {
    network,
    settings,
    mode,
    frontEnd: cpuFrontEnd(manifest),
    onStep: ({ index, numFrames }: { readonly index: number; readonly numFrames: number }) => {
      finished.push(network.take(index, Math.ceil(numFrames / settings.melFramesPerEncoderFrame)));
    },
  };
  for await (const decided of stream('samples', pieces(samples), options)) {
    if (decided.numFrames > 0) yield* finished.splice(0);
  }
  yield* finished.splice(0);
}

/** Small pieces, so that few steps are in memory at once. */
function* pieces(samples: Float32Array): Generator<Float32Array> {
  for (let start = 0; start < samples.length; start += PIECE_SAMPLES) yield samples.subarray(start, start + PIECE_SAMPLES);
}

const PIECE_SAMPLES = 16_000;

/** The network on a runner, which keeps what entered and left its last step. One session computes both parts of the graph. */
class RecordingNetwork implements StreamNetwork {
  readonly numMelBins: number;
  private readonly outputs: readonly string[];
  /** Mel frames and projected frames that no step has decided. */
  private mel: Float32Array = new Float32Array(0);
  private stacked: Float32Array = new Float32Array(0);
  private last: { readonly input: StepInput; readonly values: ReadonlyMap<string, GraphTensor> } | null = null;
  private numSteps = 0;

  private constructor(
    private readonly request: OwnStepsRequest,
    readonly silence: Float32Array,
  ) {
    const { tensors, fbank } = request.manifest;
    this.numMelBins = fbank.numMelBins;
    this.outputs = [...new Set([...request.values, tensors.stacked.name, tensors.logits.name])];
  }

  static async open(request: OwnStepsRequest): Promise<RecordingNetwork> {
    const { name } = request.manifest.tensors.silence;
    const { data } = (await request.graph.values(new Map(), [name])).get(name)!;
    return new RecordingNetwork(request, data.slice());
  }

  async embed(melFrames: Float32Array): Promise<Float32Array> {
    const oneFrame = new Float32Array(this.silence.length);
    const values = await this.run(melFrames, oneFrame, Float32Array.of(1));
    const stacked = values.get(this.request.manifest.tensors.stacked.name)!.data.slice();
    this.mel = concatenate([this.mel, melFrames]);
    this.stacked = concatenate([this.stacked, stacked]);
    return stacked;
  }

  async logits(input: StepInput): Promise<Float32Array> {
    await this.request.onStep(this.numSteps++);
    const { embeddings, numFrames, numValidFrames, firstScoredFrame } = input;
    const valid = Float32Array.from({ length: numFrames }, (_, frame) => (frame < numValidFrames ? 1 : 0));
    const oneFrame = new Float32Array(this.request.settings.melFramesPerEncoderFrame * this.numMelBins);
    const values = await this.run(oneFrame, embeddings, valid);
    this.last = { input, values };
    const { data } = values.get(this.request.manifest.tensors.logits.name)!;
    return data.slice((data.length / numFrames) * firstScoredFrame);
  }

  /** The last step, which has decided `chunkFrames` encoder frames. */
  take(index: number, chunkFrames: number): OwnStep {
    const { input, values } = this.last!;
    const { numMelBins, mel, stacked, silence } = this;
    const hidden = silence.length;
    const stateValues = input.embeddings.length - stacked.length;
    const { name } = this.request.manifest.tensors.stacked;
    const step: OwnStep = {
      index,
      features: { data: mel, shape: [mel.length / numMelBins, numMelBins] },
      state: { data: input.embeddings.slice(0, stateValues), shape: [stateValues / hidden, hidden] },
      values: new Map([...values, [name, { data: stacked, shape: [stacked.length / hidden, hidden] }]]),
    };
    this.mel = mel.slice(chunkFrames * this.request.settings.melFramesPerEncoderFrame * numMelBins);
    this.stacked = stacked.slice(chunkFrames * hidden);
    return step;
  }

  private async run(melFrames: Float32Array, embeddings: Float32Array, valid: Float32Array): Promise<ReadonlyMap<string, GraphTensor>> {
    const { features, embeds, valid: mask } = this.request.manifest.tensors;
    const feeds = new Map<string, GraphTensor>([
      [features.name, { data: melFrames, shape: [melFrames.length / this.numMelBins, this.numMelBins], dtype: features.dtype }],
      [embeds.name, { data: embeddings, shape: [valid.length, this.silence.length], dtype: embeds.dtype }],
      [mask.name, { data: valid, shape: [valid.length], dtype: mask.dtype }],
    ]);
    const values = await this.request.graph.values(feeds, this.outputs);
    // The runtime may reuse its arrays.
    return new Map(Array.from(values, ([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }]));
  }
}
