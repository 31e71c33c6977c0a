import { attributeTexts } from './types';
import { graphOf, type ModelProto } from './model';
import { producersOf } from './nodes';
import type { GraphProto, NodeProto, TensorProto } from './onnx_pb';
import { shapeOf, tensorValues } from './tensors';

/** A weight tensor. */
export interface WeightTensor {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** A convolution over one axis or two: (frame), or (frequency, frame). Padding is the same on both sides. */
export interface Convolution {
  /** Axes (output channel, input channel, tap …). */
  readonly weight: Float32Array;
  readonly numOut: number;
  readonly numIn: number;
  /** Axes (output channel); zeros if the file has none. */
  readonly bias: Float32Array;
  /** One per axis, like the next three fields. */
  readonly taps: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
}

/** Batch normalization at run time: scale · x + shift, each with the axis (channel). */
export interface Normalization {
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

/** Reads a graph from its output to its input. Each method takes a value and describes the node that outputs it. */
export class Values {
  readonly graph: GraphProto;
  private readonly producers: Map<string, number>;
  private readonly weights: Map<string, TensorProto>;

  /** @param makeError creates the error for a graph with an unexpected structure */
  constructor(
    model: ModelProto,
    private readonly makeError: (problem: string) => Error,
  ) {
    this.graph = graphOf(model);
    this.producers = producersOf(this.graph.node);
    this.weights = new Map(this.graph.initializer.map((tensor) => [tensor.name, tensor]));
  }

  /** The node that outputs `value`; undefined for an input or a weight. */
  producer(value: string): NodeProto | undefined {
    return this.graph.node[this.producers.get(value) ?? -1];
  }

  /**
   * The inputs of the node that outputs `value`, which must be an `op` with `numInputs` inputs.
   *
   * @throws VoxlaneError `model-invalid`, like the methods below
   */
  inputsOf(value: string, op: string, numInputs: number): string[] {
    const node = this.producer(value);
    if (node?.opType === op && node.input.length === numInputs) return node.input;
    throw this.makeError(`${value} comes from ${node ? `${node.opType} of ${node.input.length}` : 'no node'}, not ${op} of ${numInputs}`);
  }

  /** The only input of the node that outputs `value`. */
  inputOf(value: string, op: string): string {
    return this.inputsOf(value, op, 1)[0]!;
  }

  attributes(value: string): Record<string, string> {
    const node = this.producer(value);
    return node ? attributeTexts(node) : {};
  }

  /** A weight, or the value of a Constant node. */
  tensor(name: string): WeightTensor {
    const held = this.weights.get(name) ?? this.producer(name)?.attribute.find(({ t }) => t)?.t;
    const data = held && tensorValues(held);
    if (!data) throw this.makeError(`${name} is not a numeric tensor in the file`);
    return { data, shape: shapeOf(held) };
  }

  /** The input and the weights of the convolution that outputs `value`. */
  convolution(value: string): { input: string; convolution: Convolution } {
    const withBias = this.producer(value)?.input.length === 3;
    const [input, weightName, biasName] = this.inputsOf(value, 'Conv', withBias ? 3 : 2);
    const { data: weight, shape } = this.tensor(weightName!);
    const [numOut, numIn, ...taps] = shape as [number, number, ...number[]];
    const texts = this.attributes(value);
    const list = (name: string): number[] => JSON.parse(texts[name] ?? '[]') as number[];
    const [strides, dilations, bothPads] = [list('strides'), list('dilations'), list('pads')];
    const pads = bothPads.slice(0, taps.length);
    const complete = [strides, dilations, pads].every(({ length }) => length === taps.length);
    const uniform = complete && bothPads.join() === [...pads, ...pads].join();
    if (texts.group !== '1' || (texts.auto_pad ?? 'NOTSET') !== 'NOTSET' || !uniform) {
      throw this.makeError(`the convolution ${value} has groups, or not one stride, dilation and padding for each axis`);
    }
    const bias = withBias ? this.tensor(biasName!).data : new Float32Array(numOut);
    return { input: input!, convolution: { weight, numOut, numIn, bias, taps, strides, dilations, pads } };
  }

  /** The input and the weights of the batch normalization that outputs `value`. */
  normalization(value: string): { input: string; normalization: Normalization } {
    const [input, ...names] = this.inputsOf(value, 'BatchNormalization', 5);
    const [gamma, beta, mean, variance] = names.map((name) => this.tensor(name).data);
    const epsilon = Number(this.attributes(value).epsilon ?? 1e-5);
    const scale = gamma!.map((factor, channel) => factor / Math.sqrt(variance![channel]! + epsilon));
    const shift = beta!.map((offset, channel) => offset - mean![channel]! * (gamma![channel]! / Math.sqrt(variance![channel]! + epsilon)));
    return { input: input!, normalization: { scale, shift } };
  }

  /**
   * Formats the computation of `value` as text: `Add(Shape(x), 2)`, with attributes in brackets after the operator.
   *
   * @param names names of the values at which the text stops
   */
  formula(value: string, names: ReadonlyMap<string, string>): string {
    const name = names.get(value);
    if (name !== undefined) return name;
    const node = this.producer(value);
    if (!node || node.opType === 'Constant') return this.tensor(value).data.join(' ');
    const attributes = Object.entries(attributeTexts(node)).map(([key, text]) => `${key}=${text}`);
    const inputs = node.input.map((input) => this.formula(input, names));
    return `${node.opType}${attributes.length > 0 ? `[${attributes.join()}]` : ''}(${inputs.join(', ')})`;
  }

  /** Checks that `value` is computed as in `expected`. */
  expectFormula(value: string, names: ReadonlyMap<string, string>, expected: string): void {
    const found = this.formula(value, names);
    if (found !== expected) throw this.makeError(`${value} is ${found}, not ${expected}`);
  }
}
