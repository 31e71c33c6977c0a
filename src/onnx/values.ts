import { attributeTexts } from './types';
import { graphOf, type ModelProto } from './model';
import { producersOf } from './nodes';
import type { GraphProto, NodeProto, TensorProto } from './onnx_pb';
import { shapeOf, tensorValues } from './tensors';

/** A tensor of weights. */
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
  /** Axes (output channel); zeros where the file has none. */
  readonly bias: Float32Array;
  /** One for each axis, as are the three below. */
  readonly taps: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
}

/** Batch normalization as it is at run time: scale · x + shift, each with the axis (channel). */
export interface Normalization {
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

/** Reads a graph from its output to its input: each method is for a value, and says what gives it. */
export class Values {
  readonly graph: GraphProto;
  private readonly producers: Map<string, number>;
  private readonly weights: Map<string, TensorProto>;

  /** @param makeError makes the error about a graph that is not the one expected */
  constructor(
    model: ModelProto,
    private readonly makeError: (problem: string) => Error,
  ) {
    this.graph = graphOf(model);
    this.producers = producersOf(this.graph.node);
    this.weights = new Map(this.graph.initializer.map((tensor) => [tensor.name, tensor]));
  }

  /** What gives `value`; undefined for an input or a weight. */
  producer(value: string): NodeProto | undefined {
    return this.graph.node[this.producers.get(value) ?? -1];
  }

  /**
   * The inputs of the node that gives `value`, which must be an `op` with so many of them.
   *
   * @throws VoxlaneError `model-invalid`, as all below
   */
  inputsOf(value: string, op: string, numInputs: number): string[] {
    const node = this.producer(value);
    if (node?.opType === op && node.input.length === numInputs) return node.input;
    throw this.makeError(`${value} comes from ${node ? `${node.opType} of ${node.input.length}` : 'no node'}, not ${op} of ${numInputs}`);
  }

  /** The one input of the node that gives `value`. */
  inputOf(value: string, op: string): string {
    return this.inputsOf(value, op, 1)[0]!;
  }

  attributes(value: string): Record<string, string> {
    const node = this.producer(value);
    return node ? attributeTexts(node) : {};
  }

  /** Weights, or what a Constant node gives. */
  tensor(name: string): WeightTensor {
    const held = this.weights.get(name) ?? this.producer(name)?.attribute.find(({ t }) => t)?.t;
    const data = held && tensorValues(held);
    if (!data) throw this.makeError(`${name} is no tensor of numbers that the file holds`);
    return { data, shape: shapeOf(held) };
  }

  /** The input and the weights of the convolution that gives `value`. */
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

  /** The input and the weights of the batch normalization that gives `value`. */
  normalization(value: string): { input: string; normalization: Normalization } {
    const [input, ...names] = this.inputsOf(value, 'BatchNormalization', 5);
    const [gamma, beta, mean, variance] = names.map((name) => this.tensor(name).data);
    const epsilon = Number(this.attributes(value).epsilon ?? 1e-5);
    const scale = gamma!.map((factor, channel) => factor / Math.sqrt(variance![channel]! + epsilon));
    const shift = beta!.map((offset, channel) => offset - mean![channel]! * (gamma![channel]! / Math.sqrt(variance![channel]! + epsilon)));
    return { input: input!, normalization: { scale, shift } };
  }

  /**
   * How `value` is computed, as text: `Add(Shape(x), 2)`, attributes in brackets after the operator.
   *
   * @param names what to call the values at which the text stops
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

  /** Checks that `value` is computed as `expected` says. */
  expectFormula(value: string, names: ReadonlyMap<string, string>, expected: string): void {
    const found = this.formula(value, names);
    if (found !== expected) throw this.makeError(`${value} is ${found}, not ${expected}`);
  }
}
