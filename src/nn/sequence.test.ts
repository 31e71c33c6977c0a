/** The same tests for the reference and for both builds, each compared with the definition of the operation. */
import { describe, expect, it } from 'vitest';
import { FLOAT_BYTES, Heap, instantiateSequence, SequenceKernels } from './kernels';
import { referenceKernels, referenceSequence } from '../../test/nn/plainKernels';
import { testedBuilds } from '../../test/nn/builds';

/** Float32 sums of two values below 1, or a product and a sum. */
const ROUNDING = 2e-7;
/**
 * Hidden states after five frames, and cells relative to 1 plus their magnitude: sums of 16 products, then
 * activations.
 */
const STATE_ROUNDING = 1e-6;
/** For the activations alone, as in src/nn/assembly/lstm.ts. */
const ACTIVATION_ROUNDING = 2e-7;
const CELL_ROUNDING = 3e-7;

let seed = 1;
/** Reproducible values between -1 and 1: Knuth's linear congruential generator. */
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

function expectClose(actual: ArrayLike<number>, expected: readonly number[], bound: number): void {
  expect(actual.length).toBe(expected.length);
  // NaN is not larger than any number, but must not pass.
  const worst = expected.reduce((greatest, value, i) => {
    const difference = Math.abs(value - actual[i]!);
    return Number.isNaN(difference) ? Infinity : Math.max(greatest, difference);
  }, 0);
  expect(worst).toBeLessThanOrEqual(bound);
}

/** Like {@link expectClose}, with NaN in the same positions. */
function expectSame(actual: Float32Array, expected: readonly number[]): void {
  expect([...actual].map(Number.isNaN)).toEqual(expected.map(Number.isNaN));
  expectClose(actual.map((value) => value || 0), expected.map((value) => value || 0), ROUNDING);
}

const table = (rows: number, columns: number, value: (row: number, column: number) => number): number[] =>
  Array.from({ length: rows * columns }, (_, i) => value(Math.floor(i / columns), i % columns));

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

/** An LSTM with one window for each entry of `gates`, over frames in the order of computation. */
interface Recurrence {
  readonly numUnits: number;
  readonly numWindows: number;
  /** Axes (frame, window, gate, unit), gates in the order i, o, f, g. */
  readonly gates: Float32Array;
  /** Axes (gate, unit, unit of the previous frame). */
  readonly weights: Float32Array;
}

/** Both with the axes (window, unit), of the last frame. */
interface States {
  readonly hidden: readonly number[];
  readonly cells: readonly number[];
}

/** Computes the definition in float64. */
function recur({ numUnits, numWindows, gates, weights }: Recurrence, begin: States): States {
  let { hidden, cells } = begin;
  const frameSize = numWindows * 4 * numUnits;
  for (let frame = 0; frame * frameSize < gates.length; frame++) {
    const gate = (window: number, kind: number, unit: number): number => {
      const row = kind * numUnits + unit;
      const own = hidden.slice(window * numUnits, (window + 1) * numUnits);
      const input = gates[frame * frameSize + window * 4 * numUnits + row]!;
      return own.reduce((sum, value, from) => sum + value * weights[row * numUnits + from]!, input);
    };
    const next = table(numWindows, numUnits, (window, unit) => {
      const cell = cells[window * numUnits + unit]!;
      return sigmoid(gate(window, 2, unit)) * cell + sigmoid(gate(window, 0, unit)) * Math.tanh(gate(window, 3, unit));
    });
    hidden = table(numWindows, numUnits, (window, unit) => sigmoid(gate(window, 1, unit)) * Math.tanh(next[window * numUnits + unit]!));
    cells = next;
  }
  return { hidden, cells };
}

/** Runs on the kernels, forward or backward through the heap. */
function recurOn({ heap, raw }: SequenceKernels, recurrence: Recurrence, begin: States, backwards = false): States {
  const { numUnits, numWindows, gates, weights } = recurrence;
  const numRows = 4 * numUnits;
  const numFrames = gates.length / (numWindows * numRows);
  // From (gate, unit) to (unit / 4, gate, unit % 4).
  const rowOf = (place: number): number => (Math.floor(place / 4) % 4) * numUnits + 4 * Math.floor(place / 16) + (place % 4);
  const placed = gates.map((_, i) => gates[i - (i % numRows) + rowOf(i % numRows)]!);
  const packed = weights.map((_, i) => {
    const unit = Math.floor(i / 16) % numUnits;
    const place = Math.floor(i / 16 / numUnits) * 16 + (i % 16);
    return weights[rowOf(place) * numUnits + unit]!;
  });
  const frameSize = numWindows * numRows;
  const order = Array.from({ length: numFrames }, (_, frame) => (backwards ? numFrames - 1 - frame : frame));
  const gateRows = heap.allocate(gates.length);
  for (const [frame, place] of order.entries()) {
    heap.floats(gateRows + place * frameSize * FLOAT_BYTES, frameSize).set(placed.subarray(frame * frameSize, (frame + 1) * frameSize));
  }
  // One frame of room on either side; the rows hold both directions.
  const width = 2 * numUnits;
  const out = heap.allocate((numFrames + 2) * numWindows * width);
  const rowAt = (frame: number, window: number): number => out + ((frame + 1) * numWindows + window) * width * FLOAT_BYTES;
  const last = order.at(-1)!;
  const step = backwards ? -1 : 1;
  for (let window = 0; window < numWindows; window++) {
    heap.floats(rowAt(order[0]! - step, window), numUnits).set(begin.hidden.slice(window * numUnits, (window + 1) * numUnits));
  }
  const cells = heap.store(begin.cells);
  raw.lstm({
    out: rowAt(order[0]!, 0),
    outFrame: step * numWindows * width * FLOAT_BYTES,
    outWindow: width * FLOAT_BYTES,
    gates: gateRows + order[0]! * frameSize * FLOAT_BYTES,
    gatesFrame: step * frameSize * FLOAT_BYTES,
    gatesWindow: numRows * FLOAT_BYTES,
    weights: heap.store(packed),
    cells,
    frames: numFrames,
    windows: numWindows,
    units: numUnits,
  });
  return {
    hidden: table(numWindows, numUnits, (window, unit) => heap.floats(rowAt(last, window), numUnits)[unit]!),
    cells: [...heap.floats(cells, numWindows * numUnits)],
  };
}

describe.each(['reference', ...testedBuilds()])('the %s kernels', (build) => {
  it.each([
    [4, 4],
    [9, 8],
    [251, 128],
  ])('fold rows of %i taps into %i places', (numTaps, numPlaces) => {
    const { heap, raw } = kernelsOf(build);
    const [numRows, step] = [5, 3];
    const samples = random((numRows - 1) * step + numTaps + numPlaces);
    const [sums, differences] = [heap.allocate(numRows * numPlaces), heap.allocate(numRows * numPlaces)];
    // Room before the first sample: with few taps, places after the center read samples before it.
    const address = heap.store([0, 0, 0, 0, ...samples]) + 4 * FLOAT_BYTES;
    raw.foldTaps({
      sums,
      differences,
      outStride: numPlaces * FLOAT_BYTES,
      input: address,
      inputStride: step * FLOAT_BYTES,
      rows: numRows,
      taps: numTaps,
      places: numPlaces,
    });
    const folded = (sign: number): number[] =>
      table(numRows, numPlaces, (row, place) => {
        const first = row * step;
        const mirrored = first + numTaps - 1 - place;
        return samples[first + place]! + sign * (mirrored < 0 ? 0 : samples[mirrored]!);
      });
    expectClose(heap.floats(sums, numRows * numPlaces), folded(1), ROUNDING);
    expectClose(heap.floats(differences, numRows * numPlaces), folded(-1), ROUNDING);
  });

  it.each([true, false])('take the maximum of every three rows, of magnitudes: %s, and keep NaN', (magnitude) => {
    const { heap, raw } = kernelsOf(build);
    const [numRows, size, numChannels, width] = [3, 3, 8, 12];
    const values = random(numRows * size * width);
    for (const place of [0, 1, 2]) values[(place * size + place) * width + 5] = NaN;
    const out = heap.allocate(numRows * numChannels);
    raw.maxPool({
      out,
      outStride: numChannels * FLOAT_BYTES,
      input: heap.store(values),
      inputStride: width * FLOAT_BYTES,
      rows: numRows,
      size,
      channels: numChannels,
      magnitude,
    });
    const expected = table(numRows, numChannels, (row, channel) => {
      const own = [0, 1, 2].map((place) => values[(row * size + place) * width + channel]!);
      return Math.max(...own.map((value) => (magnitude ? Math.abs(value) : value)));
    });
    expectSame(heap.floats(out, expected.length), expected);
  });

  it('subtract a row from rows, scale and shift them, apply leaky ReLU, and keep NaN', () => {
    const { heap, raw } = kernelsOf(build);
    const [numRows, numChannels, width] = [3, 8, 12];
    const [values, row, scale, shift] = [random(numRows * width), random(numChannels), random(numChannels), random(numChannels)];
    values[width + 5] = NaN;
    const input = heap.store(values);
    raw.subtractRow(input, width * FLOAT_BYTES, heap.store(row), numRows, numChannels);
    const left = table(numRows, width, (index, column) => values[index * width + column]! - (row[column] ?? 0));
    expectSame(heap.floats(input, left.length), left);
    const out = heap.allocate(numRows * numChannels);
    raw.scaleShiftLeaky({
      out,
      outStride: numChannels * FLOAT_BYTES,
      input,
      inputStride: width * FLOAT_BYTES,
      scale: heap.store(scale),
      shift: heap.store(shift),
      rows: numRows,
      channels: numChannels,
      slope: 0.25,
    });
    const leaky = (value: number): number => (value < 0 ? value / 4 : value);
    const bent = table(numRows, numChannels, (index, channel) => leaky(left[index * width + channel]! * scale[channel]! + shift[channel]!));
    expectSame(heap.floats(out, bent.length), bent);
    raw.leakyRelu(out, bent.length, 0.25);
    expectSame(heap.floats(out, bent.length), bent.map(leaky));
  });

  const sizes = [1, 2, 3, 4, 5].flatMap((numWindows) => [8, 16].map((numUnits) => [numWindows, numUnits] as const));
  it.each(sizes)('run an LSTM over %i windows with %i units, in both directions', (numWindows, numUnits) => {
    const numFrames = 5;
    const gates = random(numFrames * numWindows * 4 * numUnits).map((value) => 3 * value);
    const recurrence = { numUnits, numWindows, gates, weights: random(4 * numUnits * numUnits) };
    const begin = { hidden: [...random(numWindows * numUnits)], cells: [...random(numWindows * numUnits)] };
    const expected = recur(recurrence, begin);
    const forwards = recurOn(kernelsOf(build), recurrence, begin);
    expectClose(forwards.hidden, expected.hidden, STATE_ROUNDING);
    expectClose(forwards.cells, expected.cells, STATE_ROUNDING);
    expect(recurOn(kernelsOf(build), recurrence, begin, true)).toEqual(forwards);

    // Each window alone, bit for bit.
    for (let window = 0; window < numWindows; window++) {
      const size = 4 * numUnits;
      const own = gates.filter((_, i) => Math.floor(i / size) % numWindows === window);
      const part = (values: readonly number[]): number[] => values.slice(window * numUnits, (window + 1) * numUnits);
      const alone = { hidden: part(begin.hidden), cells: part(begin.cells) };
      const found = recurOn(kernelsOf(build), { ...recurrence, numWindows: 1, gates: own }, alone);
      expect(found).toEqual({ hidden: part(forwards.hidden), cells: part(forwards.cells) });
    }
  });

  it('activate within the documented error, from -100 to 100 and beyond', () => {
    const numUnits = 8;
    const even = Array.from({ length: 4001 }, (_, i) => (i - 2000) / 20);
    const values = [...even, ...random(4000).map((value) => 8 * value), -1e30, 1e30, -Infinity, Infinity];
    const numWindows = Math.ceil(values.length / numUnits);
    const padded = Array.from({ length: numWindows * numUnits }, (_, i) => values[i] ?? 0);
    const weights = new Float32Array(4 * numUnits * numUnits);
    // All gates except one are open or closed. The previous state is zero, so the weights do not matter.
    const run = (gatesOf: (value: number) => readonly [i: number, o: number, f: number, g: number], cells: number[]): States => {
      const gates = new Float32Array(padded.length * 4);
      for (const [index, value] of padded.entries()) {
        const row = Math.floor(index / numUnits) * 4 * numUnits + (index % numUnits);
        for (const [kind, gate] of gatesOf(value).entries()) gates[row + kind * numUnits] = gate;
      }
      return recurOn(kernelsOf(build), { numUnits, numWindows, gates, weights }, { hidden: padded.map(() => 0), cells });
    };
    const exact = padded.map(Math.fround);
    const [zeros, ones] = [padded.map(() => 0), padded.map(() => 1)];
    expectClose(run((value) => [50, 50, -50, value], zeros).cells, exact.map(Math.tanh), ACTIVATION_ROUNDING);
    expectClose(run((value) => [value, 50, -50, 50], zeros).cells, exact.map(sigmoid), ACTIVATION_ROUNDING);
    expectClose(run((value) => [-50, 50, value, 0], ones).cells, exact.map(sigmoid), ACTIVATION_ROUNDING);
    expectClose(run((value) => [-50, value, 50, 0], ones).hidden, exact.map((value) => sigmoid(value) * Math.tanh(1)), ACTIVATION_ROUNDING);
    // Cells of any magnitude, with half of them kept.
    const large = exact.map((value) => (Number.isFinite(value) ? Math.max(-1000, Math.min(1000, value)) : 0));
    const kept = run(() => [50, 50, 0, 50], large);
    const relative = (cell: number, i: number): number => cell / (1 + Math.abs(large[i]!));
    expectClose(kept.cells.map(relative), large.map((value) => value / 2 + 1).map(relative), CELL_ROUNDING);
    expectClose(kept.hidden, kept.cells.map(Math.tanh), ACTIVATION_ROUNDING);
  });

  it('keep NaN of every gate', () => {
    for (const kind of [0, 1, 2, 3]) {
      const gates = new Float32Array(4 * 8);
      gates[kind * 8 + 3] = NaN;
      const zeros = Array.from({ length: 8 }, () => 0);
      const recurrence = { numUnits: 8, numWindows: 1, gates, weights: new Float32Array(4 * 64) };
      const { hidden } = recurOn(kernelsOf(build), recurrence, { hidden: zeros, cells: zeros });
      expect(hidden.map(Number.isNaN)).toEqual(zeros.map((_, unit) => unit === 3));
    }
  });
});
