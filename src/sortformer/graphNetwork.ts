import { extract } from '../onnx/cut';
import { encodeOnnx, graphOf } from '../onnx/model';
import { copyWith } from '../onnx/nodes';
import type { ModelProto, TensorProto } from '../onnx/onnx_pb';
import { isExternal } from '../onnx/tensors';
import type { Session, SessionTensor } from '../ort/session';
import type { DiarizationManifest } from '../store/diarizationManifest';
import { VoxlaneError } from '../util/errors';
import { healthy } from '../util/values';
import type { StepInput, StreamNetwork } from './network';

/** Weights of a graph: the values of each tensor by name, row-major and little-endian. */
export type Weights = ReadonlyMap<string, Uint8Array>;

/** Opens a session for a part of the graph, whose external tensors are at the locations in `weights`. */
export type OpenPart = (bytes: Uint8Array, weights: Weights) => Promise<Session>;

/** The facts that the network needs. */
export type NetworkFacts = Pick<DiarizationManifest, 'tensors' | 'maxEncoderFrames'>;

export interface GraphNetworkOptions {
  /** The graph with external tensors and without their values, of `parseGraphAlone`. */
  readonly model: ModelProto;
  /** The values of its external tensors. */
  readonly weights: Weights;
  readonly manifest: NetworkFacts;
  readonly open: OpenPart;
  /** Values inside the graph that are read with the logits, for comparison and goldens. */
  readonly taps?: readonly string[];
  /** Called in each step with the values of `taps`. */
  readonly onValues?: (values: ReadonlyMap<string, SessionTensor>) => void;
}

/**
 * The network of a Sortformer model in ONNX Runtime: one session for stacking and projection, one for encoder and head. Call
 * one method at a time, as the runtime requires.
 */
export class GraphNetwork implements StreamNetwork {
  readonly numMelBins: number;
  private readonly hiddenSize: number;

  private constructor(
    private readonly options: GraphNetworkOptions,
    readonly silence: Float32Array,
    private readonly stacking: Session,
    private readonly encoder: Session,
  ) {
    const { tensors } = options.manifest;
    this.numMelBins = sizeOfLastAxis(tensors.features);
    this.hiddenSize = sizeOfLastAxis(tensors.embeds);
  }

  /**
   * Opens both parts of the graph.
   *
   * @throws VoxlaneError `model-invalid` if a tensor has no values, and errors of `options.open`
   */
  static async open(options: GraphNetworkOptions): Promise<GraphNetwork> {
    const { manifest, taps = [] } = options;
    const { features, stacked, embeds, valid, logits, silence } = manifest.tensors;
    const openPart = (inputs: readonly string[], outputs: readonly string[]): Promise<Session> => {
      const { model } = extract(options.model, { inputs, outputs });
      return options.open(encodeOnnx(located(model, options.weights)), options.weights);
    };
    // One after another, as the runtime requires.
    const silenceSession = await openPart([], [silence.name]);
    const { data } = (await silenceSession.run(new Map())).get(silence.name)!;
    await silenceSession.release();
    const stacking = await openPart([features.name], [stacked.name]);
    const encoder = await openPart([embeds.name, valid.name], [logits.name, ...taps]);
    return new GraphNetwork(options, data.slice(), stacking, encoder);
  }

  /** @throws VoxlaneError `model-output` if a value is not finite or all are zero, and errors of the session */
  async embed(melFrames: Float32Array): Promise<Float32Array> {
    const { features, stacked } = this.options.manifest.tensors;
    const shape = [melFrames.length / this.numMelBins, this.numMelBins];
    const values = await this.stacking.run(new Map([[features.name, { data: melFrames, shape, dtype: 'float32' }]]));
    const { data } = values.get(stacked.name)!;
    // Features of padding are zeros, and so are their projections.
    return melFrames.some((value) => value !== 0) ? healthy(data, stacked.name, 'model-output') : data;
  }

  /**
   * @throws VoxlaneError `options` if there are more frames than the graph has positions; `model-output` if a logit is not
   *   finite or all are zero; errors of the session
   */
  async logits({ embeddings, numFrames, numValidFrames, firstScoredFrame }: StepInput): Promise<Float32Array> {
    const { tensors, maxEncoderFrames } = this.options.manifest;
    if (numFrames > maxEncoderFrames) throw tooLong(numFrames, maxEncoderFrames);
    const valid = Float32Array.from({ length: numFrames }, (_, frame) => (frame < numValidFrames ? 1 : 0));
    const values = await this.encoder.run(
      new Map([
        [tensors.embeds.name, { data: embeddings, shape: [numFrames, this.hiddenSize], dtype: 'float32' }],
        [tensors.valid.name, { data: valid, shape: [numFrames], dtype: 'float32' }],
      ]),
    );
    this.options.onValues?.(values);
    const logits = healthy(values.get(tensors.logits.name)!.data, tensors.logits.name, 'model-output');
    return logits.subarray((logits.length / numFrames) * firstScoredFrame);
  }

  /** Frees the runtime's memory. */
  async release(): Promise<void> {
    await this.stacking.release();
    await this.encoder.release();
  }
}

/** @returns the graph with each external tensor in a file of its own, named after it */
function located(model: ModelProto, weights: Weights): ModelProto {
  const graph = graphOf(model);
  const initializer = graph.initializer.map((tensor) => (isExternal(tensor) ? inOwnFile(tensor, weights) : tensor));
  return copyWith(model, { graph: copyWith(graph, { initializer }) });
}

function inOwnFile(tensor: TensorProto, weights: Weights): TensorProto {
  const bytes = weightsOf(weights, tensor.name);
  const entries = { location: tensor.name, offset: '0', length: String(bytes.length) };
  const externalData = Object.entries(entries).map(([key, value]) => ({ $typeName: 'onnx.StringStringEntryProto' as const, key, value }));
  return copyWith(tensor, { externalData });
}

/**
 * Returns the values of a tensor, little-endian.
 *
 * @throws VoxlaneError `model-invalid` if there are none
 */
export function weightsOf(weights: Weights, name: string): Uint8Array {
  const bytes = weights.get(name);
  if (bytes) return bytes;
  throw new VoxlaneError({
    code: 'model-invalid',
    problem: `The weights lack the tensor ${name} of the graph`,
    expected: 'exactly the tensors of the graph, with their names',
    remedy: 'Use the file of weights that belongs to this model',
  });
}

/** @throws VoxlaneError `model-invalid` if the size is dynamic */
export function sizeOfLastAxis({ name, shape }: NetworkFacts['tensors']['features']): number {
  const size = shape.at(-1);
  if (typeof size === 'number') return size;
  throw new VoxlaneError({
    code: 'model-invalid',
    problem: `The manifest does not state the size of the last axis of ${name}`,
    expected: 'a number',
    remedy: 'Export the model again with its export.py',
  });
}

/** The error for a step with more encoder frames than the graph has positions. */
export const tooLong = (numFrames: number, maxFrames: number): VoxlaneError =>
  new VoxlaneError({
    code: 'options',
    problem: `A step has ${numFrames} encoder frames`,
    expected: `at most ${maxFrames}, for which the graph has positions`,
    remedy: 'Use the settings of the model for speaker cache, FIFO, chunk and look-ahead',
  });
