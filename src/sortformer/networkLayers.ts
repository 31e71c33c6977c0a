import { graphOf, type ModelProto } from '../onnx/model';
import type { GraphProto } from '../onnx/onnx_pb';
import { isExternal, shapeOf, tensorValues } from '../onnx/tensors';
import { dtypeName } from '../onnx/types';
import { BYTES_PER_ELEMENT } from '../util/elementTypes';
import { VoxlaneError } from '../util/errors';
import { shapeText, sizeOf } from '../util/shape';
import { type Weights, weightsOf } from './graphNetwork';

/** Values of a matrix: float32, or the bits of float16. */
type Matrix = Float32Array | Uint16Array;

/** A linear layer. */
export interface LinearLayer {
  /** Axes (output, input). */
  readonly weight: Matrix;
  readonly numInputs: number;
  readonly numOutputs: number;
  /** Axes (output); zeros if the layer has none. */
  readonly bias: Float32Array;
}

/** A layer norm. */
export interface NormLayer {
  /** Axes (channel). */
  readonly scale: Float32Array;
  /** Axes (channel). */
  readonly shift: Float32Array;
  readonly epsilon: number;
}

/** A layer of the encoder. */
interface EncoderLayer {
  readonly attentionNorm: NormLayer;
  /** Queries, keys and values as one layer, in this order. */
  readonly projections: LinearLayer;
  readonly attended: LinearLayer;
  readonly mlpNorm: NormLayer;
  readonly mlpIn: LinearLayer;
  readonly mlpOut: LinearLayer;
}

/** The layers of a Sortformer model, with weights. */
export interface NetworkLayers {
  readonly stacking: LinearLayer;
  readonly inputNorm: NormLayer;
  readonly encoder: readonly EncoderLayer[];
  readonly outputNorm: NormLayer;
  readonly projection: LinearLayer;
  /** The convolution that upsamples, as a linear layer of `numTaps` adjacent frames; inputs are (tap, channel). */
  readonly upsampler: LinearLayer;
  readonly numTaps: number;
  readonly dense: LinearLayer;
  readonly classifier: LinearLayer;
  /** Axes (channel). */
  readonly silence: Float32Array;
  readonly numHeads: number;
  readonly headSize: number;
  /** Factor of the scores of attention. */
  readonly scale: number;
  /** Tables of the rotary embedding: axes (frame, half of the channels of a head). */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

const TOWER = 'model.audio_tower';

/**
 * Reads the layers of the graph of `models/nemotron-3-diarization/export.py`, which names each tensor as the reference class.
 * Weights are not copied if they are aligned.
 *
 * @param model with float32 weights, or float16 matrices as `graphInForm` declares them
 * @throws VoxlaneError `model-invalid` if a tensor of the graph or its weights are missing, or have another type or shape
 */
export function readLayers(model: ModelProto, weights: Weights): NetworkLayers {
  const graph = graphOf(model);
  const tensors = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const shaped = (name: string): { bytes: Uint8Array; isHalf: boolean; shape: readonly number[] } => {
    const tensor = tensors.get(name);
    if (!tensor || !isExternal(tensor)) throw unlike(`it has no weights named ${name}`);
    const type = dtypeName(tensor.dataType);
    if (type !== 'float32' && type !== 'float16') throw unlike(`its tensor ${name} has the type ${type}`);
    const [bytes, shape] = [weightsOf(weights, name), shapeOf(tensor)];
    if (bytes.length !== BYTES_PER_ELEMENT[type] * sizeOf(shape)) throw unlike(`the weights of ${name} have ${bytes.length} bytes for the shape ${shapeText(shape)}`);
    return { bytes: aligned(bytes), isHalf: type === 'float16', shape };
  };
  const matrix = (name: string): { data: Matrix; shape: readonly number[] } => {
    const { bytes: { buffer, byteOffset, length }, isHalf, shape } = shaped(name);
    return { data: isHalf ? new Uint16Array(buffer, byteOffset, length / 2) : new Float32Array(buffer, byteOffset, length / 4), shape };
  };
  const vector = (name: string): Float32Array => {
    const { bytes: { buffer, byteOffset, length }, isHalf } = shaped(name);
    if (isHalf) throw unlike(`its tensor ${name} has the type float16`);
    return new Float32Array(buffer, byteOffset, length / 4);
  };
  const constant = (name: string): Float32Array => {
    const tensor = tensors.get(name);
    const values = tensor && !isExternal(tensor) ? tensorValues(tensor) : null;
    if (!values) throw unlike(`it has no constant named ${name}`);
    return values;
  };
  const linear = (prefix: string, hasBias = true): LinearLayer => {
    const { data: weight, shape } = matrix(`${prefix}.weight`);
    const [numOutputs = 0, numInputs = 0] = shape;
    return { weight, numInputs, numOutputs, bias: hasBias ? vector(`${prefix}.bias`) : new Float32Array(numOutputs) };
  };
  const norm = (prefix: string): NormLayer => ({
    scale: vector(`${prefix}.weight`),
    shift: vector(`${prefix}.bias`),
    epsilon: epsilonOf(graph, `${prefix}.weight`),
  });
  const encoder: EncoderLayer[] = [];
  for (let index = 0; tensors.has(`${TOWER}.layers.${index}.layer_norm1.weight`); index++) {
    const prefix = `${TOWER}.layers.${index}`;
    encoder.push({
      attentionNorm: norm(`${prefix}.layer_norm1`),
      projections: joined(['q', 'k', 'v'].map((part) => linear(`${prefix}.self_attn.${part}_proj`, false))),
      attended: linear(`${prefix}.self_attn.o_proj`),
      mlpNorm: norm(`${prefix}.layer_norm2`),
      mlpIn: linear(`${prefix}.mlp.fc1`),
      mlpOut: linear(`${prefix}.mlp.fc2`),
    });
  }
  const convolution = matrix('model.upsampler.conv.weight');
  const [numOutputs = 0, numChannels = 0, numTaps = 0] = convolution.shape;
  const [, numHeads = 0, headSize = 0] = constant('attention.heads');
  return {
    stacking: linear(`${TOWER}.embedder.projection`, false),
    inputNorm: norm(`${TOWER}.input_layer_norm`),
    encoder,
    outputNorm: norm(`${TOWER}.layer_norm`),
    projection: linear('model.proj'),
    upsampler: {
      weight: tapsFirst(convolution.data, numChannels, numTaps),
      numInputs: numTaps * numChannels,
      numOutputs,
      bias: vector('model.upsampler.conv.bias'),
    },
    numTaps,
    dense: linear('classifier.dense'),
    classifier: linear('classifier.out_proj'),
    silence: vector('silence_embeds').slice(),
    numHeads,
    headSize,
    scale: constant('attention.scale')[0]!,
    cos: constant('rotation.cos_table'),
    sin: constant('rotation.sin_table'),
  };
}

/** For views as 32-bit values. */
const aligned = (bytes: Uint8Array): Uint8Array => (bytes.byteOffset % 4 === 0 ? bytes : bytes.slice());

/** Layers of the same input as one, whose outputs are in their order. */
function joined(layers: readonly LinearLayer[]): LinearLayer {
  const weights = layers.map(({ weight }) => weight);
  const weight = new (weights[0] instanceof Uint16Array ? Uint16Array : Float32Array)(weights.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of weights) {
    weight.set(part, end);
    end += part.length;
  }
  return {
    weight,
    numInputs: layers[0]!.numInputs,
    numOutputs: layers.reduce((sum, { numOutputs }) => sum + numOutputs, 0),
    bias: Float32Array.from(layers.flatMap(({ bias }) => [...bias])),
  };
}

/** Changes axes (output, channel, tap) to (output, tap, channel). */
function tapsFirst(weight: Matrix, numChannels: number, numTaps: number): Matrix {
  return weight.map((_, i) => {
    const output = Math.floor(i / (numTaps * numChannels));
    const [tap, channel] = [Math.floor(i / numChannels) % numTaps, i % numChannels];
    return weight[(output * numChannels + channel) * numTaps + tap]!;
  });
}

function epsilonOf({ node }: GraphProto, weight: string): number {
  const epsilon = node.find(({ opType, input }) => opType === 'LayerNormalization' && input[1] === weight)?.attribute.find(({ name }) => name === 'epsilon')?.f;
  if (epsilon === undefined) throw unlike(`it has no layer norm with ${weight}`);
  return epsilon;
}

/** The error `model-invalid` for a graph that the kernels do not support. @param why a clause without a period */
export const unlike = (why: string): VoxlaneError =>
  new VoxlaneError({
    code: 'model-invalid',
    problem: `The WebGPU kernels do not support the diarization graph: ${why}`,
    expected: 'the graph of models/nemotron-3-diarization/export.py, with float32 weights or float16 matrices',
    remedy: 'Use the shipped graph and its weights',
  });
