/** Faults in weights and attributes of the models that models/package_models.py extracts from packages. */
import { copyWith } from '../../src/onnx/nodes';
import { graphOf } from '../../src/onnx/model';
import type { NodeProto, ModelProto } from '../../src/onnx/onnx_pb';
import { shapeOf, tensorValues } from '../../src/onnx/tensors';
import { replaceWeights } from '../../src/onnx/weights';
import type { CauseId } from '../../src/compare/report';

export interface Fault {
  readonly title: string;
  /** Name of the model. */
  readonly name: string;
  /** End of the name of the faulty stage. */
  readonly stage: string;
  /** Acceptable causes. */
  readonly causes: readonly CauseId[];
  readonly change: (model: ModelProto) => ModelProto;
}

type Change = (values: Float32Array, shape: readonly number[]) => Float32Array;

/** Changes the float32 weight whose name ends in `end`. */
function weight(end: string, change: Change): Fault['change'] {
  return (model) => {
    const tensor = graphOf(model).initializer.find(({ name }) => name.endsWith(end));
    const values = tensor && tensorValues(tensor);
    if (!values) throw new Error(`no float32 weight ends in ${end}`);
    return replaceWeights(model, new Map([[tensor.name, change(values, shapeOf(tensor))]]));
  };
}

/** Changes the node that computes the value whose name ends in `end`. */
function node(end: string, change: (node: NodeProto) => Partial<NodeProto>): Fault['change'] {
  return (model) => {
    const graph = graphOf(model);
    if (!graph.node.some(({ output }) => output[0]?.endsWith(end))) throw new Error(`no value ends in ${end}`);
    const nodes = graph.node.map((each) => (each.output[0]?.endsWith(end) ? copyWith(each, change(each)) : each));
    return copyWith(model, { graph: copyWith(graph, { node: nodes }) });
  };
}

const ints =
  (name: string, values: readonly number[]) =>
  ({ attribute }: NodeProto): Partial<NodeProto> => ({
    attribute: attribute.map((each) => (each.name === name ? copyWith(each, { ints: values.map(BigInt) }) : each)),
  });
const text =
  (name: string, value: string) =>
  ({ attribute }: NodeProto): Partial<NodeProto> => ({
    attribute: attribute.map((each) => (each.name === name ? copyWith(each, { s: new TextEncoder().encode(value) }) : each)),
  });

const scale =
  (factor: number): Change =>
  (values) =>
    values.map((value) => factor * value);
const zero: Change = (values) => new Float32Array(values.length);
const set =
  (value: number): Change =>
  (values) =>
    values.map(() => value);
/** Reverses one axis. */
const reverse =
  (axis: number): Change =>
  (values, shape) => {
    const size = shape[axis]!;
    const inner = shape.slice(axis + 1).reduce((product, each) => product * each, 1);
    return values.map((_, index) => {
      const place = Math.floor(index / inner) % size;
      return values[index + (size - 1 - 2 * place) * inner]!;
    });
  };
/** Multiplies one index of the first axis. */
const scaleOne =
  (place: number, factor: number): Change =>
  (values, shape) => {
    const inner = values.length / shape[0]!;
    return values.map((value, index) => (Math.floor(index / inner) === place ? factor * value : value));
  };

export const FAULTS: readonly Fault[] = [
  { name: 'silero_vad', title: 'kernels of a convolution flipped', stage: 'encoder/0/reparam_conv/Conv_output_0', causes: ['conv-kernel'], change: weight('encoder.0.reparam_conv.weight', reverse(2)) },
  { name: 'silero_vad', title: 'input channels of a convolution reversed', stage: 'encoder/2/reparam_conv/Conv_output_0', causes: ['conv-kernel', 'channel-order'], change: weight('encoder.2.reparam_conv.weight', reverse(1)) },
  { name: 'silero_vad', title: 'bias of a convolution zero', stage: 'encoder/1/reparam_conv/Conv_output_0', causes: ['missing-bias', 'zero-weights'], change: weight('encoder.1.reparam_conv.bias', zero) },
  { name: 'silero_vad', title: 'one output channel scaled', stage: 'encoder/2/reparam_conv/Conv_output_0', causes: ['channel-scale', 'scaled'], change: weight('encoder.2.reparam_conv.weight', scaleOne(5, 3)) },
  { name: 'silero_vad', title: 'padding of a convolution on one side', stage: 'encoder/0/reparam_conv/Conv_output_0', causes: ['padding', 'shifted-frames'], change: node('encoder/0/reparam_conv/Conv_output_0', ints('pads', [2, 0])) },
  { name: 'silero_vad', title: 'edge padding instead of reflection', stage: 'stft/padding/Pad_output_0', causes: ['padding'], change: node('stft/padding/Pad_output_0', text('mode', 'edge')) },
  { name: 'silero_vad', title: 'Sigmoid instead of Relu', stage: 'encoder/1/activation/Relu_output_0', causes: ['activation'], change: node('encoder/1/activation/Relu_output_0', () => ({ opType: 'Sigmoid' })) },
  { name: 'silero_vad', title: 'Tanh instead of Sigmoid', stage: 'decoder/decoder/3/Sigmoid_output_0', causes: ['activation'], change: node('decoder/decoder/3/Sigmoid_output_0', () => ({ opType: 'Tanh' })) },
  { name: 'magika', title: 'weight of a dense layer doubled', stage: 'Dense_0/einsum/Einsum:0', causes: ['scaled'], change: weight('get_logits_/Const:0', scale(2)) },
  { name: 'magika', title: 'bias of a dense layer zero', stage: 'Dense_0/AddV2:0', causes: ['missing-bias', 'zero-weights'], change: weight('Dense_0/Reshape:0', zero) },
  { name: 'magika', title: 'epsilon of LayerNorm 0.01 instead of 1e-6', stage: 'LayerNorm_0/AddV2:0', causes: ['epsilon', 'offset'], change: weight('Const_21:0', set(0.01)) },
  { name: 'magika', title: 'kernels of a convolution flipped', stage: 'Conv_0/Conv2D:0', causes: ['conv-kernel'], change: weight('Conv_0/transpose_3:0', reverse(2)) },
  { name: 'magika', title: 'output channels of a dense layer reversed', stage: 'Dense_1/MatMul:0', causes: ['channel-order'], change: weight('Const_24:0', reverse(1)) },
  { name: 'magika', title: 'weights of a dense layer zero', stage: 'Dense_1/MatMul:0', causes: ['zero-weights', 'all-zeros'], change: weight('Const_24:0', zero) },
  { name: 'magika', title: 'scale of LayerNorm doubled', stage: 'LayerNorm_1/Mul:0', causes: ['scaled'], change: weight('LayerNorm_1/Reshape_2:0', scale(2)) },
  { name: 'onnx_asr_gigaam_v3', title: 'mel bands reversed', stage: 'mel_spectrogram', causes: ['channel-order'], change: weight('melscale_fbanks_v3_2_cast', reverse(1)) },
  { name: 'onnx_asr_gigaam_v3', title: 'axes not transposed', stage: 'features', causes: ['permuted-axes'], change: node('features', ints('perm', [0, 1, 2])) },
  { name: 'onnx_asr_nemo80', title: 'window function half as high', stage: 'image', causes: ['scaled'], change: weight('hann_window', scale(0.5)) },
  { name: 'onnx_asr_nemo80', title: 'guard of the logarithm 1', stage: 'tmp_22', causes: ['offset', 'epsilon'], change: weight('log_zero_guard_value_cast', set(1)) },
  { name: 'onnx_asr_whisper80', title: 'natural logarithm instead of base 10', stage: 'log_mel_spectrogram', causes: ['log-base', 'scaled'], change: weight('ln10_cast', set(1)) },
  { name: 'onnx_asr_kaldi', title: 'another window function', stage: 'image', causes: ['fbank-window'], change: weight('povey_window', (values) => values.map((_, index) => (index < 400 ? 0.54 - 0.46 * Math.cos((2 * Math.PI * index) / 399) : 0))) },
];
