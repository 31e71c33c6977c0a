import { graphOf, type ModelProto } from '../onnx/model';
import type { GraphProto } from '../onnx/onnx_pb';
import { isExternal, shapeOf, tensorValues } from '../onnx/tensors';
import { dtypeName } from '../onnx/types';
import { VoxlaneError } from '../util/errors';
import { shapeText, sizeOf } from '../util/shape';
import { type Weights, weightsOf } from './graphNetwork';

/** A linear layer. */
export interface LinearLayer {
  /** Axes (output, input). */
  readonly weight: Float32Array;
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
 * @throws VoxlaneError `model-invalid` if a tensor of the graph or its weights are missing, or are not float32 of its shape
 */
export function readLayers(model: ModelProto, weights: Weights): NetworkLayers {
  const graph = graphOf(model);
  const tensors = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const shaped = (name: string): { data: Float32Array; shape: readonly number[] } => {
    const tensor = tensors.get(name);
    if (!tensor || !isExternal(tensor)) throw unlike(`it has no weights named ${name}`);
    const type = dtypeName(tensor.dataType);
    if (type !== 'float32') throw unlike(`its tensor ${name} has the type ${type}`);
    const [bytes, shape] = [weightsOf(weights, name), shapeOf(tensor)];
    if (bytes.length !== 4 * sizeOf(shape)) throw unlike(`the weights of ${name} have ${bytes.length} bytes for the shape ${shapeText(shape)}`);
    return { data: floatsOf(bytes), shape };
  };
  const constant = (name: string): Float32Array => {
    const tensor = tensors.get(name);
    const values = tensor && !isExternal(tensor) ? tensorValues(tensor) : null;
    if (!values) throw unlike(`it has no constant named ${name}`);
    return values;
  };
  const linear = (prefix: string, hasBias = true): LinearLayer => {
    const { data: weight, shape } = shaped(`${prefix}.weight`);
    const [numOutputs = 0, numInputs = 0] = shape;
    return { weight, numInputs, numOutputs, bias: hasBias ? shaped(`${prefix}.bias`).data : new Float32Array(numOutputs) };
  };
  const norm = (prefix: string): NormLayer => ({
    scale: shaped(`${prefix}.weight`).data,
    shift: shaped(`${prefix}.bias`).data,
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
  const convolution = shaped('model.upsampler.conv.weight');
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
      bias: shaped('model.upsampler.conv.bias').data,
    },
    numTaps,
    dense: linear('classifier.dense'),
    classifier: linear('classifier.out_proj'),
    silence: shaped('silence_embeds').data.slice(),
    numHeads,
    headSize,
    scale: constant('attention.scale')[0]!,
    cos: constant('rotation.cos_table'),
    sin: constant('rotation.sin_table'),
  };
}

function floatsOf(bytes: Uint8Array): Float32Array {
  const { buffer, byteOffset } = isAligned(bytes) ? bytes : bytes.slice();
  return new Float32Array(buffer, byteOffset, bytes.length / 4);
}

const isAligned = ({ byteOffset }: Uint8Array): boolean => byteOffset % 4 === 0;

/** Layers of the same input as one, whose outputs are in their order. */
function joined(layers: readonly LinearLayer[]): LinearLayer {
  const concatenated = (arrays: readonly Float32Array[]): Float32Array => {
    const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
    let end = 0;
    for (const array of arrays) {
      all.set(array, end);
      end += array.length;
    }
    return all;
  };
  return {
    weight: concatenated(layers.map(({ weight }) => weight)),
    numInputs: layers[0]!.numInputs,
    numOutputs: layers.reduce((sum, { numOutputs }) => sum + numOutputs, 0),
    bias: concatenated(layers.map(({ bias }) => bias)),
  };
}

/** Changes axes (output, channel, tap) to (output, tap, channel). */
function tapsFirst(weight: Float32Array, numChannels: number, numTaps: number): Float32Array {
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

/** The error for a graph that the kernels do not support. */
export const unlike = (why: string): VoxlaneError =>
  new VoxlaneError({
    code: 'model-invalid',
    problem: `The WebGPU kernels do not support the diarization graph: ${why}`,
    expected: 'the graph of models/nemotron-3-diarization/export.py with float32 weights',
    remedy: 'Use the shipped graph and its weights',
  });
