import { describe, expect, it } from 'vitest';
import { build, float, int, node, weight } from '../../test/onnx/build';
import { type Floats, noise, runModel, valuesOf } from '../../test/onnx/run';
import { uniform } from '../util/uniform';
import { graphOf } from '../onnx/model';
import { type ModelProto, TensorProto_DataType, type TensorProto } from '../onnx/onnx_pb';
import { withInt8Products } from './int8Products';

const NUM_INPUTS = 512;
const NUM_OUT = 24;

function int8Weight(name: string, shape: readonly number[], values: Int8Array): TensorProto {
  return Object.assign(weight(name, shape, []), { dataType: TensorProto_DataType.INT8, rawData: new Uint8Array(values.buffer) });
}

const SCALES = Float32Array.from({ length: NUM_OUT }, (_, channel) => 0.001 * (1 + channel));
const BIAS = Float32Array.from({ length: NUM_OUT }, (_, channel) => channel - 3);

/** y = x · wᵀ + bias with an int8 matrix, as `graphInForm` writes it. */
const productWith = (values: Int8Array, bias: Float32Array | null = BIAS): ModelProto =>
  build({
    node: [
      node('DequantizeLinear', ['w', 'w.scale'], ['w.float32'], { attribute: [int('axis', 0)] }),
      node('Gemm', ['x', 'w.float32', ...(bias ? ['bias'] : [])], ['y'], { attribute: [int('transB', 1)] }),
    ],
    input: [float('x', null, NUM_INPUTS)],
    output: [float('y', null, NUM_OUT)],
    initializer: [
      int8Weight('w', [NUM_OUT, NUM_INPUTS], values),
      weight('w.scale', [NUM_OUT], Array.from(SCALES)),
      ...(bias ? [weight('bias', [NUM_OUT], Array.from(bias))] : []),
    ],
  });

const WEIGHTS = Int8Array.from(uniform(1, NUM_OUT * NUM_INPUTS), (value) => Math.round(value * 127));

const matrix = (rows: readonly (readonly number[] | Float32Array)[]): Floats => ({
  data: Float32Array.from(rows.flatMap((row) => Array.from(row))),
  shape: [rows.length, NUM_INPUTS],
});

const run = async (model: ModelProto, x: Floats): Promise<number[]> => valuesOf((await runModel(model, { x })).y);

const STEP = Math.fround(1 / 127);
const FINE_STEP = Math.fround(1 / (2 * 127 * 127));

interface Sums {
  /** Of both parts of a row with each matrix row; axes (row, output channel). */
  readonly coarse: number[];
  readonly fine: number[];
  /** What a sum of 1 of the coarse part adds to the output. */
  readonly factors: number[];
}

/** The reference: float32 up to the integers, and exact integer sums. */
function reference({ data, shape: [numRows] }: Floats, values: Int8Array): Sums {
  const rows = Array.from({ length: numRows! }, (_, row) => data.subarray(row * NUM_INPUTS, (row + 1) * NUM_INPUTS));
  const greatest = rows.map((row) => row.reduce((most, value) => Math.max(most, Math.abs(value)), Math.fround(1e-30)));
  const scaled = rows.map((row, index) => row.map((value) => value / greatest[index]!));
  const coarse = scaled.map((row) => row.map((value) => roundHalfToEven(Math.fround(value / STEP))));
  const rest = scaled.map((row, index) => row.map((value, k) => value - Math.fround(coarse[index]![k]! * STEP)));
  const fine = rest.map((row) => row.map((value) => Math.max(-128, Math.min(127, roundHalfToEven(Math.fround(value / FINE_STEP))))));
  const sumsOf = (levels: readonly Float32Array[]): number[] =>
    levels.flatMap((row) => Array.from({ length: NUM_OUT }, (_, channel) => row.reduce((sum, level, k) => sum + level * values[channel * NUM_INPUTS + k]!, 0)));
  return { coarse: sumsOf(coarse), fine: sumsOf(fine), factors: greatest.flatMap((most) => Array.from(SCALES, (scale) => most * STEP * scale)) };
}

/** Six roundings of float32: of two sums, of their two factors, of the product and the bias. */
const ROUNDINGS = 6 * 2 ** -24;

function roundHalfToEven(value: number): number {
  const rounding = 1.5 * 2 ** 52;
  return value + rounding - rounding;
}

/** The integer sums that the outputs were made from. Float32 holds sums up to 2^24 to less than 1, so rounding restores them. */
const integersOf = (outputs: readonly number[], factors: readonly number[]): number[] =>
  outputs.map((value, i) => Math.round(value / factors[i]!) + 0);

/** Expects outputs with these sums, up to the roundings of float32. */
function expectSums(found: readonly number[], { coarse, fine, factors }: Sums, bias?: Float32Array): void {
  found.forEach((value, i) => {
    const [first, second] = [coarse[i]! * factors[i]!, (fine[i]! * factors[i]! * FINE_STEP) / STEP];
    const offset = bias?.[i % NUM_OUT] ?? 0;
    expect(Math.abs(value - (first + second + offset))).toBeLessThanOrEqual(ROUNDINGS * (Math.abs(first) + Math.abs(second) + Math.abs(offset)));
  });
}

describe('withInt8Products', () => {
  it('adds the same integers as the reference', async () => {
    // Multiples of the coarse step leave nothing for the fine part.
    const multiples = (row: number): Float32Array => uniform(100 + row, NUM_INPUTS).map((value, k) => (k === row ? 1 : Math.round(value * 127) / 127) * 10 ** (row - 4));
    const x = matrix(Array.from({ length: 9 }, (_, row) => multiples(row)));
    const { coarse, fine, factors } = reference(x, WEIGHTS);
    expect(new Set(fine)).toEqual(new Set([0]));
    expect(integersOf(await run(withInt8Products(productWith(WEIGHTS, null)), x), factors)).toEqual(coarse);
    expect(new Set(coarse).size).toBeGreaterThan(200);
  });

  it('adds the greatest products without saturation', async () => {
    const signs = Float32Array.from({ length: NUM_INPUTS }, (_, k) => (k % 3 === 0 ? -1 : 1));
    const extreme = Int8Array.from({ length: NUM_OUT * NUM_INPUTS }, (_, i) => (Math.floor(i / NUM_INPUTS) % 2 === 0 ? 127 : -127) * signs[i % NUM_INPUTS]!);
    const x = matrix([signs, signs.map((value) => -value)]);
    const sums = reference(x, extreme);
    expect(Math.max(...sums.coarse)).toBe(127 * 127 * NUM_INPUTS);
    expectSums(await run(withInt8Products(productWith(extreme, null)), x), sums);
    // All fine parts are at their greatest, half a coarse step.
    const halves = matrix([signs.map((sign, k) => (k === 0 ? sign : sign * 64.4999 * STEP))]);
    const rounded = reference(halves, extreme);
    expect(Math.max(...rounded.fine)).toBeGreaterThan(126 * 127 * (NUM_INPUTS - 1));
    expectSums(await run(withInt8Products(productWith(extreme, null)), halves), rounded);
  });

  it('adds both parts, multiplies by the scales and adds the bias', async () => {
    const x = matrix([uniform(7, NUM_INPUTS), uniform(8, NUM_INPUTS).map((value) => value * 1000)]);
    const sums = reference(x, WEIGHTS);
    expect(new Set(sums.fine).size).toBeGreaterThan(NUM_OUT);
    expectSums(await run(withInt8Products(productWith(WEIGHTS)), x), sums, BIAS);
  });

  it('differs from float32 by no more than 16 bits of the factor explain', async () => {
    const x = matrix([uniform(7, NUM_INPUTS), uniform(8, NUM_INPUTS)]);
    const found = await run(withInt8Products(productWith(WEIGHTS, null)), x);
    const exact = await run(productWith(WEIGHTS, null), x);
    const squares = WEIGHTS.reduce((sum, value) => sum + value ** 2, 0) / WEIGHTS.length;
    found.forEach((value, i) => {
      // The error of a rounded value is uniform up to half a fine step; five times the root mean square of their sum.
      const bound = 5 * (FINE_STEP / 2 / 3 ** 0.5) * SCALES[i % NUM_OUT]! * Math.sqrt(squares * NUM_INPUTS);
      expect(Math.abs(value - exact[i]!)).toBeLessThan(bound);
    });
  });

  it('computes each row without the others', async () => {
    const model = withInt8Products(productWith(WEIGHTS));
    const [first, second] = [uniform(7, NUM_INPUTS), uniform(8, NUM_INPUTS)];
    const plain = await run(model, matrix([first, second]));
    const loud = await run(model, matrix([first.map((value) => value * 2 ** 20 + 1), second]));
    expect(loud.slice(NUM_OUT)).toEqual(plain.slice(NUM_OUT));
    expect(loud.slice(0, NUM_OUT)).not.toEqual(plain.slice(0, NUM_OUT));
  });

  it('gives the bias for a row of zeros', async () => {
    const found = await run(withInt8Products(productWith(WEIGHTS)), matrix([new Float32Array(NUM_INPUTS), uniform(8, NUM_INPUTS)]));
    expect(found.slice(0, NUM_OUT)).toEqual(Array.from(BIAS));
    expect(found.every(Number.isFinite)).toBe(true);
  });

  it('gives the bias if all rows are zero', async () => {
    expect(await run(withInt8Products(productWith(WEIGHTS)), matrix([new Float32Array(NUM_INPUTS)]))).toEqual(Array.from(BIAS));
  });

  it('leaves other products as they are', async () => {
    const model = build({
      node: [
        node('DequantizeLinear', ['w', 'w.scale'], ['w.float32'], { attribute: [int('axis', 1)] }),
        node('MatMul', ['x', 'w.float32'], ['a']),
        node('Gemm', ['a', 'm'], ['y'], { attribute: [int('transB', 1)] }),
      ],
      input: [float('x', null, 4)],
      output: [float('y', null, 2)],
      initializer: [int8Weight('w', [4, 3], Int8Array.from({ length: 12 }, (_, i) => i - 6)), weight('w.scale', [3], [1, 2, 3]), weight('m', [2, 3], [1, 2, 3, 4, 5, 6])],
    });
    const changed = withInt8Products(model);
    expect(graphOf(changed)).toEqual(graphOf(model));
    expect(await run(changed, noise(2, 4))).toEqual(await run(model, noise(2, 4)));
  });

  it('rounds the values of a row once for all its products', () => {
    const model = productWith(WEIGHTS);
    const { node: nodes } = graphOf(model);
    nodes.push(...graphOf(productWith(WEIGHTS)).node.slice(1).map((one) => Object.assign(one, { output: ['z'] })));
    graphOf(model).output.push(float('z', null, NUM_OUT));
    const operators = graphOf(withInt8Products(model)).node.map(({ opType }) => opType);
    expect(operators.filter((one) => one === 'MatMulIntegerToFloat')).toHaveLength(2 * 2);
    expect(operators.filter((one) => one === 'Abs')).toHaveLength(1);
    // Of the coarse part, not of the matrix.
    expect(operators.filter((one) => one === 'DequantizeLinear')).toHaveLength(1);
  });
});
