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

/** The reference: float32 up to the integers, and exact integer sums. Axes of `sums`: (row, output channel). */
function reference({ data, shape: [numRows] }: Floats, values: Int8Array): { sums: number[]; factors: number[] } {
  const rows = Array.from({ length: numRows! }, (_, row) => data.subarray(row * NUM_INPUTS, (row + 1) * NUM_INPUTS));
  const greatest = rows.map((row) => row.reduce((most, value) => Math.max(most, Math.abs(value)), Math.fround(1e-30)));
  const scaled = rows.map((row, index) => row.map((value) => value / greatest[index]!));
  const [low, high] = scaled.reduce(([least, most], row) => [Math.min(least, ...row), Math.max(most, ...row)], [0, 0]);
  const step = Math.fround(Math.fround(high - low) / 255);
  const zero = roundHalfToEven(-Math.fround(low / step));
  const levels = scaled.map((row) => row.map((value) => Math.max(0, Math.min(255, roundHalfToEven(Math.fround(value / step)) + zero)) - zero));
  const sums = levels.flatMap((row) =>
    Array.from({ length: NUM_OUT }, (_, channel) => row.reduce((sum, level, k) => sum + level * values[channel * NUM_INPUTS + k]!, 0)),
  );
  const factors = levels.flatMap((_, row) => Array.from(SCALES, (scale) => greatest[row]! * step * scale));
  return { sums, factors };
}

function roundHalfToEven(value: number): number {
  const rounding = 1.5 * 2 ** 52;
  return value + rounding - rounding;
}

/** The integer sums that the outputs were made from. Float32 holds sums up to 2^24 to less than 1, so rounding restores them. */
const integersOf = (outputs: readonly number[], factors: readonly number[]): number[] =>
  outputs.map((value, i) => Math.round(value / factors[i]!) + 0);

describe('withInt8Products', () => {
  it('adds the same integers as the reference', async () => {
    const x = matrix(Array.from({ length: 9 }, (_, row) => uniform(100 + row, NUM_INPUTS).map((value) => value * 10 ** (row - 4))));
    const { sums, factors } = reference(x, WEIGHTS);
    expect(integersOf(await run(withInt8Products(productWith(WEIGHTS, null)), x), factors)).toEqual(sums);
    expect(new Set(sums).size).toBeGreaterThan(200);
  });

  it('adds the greatest products without saturation', async () => {
    const signs = Float32Array.from({ length: NUM_INPUTS }, (_, k) => (k % 3 === 0 ? -1 : 1));
    const extreme = Int8Array.from({ length: NUM_OUT * NUM_INPUTS }, (_, i) => (Math.floor(i / NUM_INPUTS) % 2 === 0 ? 127 : -127) * signs[i % NUM_INPUTS]!);
    const x = matrix([signs, signs.map((value) => -value)]);
    const { sums, factors } = reference(x, extreme);
    expect(Math.max(...sums)).toBeGreaterThanOrEqual(127 * 127 * NUM_INPUTS);
    expect(integersOf(await run(withInt8Products(productWith(extreme, null)), x), factors)).toEqual(sums);
  });

  it('multiplies the sums by the scales and adds the bias', async () => {
    const x = matrix([uniform(7, NUM_INPUTS), uniform(8, NUM_INPUTS)]);
    const { sums, factors } = reference(x, WEIGHTS);
    const found = await run(withInt8Products(productWith(WEIGHTS)), x);
    found.forEach((value, i) => {
      const expected = sums[i]! * factors[i]! + BIAS[i % NUM_OUT]!;
      // Six roundings of float32: of the sum, three factors, the product and the bias. All are below 32.
      expect(Math.abs(value - expected)).toBeLessThan(6 * 32 * 2 ** -24);
    });
  });

  it('computes each row with its own precision', async () => {
    const model = withInt8Products(productWith(WEIGHTS));
    const [first, second] = [uniform(7, NUM_INPUTS), uniform(8, NUM_INPUTS)];
    const plain = await run(model, matrix([first, second]));
    const loud = await run(model, matrix([first.map((value) => value * 2 ** 20), second]));
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
    expect(operators.filter((one) => one === 'DynamicQuantizeMatMul')).toHaveLength(2);
    expect(operators.filter((one) => one === 'Abs')).toHaveLength(1);
    expect(operators).not.toContain('DequantizeLinear');
  });
});
