/**
 * Reads segmentation-3.0 (PyanNet) as a list of layers from its graph. This code contains only the structure. The
 * file determines the numbers of layers, channels and taps, strides, slopes and epsilons.
 */
import { Values, type Convolution, type WeightTensor } from '../onnx/values';
import type { ModelProto } from '../onnx/model';
import { badGraph } from '../onnx/nodes';

/**
 * Subtracts the first frame, then computes scale · (x - mean) / √(variance + epsilon) + shift for each window and
 * channel.
 */
export interface InstanceNorm {
  /** Axes (channel), like `shift`. */
  readonly scale: Float32Array;
  readonly shift: Float32Array;
  readonly epsilon: number;
}

/** Convolution over the frames, absolute value, maximum pooling, instance norm, leaky ReLU. */
export interface FilterLayer {
  readonly convolution: Convolution;
  readonly magnitude: boolean;
  readonly poolSize: number;
  readonly norm: InstanceNorm;
  readonly slope: number;
}

/** Both directions of a recurrent layer, forward first; gates in ONNX's order i, o, f, c. */
export interface LstmLayer {
  /** Axes (direction, 4 · unit, input). */
  readonly input: WeightTensor;
  /** Axes (direction, 4 · unit, unit). */
  readonly recurrent: WeightTensor;
  /** Axes (direction, 8 · unit): the biases of the input, then those of the recurrence. */
  readonly bias: WeightTensor;
}

/** x · weight + bias. */
export interface Linear {
  /** Axes (input, output). */
  readonly weight: WeightTensor;
  /** Axes (output). */
  readonly bias: Float32Array;
}

export interface PyannetGraph {
  readonly waveNorm: InstanceNorm;
  readonly filters: readonly FilterLayer[];
  readonly lstms: readonly LstmLayer[];
  /** Each with the slope of the following leaky ReLU. */
  readonly linears: readonly (Linear & { readonly slope: number })[];
  /** Followed by log-softmax. */
  readonly classifier: Linear;
  /** Names of the graph's values at the end of each stage. */
  readonly values: { readonly filters: string; readonly lstm: string; readonly linears: readonly string[] };
}

/**
 * Reads the layers of segmentation-3.0.
 *
 * @param names of the graph's input and output
 * @throws VoxlaneError `model-invalid` with the first difference
 */
export function readPyannet(model: ModelProto, names: { input: string; output: string }): PyannetGraph {
  const values = new Values(model, unlike);
  const logits = values.inputsOf(values.inputsOf(names.output, 'Sub', 2)[0]!, 'Sub', 2)[0]!;
  const shifted = 'Sub(x, ReduceMax[axes=[-1],keepdims=1](x))';
  values.expectFormula(names.output, named(logits), `Sub(${shifted}, Log(ReduceSum[keepdims=1](Exp(${shifted}), -1)))`);
  const { input, linear: classifier } = readLinear(values, logits);

  const linears: PyannetGraph['linears'][number][] = [];
  const linearValues: string[] = [];
  let value = input;
  while (values.producer(value)?.opType === 'LeakyRelu') {
    const { input: before, linear } = readLinear(values, values.inputOf(value, 'LeakyRelu'));
    linears.unshift({ ...linear, slope: slopeOf(values, value) });
    linearValues.unshift(value);
    value = before;
  }
  const { input: filtersValue, lstms } = readLstms(values, value);
  return {
    ...readFilters(values, filtersValue, names.input),
    lstms,
    linears,
    classifier,
    values: { filters: filtersValue, lstm: value, linears: linearValues },
  };
}

function readLinear(values: Values, value: string): { input: string; linear: Linear } {
  const [bias, product] = values.inputsOf(value, 'Add', 2);
  const [input, weight] = values.inputsOf(product!, 'MatMul', 2);
  return { input: input!, linear: { weight: values.tensor(weight!), bias: values.tensor(bias!).data } };
}

/**
 * Reads from the value `end`, axes (batch, frame, channel), back to the first layer's input, axes (batch, channel,
 * frame).
 */
function readLstms(values: Values, end: string): { input: string; lstms: LstmLayer[] } {
  const lstms: LstmLayer[] = [];
  let value = values.inputOf(end, 'Transpose');
  values.expectFormula(end, named(value), 'Transpose[perm=[1, 0, 2]](x)');
  while (values.producer(value)?.opType === 'Reshape') {
    const states = values.inputOf(values.inputsOf(value, 'Reshape', 2)[0]!, 'Transpose');
    values.expectFormula(value, named(states), 'Reshape[allowzero=0](Transpose[perm=[0, 2, 1, 3]](x), 0 0 -1)');
    const [before, input, recurrent, bias, lengths] = values.inputsOf(states, 'LSTM', 5);
    const layer = { input: values.tensor(input!), recurrent: values.tensor(recurrent!), bias: values.tensor(bias!) };
    const { direction, hidden_size: units, ...others } = values.attributes(states);
    const plain = direction === 'bidirectional' && Object.keys(others).length === 0 && lengths === '';
    if (!plain || values.producer(states)?.output[0] !== states || layer.recurrent.shape[2] !== Number(units)) {
      throw unlike(`${states} is not a plain bidirectional LSTM`);
    }
    lstms.unshift(layer);
    value = before!;
  }
  const input = values.inputOf(value, 'Transpose');
  values.expectFormula(value, named(input), 'Transpose[perm=[2, 0, 1]](x)');
  return { input, lstms };
}

/** Reads from the value `end` back to the graph's input. */
function readFilters(values: Values, end: string, input: string): Pick<PyannetGraph, 'waveNorm' | 'filters'> {
  const filters: FilterLayer[] = [];
  let value = end;
  while (values.producer(value)?.opType === 'LeakyRelu') {
    const { input: pooled, norm } = readNorm(values, values.inputOf(value, 'LeakyRelu'));
    const activated = values.inputOf(pooled, 'MaxPool');
    const magnitude = values.producer(activated)?.opType === 'Abs';
    const { input: before, convolution } = values.convolution(magnitude ? values.inputOf(activated, 'Abs') : activated);
    const { taps, pads, dilations } = convolution;
    if (`${taps.length} ${pads.join()} ${dilations.join()}` !== '1 0 1') throw unlike('a convolution has padding or gaps');
    const poolSize = poolSizeOf(values, pooled);
    filters.unshift({ convolution, magnitude, poolSize, norm, slope: slopeOf(values, value) });
    value = before;
  }
  const { input: wave, norm: waveNorm } = readNorm(values, value);
  if (wave !== input || filters.length === 0) throw unlike(`${end} does not come from ${input}`);
  return { waveNorm, filters };
}

/** Returns the normalized value, before its first frame is subtracted. */
function readNorm(values: Values, value: string): { input: string; norm: InstanceNorm } {
  const [shifted, scale, shift] = values.inputsOf(value, 'InstanceNormalization', 3);
  const [input] = values.inputsOf(shifted!, 'Sub', 2);
  values.expectFormula(shifted!, named(input!), 'Sub(x, Slice(x, 0, 1, 2, 1))');
  const epsilon = Number(values.attributes(value).epsilon ?? 1e-5);
  return { input: input!, norm: { scale: values.tensor(scale!).data, shift: values.tensor(shift!).data, epsilon } };
}

function poolSizeOf(values: Values, value: string): number {
  const { kernel_shape: size = '', strides, pads, dilations, ceil_mode: rounding, ...others } = values.attributes(value);
  const [number] = JSON.parse(size) as [number];
  const plain = size === `[${number}]` && strides === size && pads === '[0, 0]' && dilations === '[1]' && rounding === '0';
  if (!plain || Object.keys(others).length > 0) throw unlike(`${value} is not a maximum over adjacent frames`);
  return number;
}

function slopeOf(values: Values, value: string): number {
  const slope = Number(values.attributes(value).alpha ?? 0.01);
  if (slope >= 0 && slope <= 1) return slope;
  throw unlike(`${value} has the slope ${slope}`);
}

const named = (value: string): ReadonlyMap<string, string> => new Map([[value, 'x']]);

/** Creates the error for a graph with another structure. */
export const unlike = (problem: string): Error =>
  badGraph(`The graph is not the segmentation-3.0 that the kernels compute: ${problem}`, 'segmentation-3.0 as its export.py writes it');
