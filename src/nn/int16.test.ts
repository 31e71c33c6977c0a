/** The same tests for the reference and for both builds. Without activations, they must be equal bit for bit. */
import { describe, expect, it } from 'vitest';
import { testedBuilds } from '../../test/nn/builds';
import { referenceKernels, referenceSequence } from '../../test/nn/plainKernels';
import { type Int16Matrix, Int16Products, MAX_INPUT, packInt16, storeInt16, toInt16 } from './int16';
import { FLOAT_BYTES, Heap, instantiateSequence, type Rows, SequenceKernels } from './kernels';

/**
 * Hidden states after five frames: sums of 16 products of values with an error of half of 1 / 8191 and half of 1 / 32767, then
 * activations whose slope is at most 1, fed back.
 */
const STATE_ROUNDING = 2e-3;
/** The same integers, but activations of the kernels against float64. A state can then round to the next integer. */
const STATE_AGREEMENT = 3e-4;

/** Rounding of sums up to 10 to float32. */
const FLOAT32_ROUNDING = 2e-6;

let seed = 1;
/** Reproducible values between -1 and 1: the linear congruential generator of Numerical Recipes. */
const random = (length: number): Float32Array =>
  Float32Array.from({ length }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    return seed / 2 ** 31;
  });

function kernelsOf(build: string): SequenceKernels {
  const heap = new Heap();
  const reference = { ...referenceKernels(heap), ...referenceSequence(heap) };
  return new SequenceKernels(heap, build === 'reference' ? reference : instantiateSequence(build as 'plain', heap), 64);
}

function store({ heap }: SequenceKernels, values: Float32Array, numColumns: number): Rows {
  const address = heap.allocate(values.length + 4 * numColumns);
  heap.floats(address, values.length).set(values);
  return { address, stride: numColumns * FLOAT_BYTES };
}

/** Runs a product, axes (row, column). */
function multiply(build: string, input: Float32Array, weight: Float32Array, bias: Float32Array, relu = false): Float32Array {
  const kernels = kernelsOf(build);
  const matrix = packInt16(kernels, weight, bias.length, bias);
  const numRows = input.length / matrix.length;
  const out = store(kernels, new Float32Array(numRows * bias.length).fill(NaN), bias.length);
  const rows = store(kernels, input, matrix.length);
  new Int16Products(kernels, matrix.length).multiply({ out, input: rows, matrix, numRows, relu });
  return kernels.heap.floats(out.address, numRows * bias.length).slice();
}

describe('weights as int16', () => {
  const rows = {
    'random values': random(256),
    'equal values, which limit the sum': new Float32Array(512).fill(0.7),
    'one large value, which limits the weight': Float32Array.from({ length: 64 }, (_, index) => (index === 5 ? -3 : 1e-4)),
    zeros: new Float32Array(16),
  };
  it.each(Object.entries(rows))('neither overflow nor lose more than half a step: %s', (_, row) => {
    const { values, scales } = toInt16(row, row.length);
    const magnitudes = [...values].map(Math.abs);
    expect(Math.max(...magnitudes)).toBeLessThanOrEqual(32767);
    const greatestSum = MAX_INPUT * magnitudes.reduce((sum, value) => sum + value, 0);
    expect(greatestSum).toBeLessThan(2 ** 31);
    // As precise as one of the two limits allows.
    const isZero = row.every((value) => value === 0);
    expect(Math.max(...magnitudes) > 32760 || greatestSum > 2 ** 31 * 0.99 || isZero).toBe(true);
    for (const [index, value] of row.entries()) {
      expect(Math.abs(values[index]! * scales[0]! - value)).toBeLessThanOrEqual(scales[0]! * 0.5001);
    }
  });
});

/** An LSTM over frames in the order of computation. */
interface Recurrence {
  readonly numWindows: number;
  readonly numUnits: number;
  readonly numFrames: number;
  /** Axes (unit / 4, gate, unit % 4, unit of the previous frame). */
  readonly recurrent: Float32Array;
  /** Axes (frame, window, unit / 4, gate, unit % 4). */
  readonly gates: Float32Array;
}

/** Hidden states, axes (frame, window, unit). */
function recur(build: string, isInt16: boolean, backwards: boolean, { numWindows, numUnits, numFrames, recurrent, gates }: Recurrence): Float32Array {
  const kernels = kernelsOf(build);
  const { heap, raw } = kernels;
  const frameFloats = numWindows * numUnits;
  const out = heap.allocate((numFrames + 2) * frameFloats) + frameFloats * FLOAT_BYTES;
  const gateRows = heap.store(gates);
  const [first, step] = backwards ? [numFrames - 1, -1] : [0, 1];
  const states = {
    out: out + first * frameFloats * FLOAT_BYTES,
    outFrame: step * frameFloats * FLOAT_BYTES,
    outWindow: numUnits * FLOAT_BYTES,
    gates: gateRows + first * 4 * frameFloats * FLOAT_BYTES,
    gatesFrame: step * 4 * frameFloats * FLOAT_BYTES,
    gatesWindow: 4 * numUnits * FLOAT_BYTES,
    cells: heap.allocate(frameFloats),
    frames: numFrames,
    windows: numWindows,
    units: numUnits,
  };
  // Rows of weights have the order (unit / 4, gate, unit % 4); see `Lstm` and `LstmInt16` in src/nn/assembly/parameters.ts.
  const placeOf = (row: number, unit: number): number => Math.floor(row / 16) * 16 * numUnits + unit * 16 + (row % 16);
  if (isInt16) {
    const { values, scales } = toInt16(recurrent, numUnits);
    const packed = new Int16Array(values.length);
    for (const [index, value] of values.entries()) {
      const [row, unit] = [Math.floor(index / numUnits), index % numUnits];
      packed[Math.floor(row / 16) * 16 * numUnits + (unit >> 1) * 32 + (row % 16) * 2 + (unit % 2)] = value;
    }
    const hidden = heap.allocate(frameFloats / 2);
    raw.lstmInt16({ ...states, weights: storeInt16(heap, packed), scales: heap.store(scales.map((scale) => scale / MAX_INPUT)), hidden });
  } else {
    const packed = new Float32Array(recurrent.length);
    for (const [index, value] of recurrent.entries()) packed[placeOf(Math.floor(index / numUnits), index % numUnits)] = value;
    raw.lstm({ ...states, weights: heap.store(packed) });
  }
  return heap.floats(out, numFrames * frameFloats).slice();
}

describe.each(['reference', ...testedBuilds()])('the %s kernels', (build) => {
  const sizes = [
    [1, 4, 8],
    [4, 60, 16],
    [5, 256, 24],
    [197, 12, 8],
  ] as const;
  it.each(sizes)('multiply %i rows of %i by %i columns', (numRows, numIn, numOut) => {
    const [input, weight, bias] = [random(numRows * numIn), random(numOut * numIn), random(numOut)];
    for (const relu of [false, true]) {
      const found = multiply(build, input, weight, bias, relu);
      expect(found).toEqual(multiply('reference', input, weight, bias, relu));
      // Two columns of at most five rows; the others equal the reference.
      for (const column of [0, numOut - 1]) {
        const weights = weight.subarray(column * numIn, (column + 1) * numIn);
        const step = toInt16(weights, numIn).scales[0]!;
        for (let row = 0; row < Math.min(5, numRows); row++) {
          let [exact, bound] = [bias[column]!, FLOAT32_ROUNDING];
          for (const [index, value] of input.subarray(row * numIn, (row + 1) * numIn).entries()) {
            exact += value * weights[index]!;
            // Half a step of each input and of each weight, all in the same direction. Inputs are at most 1.
            bound += 0.501 * (Math.abs(value) * step + Math.abs(weights[index]!) / MAX_INPUT);
          }
          expect(Math.abs(found[row * numOut + column]! - (relu ? Math.max(0, exact) : exact))).toBeLessThanOrEqual(bound);
        }
      }
    }
  });

  it('do not overflow if every product has its greatest value', () => {
    const signs = random(1024).map(Math.sign);
    const weight = Float32Array.from({ length: 8 * 1024 }, (_, index) => signs[index % 1024]! * (index < 1024 ? 1 : 0.5));
    const found = multiply(build, signs, weight, new Float32Array(8));
    // With 1024 equal weights, each is 255 or 256 steps, so half a step is up to 1 / 510 of it. An overflow would change the sign.
    expect(Math.abs(found[0]! / 1024 - 1)).toBeLessThan(1 / 509);
    expect(Math.abs(found[1]! / 512 - 1)).toBeLessThan(1 / 509);
  });

  it('convolve overlapping rows with one scale', () => {
    const [numRows, step, numIn] = [10, 8, 24];
    const input = random((numRows - 1) * step + numIn);
    const [weight, bias] = [random(8 * numIn), random(8)];
    const run = (own: string): Float32Array => {
      const kernels = kernelsOf(own);
      const matrix: Int16Matrix = packInt16(kernels, weight, 8, bias);
      const out = store(kernels, new Float32Array(numRows * 8), 8);
      const rows = store(kernels, input, step);
      new Int16Products(kernels, numIn).convolve({ out, input: rows, matrix, numRows, relu: false }, step);
      return kernels.heap.floats(out.address, numRows * 8).slice();
    };
    const found = run(build);
    expect(found).toEqual(run('reference'));
    for (const [index, value] of found.entries()) {
      const [row, column] = [Math.floor(index / 8), index % 8];
      let exact = bias[column]!;
      for (let i = 0; i < numIn; i++) exact += input[row * step + i]! * weight[column * numIn + i]!;
      // 24 inputs with half a step of 1 / 8191, and 24 weights with half a step of at most 24 · 8191 / 2³¹.
      expect(Math.abs(value - exact)).toBeLessThanOrEqual(24 * (0.501 / 8191 + (0.501 * 24 * 8191) / 2 ** 31) + FLOAT32_ROUNDING);
    }
  });

  it.each([NaN, Infinity, -Infinity])('return NaN for a row with %d, and only for it', (value) => {
    const input = random(5 * 8);
    input[2 * 8 + 3] = value;
    const found = multiply(build, input, random(8 * 8), random(8));
    expect([...found].map(Number.isNaN)).toEqual(Array.from(found, (_, index) => Math.floor(index / 8) === 2));
  });

  it('multiply rows of zeros and of values too small for a scale', () => {
    const bias = random(8);
    const found = multiply(build, Float32Array.from({ length: 16 }, (_, index) => (index < 8 ? 0 : 1e-38)), random(64), bias);
    expect(found).toEqual(Float32Array.from([...bias, ...bias]));
  });

  it.each([1, 2, 3, 4])('run an LSTM over %i windows like the one of float32', (numWindows) => {
    const recurrence = {
      numWindows,
      numUnits: 16,
      numFrames: 5,
      recurrent: random(4 * 16 * 16).map((value) => value / 4),
      gates: random(5 * numWindows * 4 * 16),
    };
    for (const backwards of [false, true]) {
      const found = recur(build, true, backwards, recurrence);
      const worst = (other: Float32Array): number => Math.max(...found.map((value, index) => Math.abs(value - other[index]!)));
      expect(worst(recur(build, false, backwards, recurrence))).toBeLessThan(STATE_ROUNDING);
      expect(worst(recur('reference', true, backwards, recurrence))).toBeLessThan(STATE_AGREEMENT);
    }
  });

  it('keep NaN in an LSTM in all later frames', () => {
    const [numFrames, numUnits] = [4, 8];
    const gates = random(numFrames * 4 * numUnits);
    // Gate i of unit 1 in frame 1.
    gates[4 * numUnits + 1] = NaN;
    const found = recur(build, true, false, { numWindows: 1, numUnits, numFrames, recurrent: random(4 * numUnits * numUnits), gates });
    expect([...found].map(Number.isNaN)).toEqual(Array.from(found, (_, index) => index >= numUnits && index % numUnits === 1));
  });
});
