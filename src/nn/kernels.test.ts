/** The same tests for the reference and for both builds, each compared with the definition of the operation. */
import { describe, expect, it } from 'vitest';
import {
  bestBuild,
  FLOAT_BYTES,
  Heap,
  instantiate,
  Kernels,
  type Matrix,
  packPanels,
  packWinograd,
  type Rows,
  type Taps,
  WINOGRAD_OUTPUTS,
  WINOGRAD_PRODUCTS,
} from './kernels';
import { referenceKernels } from '../../test/nn/plainKernels';
import { hasRelaxedSimd } from './simd';
import { testedBuilds } from '../../test/nn/builds';

/** Float32 sums of up to 1600 products of values below 0.5, against float64. */
const SUM_ROUNDING = 2e-5;
/** Winograd's products are up to ten times larger than the result, because they cancel. */
const WINOGRAD_ROUNDING = 2e-5;
/** Room after the last row for whole tiles. */
const ROOM = 16;

let seed = 1;
/** Reproducible values between -0.5 and 0.5: the linear congruential generator of Numerical Recipes. */
const random = (length: number): Float32Array =>
  Float32Array.from({ length }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    return seed / 2 ** 32;
  });

function expectClose(actual: ArrayLike<number>, expected: readonly number[], bound: number): void {
  expect(actual.length).toBe(expected.length);
  // NaN is not larger than any number, but must not pass.
  const worst = expected.reduce((greatest, value, i) => {
    const difference = Math.abs(value - actual[i]!);
    return Number.isNaN(difference) ? Infinity : Math.max(greatest, difference);
  }, 0);
  expect(worst).toBeLessThanOrEqual(bound);
}

const table = (rows: number, columns: number, value: (row: number, column: number) => number): number[] =>
  Array.from({ length: rows * columns }, (_, i) => value(Math.floor(i / columns), i % columns));

function kernelsOf(build: string): Kernels {
  const heap = new Heap();
  const raw = build === 'reference' ? referenceKernels(heap) : instantiate(build as 'plain', heap);
  return new Kernels(heap, raw, 64);
}

/** Contiguous rows with `values`, with room after them. */
function store({ heap }: Kernels, values: ArrayLike<number>, numColumns: number): Rows {
  const address = heap.allocate(values.length + ROOM * numColumns);
  heap.floats(address, values.length).set(values);
  return { address, stride: numColumns * FLOAT_BYTES };
}

function matrixOf({ heap }: Kernels, taps: Taps, bias: ArrayLike<number>): Matrix {
  const { numOut, numIn, numTaps } = taps;
  return { address: heap.store(packPanels(taps)), bias: heap.store(bias), numColumns: numOut, length: numIn, numSegments: numTaps };
}

describe.each(['reference', ...testedBuilds()])('the %s kernels', (build) => {
  const lengths = [
    [1, 4, 8],
    [5, 34, 16],
    [6, 512, 8],
    [7, 514, 8],
    [13, 1056, 24],
  ] as const;
  it.each(lengths)('multiply %i rows of %i by %i columns, in one pass or several', (numRows, numIn, numOut) => {
    const kernels = kernelsOf(build);
    const [input, weight, bias, start] = [random(numRows * numIn), random(numOut * numIn), random(numOut), random(numRows * numOut)];
    const matrix = matrixOf(kernels, { weight, numOut, numIn, numTaps: 1 }, bias);
    const product = { input: store(kernels, input, numIn), matrix, offsets: kernels.heap.storeIntegers([0]), numRows };
    const exact = table(numRows, numOut, (row, column) => {
      const own = input.subarray(row * numIn, (row + 1) * numIn);
      return own.reduce((sum, value, i) => sum + value * weight[column * numIn + i]!, bias[column]!);
    });
    const out = store(kernels, new Float32Array(numRows * numOut).fill(NaN), numOut);
    const result = (): Float32Array => kernels.heap.floats(out.address, exact.length);
    kernels.multiply({ ...product, out, relu: false });
    expectClose(result(), exact, SUM_ROUNDING);
    kernels.multiply({ ...product, out, start: store(kernels, start, numOut), relu: true });
    expectClose(result(), exact.map((value, i) => Math.max(0, value + start[i]!)), SUM_ROUNDING);
    // In place: the product is added to the existing values.
    result().set(start);
    kernels.multiply({ ...product, out, start: out, relu: false });
    expectClose(result(), exact.map((value, i) => value + start[i]!), SUM_ROUNDING);
  });

  const convolutions = [
    { numFrames: 11, numIn: 8, numTaps: 3, stride: 1, dilation: 2 },
    { numFrames: 20, numIn: 12, numTaps: 5, stride: 2, dilation: 1 },
    { numFrames: 9, numIn: 320, numTaps: 5, stride: 2, dilation: 1 },
  ];
  it.each(convolutions)('convolve over frames: %o', ({ numFrames, numIn, numTaps, stride, dilation }) => {
    const kernels = kernelsOf(build);
    const numOut = 16;
    const reach = ((numTaps - 1) * dilation) / 2;
    const [values, weight, bias] = [random(numFrames * numIn), random(numOut * numIn * numTaps), random(numOut)];
    const padded = new Float32Array((numFrames + 2 * reach) * numIn);
    padded.set(values, reach * numIn);
    const rows = store(kernels, padded, numIn);
    const numRows = Math.floor((numFrames - 1) / stride) + 1;
    const out = store(kernels, new Float32Array(numRows * numOut), numOut);
    // As in the network: from the frame itself to either side.
    const offsets = Array.from({ length: numTaps }, (_, tap) => (tap * dilation - reach) * rows.stride);
    kernels.multiply({
      out,
      input: { address: rows.address + reach * rows.stride, stride: stride * rows.stride },
      matrix: matrixOf(kernels, { weight, numOut, numIn, numTaps }, bias),
      offsets: kernels.heap.storeIntegers(offsets),
      numRows,
      relu: false,
    });
    const expected = table(numRows, numOut, (row, column) => {
      let sum = bias[column]!;
      for (let tap = 0; tap < numTaps; tap++) {
        const frame = row * stride + tap * dilation - reach;
        for (let channel = 0; channel < numIn; channel++) {
          sum += (values[frame * numIn + channel] ?? 0) * weight[(column * numIn + channel) * numTaps + tap]!;
        }
      }
      return sum;
    });
    expectClose(kernels.heap.floats(out.address, expected.length), expected, 2 * SUM_ROUNDING);
  });

  it.each([1, 3, 4, 23, 25])("convolve 3 × 3 taps by Winograd's products over %i frames", (numFrames) => {
    const kernels = kernelsOf(build);
    const { heap, raw } = kernels;
    const [numIn, numOut, numRows] = [4, 8, 3];
    const [values, weight, bias, added] = [
      random(numRows * numFrames * numIn),
      random(numOut * numIn * 9),
      random(numOut),
      random(numFrames * numOut),
    ];
    const tiles = Math.ceil(numFrames / WINOGRAD_OUTPUTS);
    const [inPlane, outPlane] = [numIn, numOut].map((channels) => (tiles + ROOM) * channels * FLOAT_BYTES) as [number, number];
    const inputs = heap.allocate((numRows * WINOGRAD_PRODUCTS * inPlane) / FLOAT_BYTES);
    const products = heap.allocate((WINOGRAD_PRODUCTS * outPlane) / FLOAT_BYTES);
    for (let row = 0; row < numRows; row++) {
      const padded = new Float32Array((numFrames + 1) * numIn);
      padded.set(values.subarray(row * numFrames * numIn, (row + 1) * numFrames * numIn), numIn);
      raw.toWinograd(inputs + row * WINOGRAD_PRODUCTS * inPlane, inPlane, store(kernels, padded, numIn).address, tiles, numIn);
    }
    const packed = packWinograd({ weight, numIn, numOut, numTaps: 9 });
    const size = packed.length / WINOGRAD_PRODUCTS;
    const offsets = heap.storeIntegers([0, 1, 2].map((row) => row * WINOGRAD_PRODUCTS * inPlane));
    const out = store(kernels, new Float32Array(numFrames * numOut), numOut);
    const add = store(kernels, added, numOut);
    const sums = (first: number, count: number): number[] =>
      table(numFrames, numOut, (frame, column) => {
        let sum = bias[column]! + added[frame * numOut + column]!;
        for (let row = first; row < first + count; row++) {
          for (const tap of [0, 1, 2]) {
            const from = frame + tap - 1;
            if (from < 0 || from >= numFrames) continue;
            for (let channel = 0; channel < numIn; channel++) {
              sum += values[(row * numFrames + from) * numIn + channel]! * weight[(column * numIn + channel) * 9 + row * 3 + tap]!;
            }
          }
        }
        return Math.max(0, sum);
      });
    // All three rows, and those of an edge. Omitted rows are not even read.
    for (const [first, count] of [[0, 3], [1, 2], [0, 2]] as const) {
      for (let product = 0; product < WINOGRAD_PRODUCTS; product++) {
        const address = heap.store(packed.subarray(product * size, (product + 1) * size));
        kernels.multiply({
          out: { address: products + product * outPlane, stride: numOut * FLOAT_BYTES },
          input: { address: inputs + product * inPlane, stride: numIn * FLOAT_BYTES },
          matrix: { address, bias: kernels.zeros, numColumns: numOut, length: numIn, numSegments: 3 },
          offsets,
          numRows: tiles,
          segments: { first, count },
          relu: false,
        });
      }
      raw.fromWinograd({
        out: out.address,
        outStride: out.stride,
        products,
        plane: outPlane,
        tiles,
        channels: numOut,
        bias: heap.store(bias),
        add: add.address,
        addStride: add.stride,
        relu: true,
      });
      expectClose(heap.floats(out.address, numFrames * numOut), sums(first, count), WINOGRAD_ROUNDING);
    }
  });

  it('scale, shift and rectify rows within wider ones, and keep NaN', () => {
    const kernels = kernelsOf(build);
    const [numRows, numChannels, width] = [3, 8, 12];
    const [values, scale, shift] = [random(numRows * width), random(numChannels), random(numChannels)];
    values[width + 5] = NaN;
    const input = store(kernels, values, width);
    const out = store(kernels, new Float32Array(numRows * numChannels), numChannels);
    const { heap, raw } = kernels;
    raw.scaleShiftRelu({
      out: out.address,
      outStride: out.stride,
      input: input.address,
      inputStride: input.stride,
      scale: heap.store(scale),
      shift: heap.store(shift),
      rows: numRows,
      channels: numChannels,
    });
    const result = [...heap.floats(out.address, numRows * numChannels)];
    const expected = table(numRows, numChannels, (row, i) => Math.max(0, values[row * width + i]! * scale[i]! + shift[i]!));
    expect(result.map(Number.isNaN)).toEqual(expected.map(Number.isNaN));
    expectClose(result.map((value) => value || 0), expected.map((value) => value || 0), SUM_ROUNDING);
  });

  it.each([1, 99, 100, 101, 200])('sum, gate and deviate %i rows in segments of 100', (numRows) => {
    const kernels = kernelsOf(build);
    const { heap, raw } = kernels;
    const numChannels = 8;
    const values = random(numRows * numChannels);
    const numSegments = Math.ceil(numRows / 100);
    const gates = random(numSegments * numChannels);
    const rows = store(kernels, values, numChannels);
    const sums = heap.allocate(numSegments * numChannels);
    raw.segmentSums(sums, rows.address, rows.stride, numRows, 100, numChannels);
    const expected = table(numSegments, numChannels, (segment, channel) =>
      values.reduce((sum, value, i) => {
        const row = Math.floor(i / numChannels);
        return Math.floor(row / 100) === segment && i % numChannels === channel ? sum + value : sum;
      }, 0),
    );
    expectClose(heap.floats(sums, expected.length), expected, SUM_ROUNDING);
    const squares = heap.allocate(numChannels);
    const means = random(numChannels);
    raw.squaredDeviations(squares, rows.address, rows.stride, heap.store(means), numRows, numChannels);
    const deviations = table(1, numChannels, (_, channel) =>
      values.reduce((sum, value, i) => (i % numChannels === channel ? sum + (value - means[channel]!) ** 2 : sum), 0),
    );
    expectClose(heap.floats(squares, numChannels).map((value, i) => value / deviations[i]!), deviations.map(() => 1), SUM_ROUNDING);
    raw.gate(rows.address, rows.stride, heap.store(gates), numRows, 100, numChannels);
    const gated = table(numRows, numChannels, (row, i) => values[row * numChannels + i]! * gates[Math.floor(row / 100) * numChannels + i]!);
    expectClose(heap.floats(rows.address, gated.length), gated, SUM_ROUNDING);
  });
});

describe('the heap', () => {
  it('returns zeros at cache lines, also in reused memory', () => {
    const heap = new Heap();
    const { mark } = heap;
    const address = heap.store(random(100_000));
    expect(address % 64).toBe(0);
    expect(heap.bytes).toBeGreaterThanOrEqual(address + 400_000);
    const { bytes } = heap;
    heap.release(mark);
    expect(heap.allocate(100_000)).toBe(address);
    expect(heap.bytes).toBe(bytes);
    expect(heap.floats(address, 100_000).every((value) => value === 0)).toBe(true);
  });

  it('reports missing memory', () => {
    expect(() => new Heap().allocate(2 ** 31)).toThrow(/There is not enough memory for the \d+ bytes/);
  });
});

it('the page detects the build without loading it', () => {
  const builds = testedBuilds();
  expect(hasRelaxedSimd() ? 'relaxed' : 'plain').toBe(bestBuild());
  expect(bestBuild()).toBe(builds.at(-1));
});
