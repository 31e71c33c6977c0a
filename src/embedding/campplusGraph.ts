import type { ModelProto } from '../onnx/model';
import { badGraph } from '../onnx/nodes';
import { type Convolution, type Normalization, Values, type WeightTensor } from '../onnx/values';
import { readResidualBlocks, type ResidualBlock } from './residualGraph';

/** Creates the error for a graph with another structure. */
export const unlike = (problem: string): Error =>
  badGraph(`The graph is not the CAM++ that the kernels compute: ${problem}`, 'CAM++ as its export.py writes it');

/**
 * Reads CAM++ as a list of layers from its graph. This code contains only the structure. The file determines the
 * numbers of layers, channels and taps, strides, dilations and the segment length.
 */

/** A layer of a dense block. Its output channels follow its input channels. */
export interface DenseLayer {
  readonly normalization: Normalization;
  readonly bottleneck: Convolution;
  /** From the bottleneck's context to the gates: ReLU between the convolutions, sigmoid after them. */
  readonly context: readonly [Convolution, Convolution];
  /** From the bottleneck to the output, which is multiplied by the gates. */
  readonly local: Convolution;
}

/** Layers, followed by normalization, ReLU and a convolution with one tap. */
interface DenseBlock {
  /** In order of computation. */
  readonly layers: readonly DenseLayer[];
  readonly normalization: Normalization;
  readonly transit: Convolution;
  /** Whether a ReLU follows the transit. */
  readonly transitRelu: boolean;
}

export interface CampplusGraph {
  readonly stem: Convolution;
  readonly residualBlocks: readonly ResidualBlock[];
  readonly headEnd: Convolution;
  readonly tdnn: Convolution;
  /** Number of consecutive frames in the dense blocks that share their gates. */
  readonly segmentFrames: number;
  readonly blocks: readonly DenseBlock[];
  /** From the statistics to the embedding: weight with axes (dimension, statistic), bias with axes (dimension). */
  readonly embedding: { readonly weight: WeightTensor; readonly bias: Float32Array; readonly relu: boolean };
  /** Names of the graph's values at the end of each stage. */
  readonly values: { readonly head: string; readonly tdnn: string; readonly blocks: readonly string[]; readonly pooling: string };
}

/**
 * Reads the layers of CAM++.
 *
 * @param names of the graph's input and output
 * @throws VoxlaneError `model-invalid` with the first difference
 */
export function readCampplus(model: ModelProto, names: { input: string; output: string }): CampplusGraph {
  const values = new Values(model, unlike);
  const { embedding, pooling, map, count } = readEnd(values, names.output);
  const { segments, blocks, blockValues, first } = readBlocks(values, map);
  const { input: head, convolution: tdnn } = values.convolution(values.inputOf(first, 'Relu'));
  const segmentFrames = readSegments(values, segments, first);
  checkPooling(values, { pooling, map, count, first, segmentFrames });
  return {
    ...readHead(values, head, names.input),
    tdnn,
    segmentFrames,
    blocks,
    embedding,
    values: { head, tdnn: first, blocks: blockValues, pooling },
  };
}

/** Reads from the output back to the map before the statistics pooling. */
function readEnd(
  values: Values,
  output: string,
): Pick<CampplusGraph, 'embedding'> & { pooling: string; map: string; count: string } {
  const relu = values.producer(output)?.opType === 'Relu';
  const linear = relu ? values.inputOf(output, 'Relu') : output;
  const [pooling, weight, bias] = values.inputsOf(linear, 'Gemm', 3);
  const { alpha, beta, transB, transA } = values.attributes(linear);
  if (alpha !== '1' || beta !== '1' || transB !== '1' || (transA ?? '0') !== '0') throw unlike(`${linear} is not a linear layer`);
  const [mean, deviation] = values.inputsOf(pooling!, 'Concat', 2);
  const map = values.inputOf(values.inputsOf(mean!, 'Squeeze', 2)[0]!, 'ReduceMean');
  const [, freedom] = values.inputsOf(values.inputOf(deviation!, 'Sqrt'), 'Div', 2);
  const [count] = values.inputsOf(freedom!, 'Sub', 2);
  return {
    embedding: { weight: values.tensor(weight!), bias: values.tensor(bias!).data, relu },
    pooling: pooling!,
    map,
    count: count!,
  };
}

/** Expected formula in the graph for the segment number of each frame; `x` is the blocks' first input. */
const segmentOf = (frames: number): string =>
  `Floor(Div(Range(0, Cast[to=1](Gather[axis=0](Shape(x), 2)), 1), ${frames}))`;

/** 1 if a frame is in a segment, axes (frame, segment). */
const membership = (frames: number): string =>
  `Cast[to=1](Equal(Unsqueeze(${segmentOf(frames)}, 1), Unsqueeze(Slice(${segmentOf(frames)}, 0, ${2 ** 63}, 0, ${frames}), 0)))`;

const segmentSizes = (frames: number): string => `ReduceSum[keepdims=1](${membership(frames)}, 0)`;

const frameCount = (frames: number): string => `ReduceSum[keepdims=0](${segmentSizes(frames)})`;

/**
 * Checks that the context is the mean over the segment plus the mean over all frames, and returns the segment length.
 */
function readSegments(values: Values, { weights, index }: Segments, first: string): number {
  const floor = values.inputOf(values.inputOf(index, 'Cast'), 'Floor');
  const { data } = values.tensor(values.inputsOf(floor, 'Div', 2)[1]!);
  const frames = data[0]!;
  const named = new Map([[first, 'x']]);
  values.expectFormula(index, named, `Cast[to=7](${segmentOf(frames)})`);
  const own = `Div(${membership(frames)}, ${segmentSizes(frames)})`;
  values.expectFormula(weights, named, `Add(${own}, Reciprocal(${frameCount(frames)}))`);
  return frames;
}

/** Checks for mean and unbiased standard deviation over the frames. */
function checkPooling(
  values: Values,
  { pooling, map, count, first, segmentFrames }: { pooling: string; map: string; count: string; first: string; segmentFrames: number },
): void {
  values.expectFormula(count, new Map([[first, 'x']]), frameCount(segmentFrames));
  const mean = 'ReduceMean[axes=[-1],keepdims=1](x)';
  const deviation = `Sub(x, ${mean})`;
  const variance = `Div(ReduceSum[keepdims=0](Mul(${deviation}, ${deviation}), -1), Sub(n, 1))`;
  const named = new Map([
    [map, 'x'],
    [count, 'n'],
  ]);
  values.expectFormula(pooling, named, `Concat[axis=-1](Squeeze(${mean}, 2), Sqrt(${variance}))`);
}

/** Values shared by all layers: the context's weights, and the segment number of each frame. */
interface Segments {
  readonly weights: string;
  readonly index: string;
}

/** Reads from the map back to the first block's input. */
function readBlocks(
  values: Values,
  map: string,
): { segments: Segments; blocks: DenseBlock[]; blockValues: string[]; first: string } {
  const blocks: DenseBlock[] = [];
  const blockValues: string[] = [];
  let segments: Segments | null = null;
  let [end, transitRelu] = [values.inputOf(map, 'Relu'), true];
  for (;;) {
    const { input, convolution: transit } = values.convolution(end);
    const { input: value, normalization } = values.normalization(values.inputOf(input, 'Relu'));
    const layers: DenseLayer[] = [];
    let start = value;
    while (values.producer(start)?.opType === 'Concat') {
      const [before, added] = values.inputsOf(start, 'Concat', 2);
      if (values.attributes(start).axis !== '1') throw unlike(`${start} does not concatenate channels`);
      const read = readLayer(values, before!, added!);
      segments ??= read.segments;
      if (read.segments.weights !== segments.weights || read.segments.index !== segments.index) {
        throw unlike(`${added!} has different segments`);
      }
      layers.unshift(read.layer);
      start = before!;
    }
    blocks.unshift({ layers, normalization, transit, transitRelu });
    blockValues.unshift(value);
    if (values.producer(start)?.opType === 'Conv') {
      [end, transitRelu] = [start, false];
    } else if (segments) {
      return { segments, blocks, blockValues, first: start };
    } else {
      throw unlike(`${value} is not the end of a dense block`);
    }
  }
}

function readLayer(values: Values, before: string, added: string): { layer: DenseLayer; segments: Segments } {
  const [localValue, gates] = values.inputsOf(added, 'Mul', 2);
  const { input: hidden, convolution: local } = values.convolution(localValue!);
  const [perSegment, index] = values.inputsOf(gates!, 'Gather', 2);
  if (values.attributes(gates!).axis !== '-1') throw unlike(`${gates!} does not select segments`);
  const { input: activated, convolution: second } = values.convolution(values.inputOf(perSegment!, 'Sigmoid'));
  const { input: context, convolution: first } = values.convolution(values.inputOf(activated, 'Relu'));
  const [contextOf, weights] = values.inputsOf(context, 'MatMul', 2);
  const { input, convolution: bottleneck } = values.convolution(values.inputOf(hidden, 'Relu'));
  const { input: normalized, normalization } = values.normalization(values.inputOf(input, 'Relu'));
  if (contextOf !== hidden || normalized !== before) throw unlike(`${added} is not computed from ${before} only`);
  return {
    layer: { normalization, bottleneck, context: [first, second], local },
    segments: { weights: weights!, index: index! },
  };
}

/** Reads from the value `head` back to the graph's input. */
function readHead(
  values: Values,
  head: string,
  input: string,
): Pick<CampplusGraph, 'stem' | 'residualBlocks' | 'headEnd'> {
  const [map] = values.inputsOf(head, 'Reshape', 2);
  const size = (axis: number): string => `Gather[axis=0](Shape(x), ${axis})`;
  const channels = `Unsqueeze(Mul(${size(1)}, ${size(2)}), 0)`;
  const shape = `Concat[axis=0](Unsqueeze(${size(0)}, 0), ${channels}, Unsqueeze(${size(3)}, 0))`;
  values.expectFormula(head, new Map([[map!, 'x']]), `Reshape[allowzero=0](x, ${shape})`);
  const { input: blocksEnd, convolution: headEnd } = values.convolution(values.inputOf(map!, 'Relu'));
  const { stem, residualBlocks } = readResidualBlocks(values, blocksEnd, input, unlike);
  return { stem, residualBlocks, headEnd };
}
