/**
 * Splits a speaker embedding network at its statistics pooling. The part before runs once for all speakers of a window. The
 * part after is a matrix and two vectors, which need no runtime.
 */
import { VoxlaneError } from '../util/errors';
import { extract, sliceOf } from './cut';
import { graphOf } from './model';
import { producersOf, topologicalOrder } from './nodes';
import type { GraphProto, ModelProto, NodeProto, TensorProto } from './onnx_pb';
import { shapeOf, tensorValues } from './tensors';

/** The layers after the pooling: `weight · statistics + bias`, minus the mean vector. */
export interface PooledHead {
  /** Axes (dimension, statistic), row-major; the statistics are the means of all channels, then their deviations. */
  readonly weight: Float32Array;
  /** Axes (dimension). */
  readonly bias: Float32Array;
  /** Axes (dimension), subtracted from the embedding; null if the file has none. */
  readonly meanVector: Float32Array | null;
  readonly embeddingSize: number;
  /** Channels of the map, with all axes except batch and frame merged; half the number of statistics. */
  readonly numChannels: number;
}

/** A network in two parts. */
export interface PooledNetwork {
  /** From features (batch, frame, mel) to the map, axes (batch, channel …, frame): one input, one output. */
  readonly backbone: ModelProto;
  /** Names of the backbone's input and output. */
  readonly input: string;
  readonly map: string;
  readonly head: PooledHead;
  /** Values of the original graph: the statistics, and its output. */
  readonly statistics: string;
  readonly embedding: string;
  /** WeSpeaker's pooling adds a constant to the variance, pyannote.audio's does not. */
  readonly form: 'wespeaker' | 'pyannote';
}

const SOUGHT =
  'means and standard deviations of one map over its last axis, concatenated, then one linear layer, then at most the ' +
  'subtraction of a constant vector: WeSpeaker’s ResNet as published, or as exported by pyannote.audio';

/** Operators that keep the values and their row-major order. */
const SAME_VALUES = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Identity']);

/** Operators allowed in the pooling, besides constants and the computation of the number of frames. */
const STATISTICS = new Set(['ReduceMean', 'ReduceSum', 'Sub', 'Add', 'Mul', 'Div', 'Pow', 'Sqrt', 'Concat', ...SAME_VALUES]);
const COUNTING = new Set(['Constant', 'Shape', 'Size', 'Gather', 'ReduceProd', 'Cast', 'Slice']);

/**
 * Splits a network with statistics pooling. Only the structure is used, because files name their values differently.
 *
 * @throws VoxlaneError `model-invalid` that states the expected and the found structure
 */
export function splitAtPooling(model: ModelProto): PooledNetwork {
  const graph = new Values(graphOf(model));
  const { output, linear, meanVector } = findEnd(graph);
  const statistics = graph.original(linear.input);
  const { map, variance } = findStatistics(graph, statistics);
  checkPooling(model, map, statistics);
  const embeddingSize = linear.bias.length;
  const numChannels = linear.weight.length / embeddingSize / 2;
  if (!Number.isInteger(numChannels)) throw unlike('its last linear layer has an odd number of inputs');
  const { model: backbone, inputs } = extract(model, { inputs: [], outputs: [map] });
  const [input, ...others] = inputs;
  if (input === undefined || others.length > 0) throw unlike(`its map is computed from ${inputs.length} inputs, not one`);
  return {
    backbone,
    input,
    map,
    head: { weight: linear.weight, bias: linear.bias, meanVector, embeddingSize, numChannels },
    statistics,
    embedding: output,
    form: variance?.opType === 'Add' ? 'wespeaker' : 'pyannote',
  };
}

/** The map whose mean and deviation are concatenated in `statistics`, and the node that computes the variance. */
function findStatistics(graph: Values, statistics: string): { map: string; variance: NodeProto | undefined } {
  const concat = graph.producer(statistics);
  if (concat?.opType !== 'Concat' || concat.input.length !== 2) {
    throw unlike(`the input of its last linear layer is ${describe(concat)}, not two concatenated statistics`);
  }
  const [mean, deviation] = concat.input.map((name) => graph.producer(graph.original(name)));
  if (mean?.opType !== 'ReduceMean' || !reducesFrames(graph, mean)) {
    throw unlike(`its first statistic is ${describe(mean)}, not a mean over the last axis`);
  }
  if (deviation?.opType !== 'Sqrt') throw unlike(`its second statistic is ${describe(deviation)}, not a square root`);
  const map = graph.original(mean.input[0]!);
  if (!graph.producer(map)) throw unlike('its statistics belong to an input, not to a computed map');
  return { map, variance: graph.producer(deviation.input[0]!) };
}

/**
 * Values of a ResNet's layers, by pyannote.audio's names: `conv1`, then `layer1` and so on. `conv1` is the first
 * activation; a layer consists of all consecutive residual blocks with the same number of channels.
 *
 * @returns in the order of the layers
 * @throws VoxlaneError `model-invalid` if the graph is not such a ResNet
 */
export function resnetLayers({ backbone }: PooledNetwork): ReadonlyMap<string, string> {
  const graph = new Values(graphOf(backbone));
  const activations = topologicalOrder(graph.nodes).map((index) => graph.nodes[index]!).filter(({ opType }) => opType === 'Relu');
  // One block ends after each addition of a residual; its number of channels is that of the added convolution.
  const blocks = activations.flatMap((node) => {
    const sum = graph.producer(node.input[0]!);
    if (sum?.opType !== 'Add') return [];
    const convolution = sum.input.map((name) => graph.producer(name)).find((producer) => producer?.opType === 'Conv');
    const weight = graph.initializers.get(convolution?.input[1] ?? '');
    return [{ value: node.output[0]!, channels: weight ? shapeOf(weight)[0]! : 0 }];
  });
  const [first] = activations;
  if (!first || blocks.length === 0) throw unlike('it has no residual blocks');
  const lasts = blocks.filter(({ channels }, index) => blocks[index + 1]?.channels !== channels);
  return new Map([['conv1', first.output[0]!], ...lasts.map(({ value }, index) => [`layer${index + 1}`, value] as const)]);
}

/** The values of a graph: the node that computes each, or the constant. */
class Values {
  readonly nodes: readonly NodeProto[];
  readonly initializers: ReadonlyMap<string, TensorProto>;
  readonly outputs: readonly string[];
  private readonly producers: ReadonlyMap<string, number>;

  constructor(graph: GraphProto) {
    this.nodes = graph.node;
    this.initializers = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
    this.outputs = graph.output.map(({ name }) => name);
    this.producers = producersOf(graph.node);
  }

  producer(value: string): NodeProto | undefined {
    const index = this.producers.get(value);
    return index === undefined ? undefined : this.nodes[index];
  }

  /** The value that `value` is a reshaped form of. */
  original(value: string): string {
    const node = this.producer(value);
    return node && SAME_VALUES.has(node.opType) ? this.original(node.input[0]!) : value;
  }

  /** Values of a constant; null for other values and non-numeric constants. */
  constant(value: string): Float32Array | null {
    const tensor = this.tensor(value);
    return tensor ? tensorValues(tensor) : null;
  }

  /** Size of each axis of a constant. */
  shapeOf(value: string): number[] | undefined {
    const tensor = this.tensor(value);
    return tensor && shapeOf(tensor);
  }

  private tensor(value: string): TensorProto | undefined {
    const name = this.original(value);
    const node = this.producer(name);
    return this.initializers.get(name) ?? (node?.opType === 'Constant' ? node.attribute.find(({ t }) => t)?.t : undefined);
  }
}

/** `weight · x + bias` of a graph. */
interface Linear {
  /** Input value. */
  readonly input: string;
  /** Axes (output, input). */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

interface End {
  readonly output: string;
  readonly linear: Linear;
  readonly meanVector: Float32Array | null;
}

/** Walks back from the graph's output to its last linear layer. */
function findEnd(graph: Values): End {
  const [output, ...others] = graph.outputs;
  if (output === undefined || others.length > 0) throw unlike(`it has ${graph.outputs.length} outputs, not one`);
  const last = graph.producer(graph.original(output));
  if (last?.opType !== 'Sub') return { output, linear: readLinear(graph, last), meanVector: null };
  const meanVector = graph.constant(last.input[1]!);
  if (!meanVector) throw unlike('at its end, it subtracts a value that is not a constant');
  const linear = readLinear(graph, graph.producer(graph.original(last.input[0]!)));
  if (meanVector.length !== linear.bias.length) {
    throw unlike(`at its end, it subtracts ${meanVector.length} values from ${linear.bias.length}`);
  }
  return { output, linear, meanVector };
}

/** Reads the linear layer at `node`, which may be the addition of its bias. */
function readLinear(graph: Values, node: NodeProto | undefined): Linear {
  const added = node?.opType === 'Add' ? node.input.find((name) => graph.producer(name)?.opType === 'MatMul') : undefined;
  const product = added === undefined ? node : graph.producer(added);
  if (!product || !['Gemm', 'MatMul'].includes(product.opType)) {
    throw unlike(`it ends in ${describe(node)}, not in a linear layer`);
  }
  const [input = '', weightName = ''] = product.input;
  const shape = graph.shapeOf(weightName);
  const values = graph.constant(weightName);
  if (!values || shape?.length !== 2) throw unlike('the matrix of its last linear layer is not a constant');
  const attribute = (name: string) => product.attribute.find((candidate) => candidate.name === name);
  if ([attribute('alpha'), attribute('beta')].some((factor) => factor && factor.f !== 1) || attribute('transA')?.i) {
    throw unlike('its last linear layer scales or transposes its input');
  }
  const transposed = attribute('transB')?.i === 1n;
  const [rows, columns] = shape as [number, number];
  const weight = transposed ? values : transpose(values, rows, columns);
  const numOutputs = transposed ? rows : columns;
  const biasName = added === undefined ? product.input[2] : node!.input.find((name) => name !== added);
  const bias = biasName ? graph.constant(biasName) : new Float32Array(numOutputs);
  if (bias?.length !== numOutputs) throw unlike('the bias of its last linear layer is not a constant vector');
  return { input, weight, bias };
}

/** Converts axes (row, column) to (column, row). */
function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(values, (_, index) => values[(index % rows) * columns + Math.floor(index / rows)]!);
}

/** Checks that the pooling depends on the map alone and uses only the operators of means and deviations. */
function checkPooling(model: ModelProto, map: string, statistics: string): void {
  const graph = graphOf(model);
  const { nodes, inputs } = sliceOf(model, { inputs: [map], outputs: [statistics] });
  const other = inputs.find((name) => name !== map);
  if (other !== undefined) throw unlike(`its statistics also depend on ${other}, not on one map alone`);
  const strange = nodes.map((index) => graph.node[index]!).find(({ opType }) => !STATISTICS.has(opType) && !COUNTING.has(opType));
  if (strange) throw unlike(`its statistics are computed with ${describe(strange)}, among others`);
}

/** True if a reduction is over the last axis, as far as the file shows, for maps with 3 or 4 axes. */
function reducesFrames(graph: Values, node: NodeProto): boolean {
  // Older opsets store the axes in an attribute, newer ones in an input.
  const attribute = node.attribute.find(({ name }) => name === 'axes')?.ints.map(Number);
  const [axis = NaN, ...others] = attribute ?? graph.constant(node.input[1] ?? '') ?? [];
  return others.length === 0 && [-1, 2, 3].includes(axis);
}

const describe = (node: NodeProto | undefined): string => (node ? `the operator ${node.opType}` : 'no value of a node');

function unlike(found: string): VoxlaneError {
  return new VoxlaneError({
    code: 'model-invalid',
    problem: `The graph has no supported statistics pooling: ${found}`,
    expected: SOUGHT,
    remedy: 'Take one of the files that the manifest of wespeaker-resnet34-lm lists under `sources`',
  });
}
