/** Shared tests for the kernels of networks: Vitest runs them with the CPU references, and on Dawn with the WGSL kernels. */
import assert from 'node:assert/strict';
import type { PackedGates } from '../../src/embedding/gpuGates';
import type { GatherPlace } from '../../src/embedding/gpuGatherBatch';
import { maskedFeatures } from '../../src/embedding/mask';
import type { StatsKind, StatsStep } from '../../src/gpu/channelStats';
import type { SurveyStep } from '../../src/gpu/mapGuard';
import { packWeights, type PackedWeights, type ProductStep } from '../../src/gpu/product';
import type { LstmStep } from '../../src/segmentation/gpuLstm';
import { packClassifier } from '../../src/segmentation/gpuScores';
import { halfToFloat32 } from '../../src/util/numberTypes';
import { roundToFloat16 } from '../../src/util/toFloat16';
import { noise } from './fixtures/goldens';

/** The kernels under test. Each writes to the output array of its step. */
export interface NetworkKernels {
  product(packed: PackedWeights, step: ProductStep<Float32Array, Uint32Array>): Promise<void>;
  stats(kind: StatsKind, step: StatsStep<Float32Array, Uint32Array>): Promise<void>;
  lstm(step: LstmStep<Float32Array>): Promise<void>;
  /** @returns axes (row, class) */
  scores(packed: ReturnType<typeof packClassifier>, input: Float32Array): Promise<Float32Array>;
  gates(packed: PackedGates, step: { hidden: Float32Array; items: Uint32Array; segmentRows: number; numGateRows: number }): Promise<Float32Array>;
  /** @returns axes (frame, mel + 2) */
  gather(source: { features: Float32Array; numFrames: number; numMelBins: number; subtractMean: boolean; paddingColumns?: 0 }, places: readonly GatherPlace[], numRows: number): Promise<Float32Array>;
  /** Checks the maps one after the other, and then marks `result` if one is broken. @returns the result */
  guard(steps: readonly SurveyStep<Float32Array, Uint32Array>[], result: Float32Array): Promise<Float32Array>;
}

/** Earlier value of gathered rows, which stays in the padding. */
export const UNTOUCHED = 3;
/** Sums of some hundred products of order 1 in float32. */
const ROUNDING = 2e-5;

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  assert.equal(actual.length, expected.length, `number of ${what}`);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    // NaN compares false with everything and must not pass.
    worst = Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
  }
  assert.ok(worst <= ROUNDING, `${what} differ by ${worst}`);
}

const leaky = (value: number, slope: number): number => (value > 0 ? value : slope * value);

/**
 * Registers the tests.
 *
 * @param test test function of the runner
 */
export function networkKernelTests(test: (title: string, body: () => Promise<void>) => void, kernels: NetworkKernels): void {
  test('a product of several tiles, with columns that do not fill a tile', async () => {
    for (const [numRows, numInputs, numColumns] of [[1, 1, 1], [100, 19, 33], [97, 48, 32], [5, 33, 80]] as const) {
      const weight = noise(numInputs * numColumns, 3);
      const bias = noise(numColumns, 4);
      const input = noise(numRows * numInputs, 5);
      const expected = Array.from({ length: numRows * numColumns }, (_, i) => {
        const [row, column] = [Math.floor(i / numColumns), i % numColumns];
        let sum = bias[column]!;
        for (let k = 0; k < numInputs; k++) sum += input[row * numInputs + k]! * weight[column * numInputs + k]!;
        return leaky(sum, 0.25);
      });
      const packed = packWeights({ numInputs, numColumns, bias }, (k, column) => weight[column * numInputs + k]!);
      const out = new Float32Array(numRows * numColumns);
      await kernels.product(packed, { input, inputRows: { base: 0, outerStride: numInputs }, out, outRows: { base: 0, outerStride: numColumns }, numRows, slope: 0.25 });
      assertClose(out, expected, `values of ${numRows} × ${numInputs} × ${numColumns}`);
    }
  });

  test('a product of float16 weights is that of the same weights as float32', async () => {
    for (const [numRows, numInputs, numColumns] of [[3, 5, 1], [100, 19, 33], [97, 48, 64], [5, 33, 80]] as const) {
      // Every exponent of normal float16, up to the greatest value, which inputs bring back to the order of 1.
      const scaleOf = (k: number): number => 2 ** ((k % 30) - 14);
      const { bits } = roundToFloat16(noise(numInputs * numColumns, 3).map((value, i) => (Math.sign(value) + value) * scaleOf(i % numInputs)));
      const rounded = halfToFloat32(new Uint8Array(bits.buffer));
      const bias = noise(numColumns, 4);
      const input = noise(numRows * numInputs, 5).map((value, i) => value / scaleOf(i % numInputs));
      const expected = Array.from({ length: numRows * numColumns }, (_, i) => {
        const [row, column] = [Math.floor(i / numColumns), i % numColumns];
        let sum = bias[column]!;
        for (let k = 0; k < numInputs; k++) sum += input[row * numInputs + k]! * rounded[column * numInputs + k]!;
        return sum;
      });
      const packed = packWeights({ numInputs, numColumns, bias, isHalf: true }, (k, column) => bits[column * numInputs + k]!);
      const out = new Float32Array(numRows * numColumns);
      await kernels.product(packed, { input, inputRows: { base: 0, outerStride: numInputs }, out, outRows: { base: 0, outerStride: numColumns }, numRows });
      assertClose(out, expected, `values of ${numRows} × ${numInputs} × ${numColumns}`);
      // Half of the bytes.
      assert.equal(2 * packed.weights.byteLength, packWeights({ numInputs, numColumns, bias }, () => 0).weights.byteLength);
    }
  });

  test('a strided convolution with normalized inputs and pooled magnitudes, of several items', async () => {
    const [numItems, numSamples, numTaps, stride, numColumns] = [2, 1000, 21, 3, 40];
    const numPooled = Math.floor((Math.floor((numSamples - numTaps) / stride) + 1) / 3);
    const weight = noise(numTaps * numColumns, 7);
    const bias = noise(numColumns, 8);
    const input = noise(numItems * numSamples, 9);
    const factors = Float32Array.of(0.1, 2, 0.3, 0.5, -0.2, 1.5, 0, 0.1);
    const normalized = input.map((value, i) => {
      const [center, scale, shift, slope] = [...factors.subarray(4 * Math.floor(i / numSamples))] as [number, number, number, number];
      return leaky((value - center) * scale + shift, slope);
    });
    const filtered = (item: number, row: number, column: number): number => {
      let sum = bias[column]!;
      for (let tap = 0; tap < numTaps; tap++) sum += normalized[item * numSamples + row * stride + tap]! * weight[column * numTaps + tap]!;
      return sum;
    };
    const packed = packWeights({ numInputs: numTaps, numColumns, bias }, (k, column) => weight[column * numTaps + k]!);
    for (const pool of ['magnitudes', 'values'] as const) {
      const out = new Float32Array(numItems * numPooled * numColumns);
      const own = (value: number): number => (pool === 'magnitudes' ? Math.abs(value) : value);
      const expected = out.map((_, i) => {
        const [item, row, column] = [Math.floor(i / numPooled / numColumns), Math.floor(i / numColumns) % numPooled, i % numColumns];
        return Math.max(...[0, 1, 2].map((part) => own(filtered(item, 3 * row + part, column))));
      });
      const rows = { inputRows: { base: 0, itemStride: numSamples, outerStride: stride }, outRows: { base: 0, itemStride: numPooled * numColumns, outerStride: numColumns } };
      await kernels.product(packed, { input, out, ...rows, numRows: 3 * numPooled, numItems, factors, channels: 1, pool });
      assertClose(out, expected, `pooled ${pool}`);
    }
  });

  test('a convolution of a padded map that adds a map, with zeros in gaps', async () => {
    const [numFrames, numFrequencies, numChannels, stride] = [9, 7, 5, 2];
    const numOut = Math.floor((numFrequencies - 1) / stride) + 1;
    const width = (numFrequencies + 2) * numChannels;
    const weight = noise(9 * numChannels * numChannels, 2);
    const table = Uint32Array.of(0, 1, 1, 1, 1, 0, 1, 1, 0);
    const values = noise(numFrames * numFrequencies * numChannels, 3);
    const valueAt = (frame: number, frequency: number, channel: number): number =>
      frequency < 0 || frequency >= numFrequencies || table[frame] !== 1 ? 0 : values[(frame * numFrequencies + frequency) * numChannels + channel]!;
    const input = Float32Array.from({ length: numFrames * width }, (_, i) => valueAt(Math.floor(i / width), Math.floor((i % width) / numChannels) - 1, i % numChannels));
    const before = noise(numFrames * numOut * numChannels, 6);
    const expected = before.map((added, i) => {
      const [frame, frequency, column] = [Math.floor(i / numOut / numChannels), Math.floor(i / numChannels) % numOut, i % numChannels];
      let sum = added;
      for (let tap = 0; tap < 9; tap++) {
        for (let channel = 0; channel < numChannels; channel++) {
          const at = valueAt(frame + Math.floor(tap / 3) - 1, stride * frequency + (tap % 3) - 1, channel);
          sum += at * weight[(tap * numChannels + channel) * numChannels + column]!;
        }
      }
      return table[frame] === 0 ? 0 : Math.max(0, sum);
    });
    const packed = packWeights({ numInputs: 9 * numChannels, numColumns: numChannels, bias: new Float32Array(numChannels) }, (k, column) => weight[k * numChannels + column]!);
    const out = before.slice();
    await kernels.product(packed, {
      input,
      inputRows: { base: -width, outerStride: width, innerStride: stride * numChannels },
      tapLength: 3 * numChannels,
      tapStride: width,
      out,
      outRows: { base: 0, outerStride: numOut * numChannels, innerStride: numChannels },
      numRows: numFrames * numOut,
      innerRows: numOut,
      accumulate: true,
      slope: 0,
      // The table belongs to a longer sequence of frames.
      table: Uint32Array.of(7, 7, ...table),
      tableBase: 2,
    });
    assertClose(out, expected, 'values of the map');
  });

  test('a convolution reports for each item whether what it reads is all zero', async () => {
    const [numChannels, numColumns, innerRows] = [20, 35, 3];
    // Three items with gaps of two. Tiles of rows begin inside of items.
    const lengths = [40, 50, 47];
    const table = [0, 0, ...lengths.flatMap((length, item) => [...Array.from({ length }, () => 1 + item), 0, 0])];
    const numRows = table.length * innerRows;
    const weight = noise(3 * numChannels * numColumns, 5);
    const packed = packWeights({ numInputs: 3 * numChannels, numColumns, bias: new Float32Array(numColumns).fill(0.5) }, (k, column) => weight[k * numColumns + column]!);
    // One value each: in the last row of the first item that any row reads, and in the first of the third. Gaps are not reported.
    const input = new Float32Array(numRows * numChannels);
    const placeOf = (item: number, first: boolean): number => innerRows * (first ? table.indexOf(1 + item) : table.lastIndexOf(1 + item) + 1) - (first ? 0 : 1);
    input[placeOf(0, false) * numChannels + 19] = 1e-30;
    input[placeOf(2, true) * numChannels] = -2;
    const out = new Float32Array(numRows * numColumns);
    out[placeOf(1, false) * numColumns + 34] = 3;
    out.fill(7, 0, 2 * innerRows * numColumns);
    const step = {
      input,
      inputRows: { base: -innerRows * numChannels, outerStride: innerRows * numChannels, innerStride: numChannels },
      tapLength: numChannels,
      tapStride: innerRows * numChannels,
      out,
      outRows: { base: 0, outerStride: innerRows * numColumns, innerStride: numColumns },
      innerRows,
      numRows,
    };
    // The table belongs to a longer sequence of frames. The reports of another slice stay.
    const found = Uint32Array.of(...[0, 0, 0, 0], ...[0, 0, 0, 0], ...[1, 0, 0, 0]);
    await kernels.product(packed, { ...step, table: Uint32Array.of(2, ...table), tableBase: 1, accumulate: true, survey: { found, numMaps: 4, map: 1 } });
    assert.deepEqual([...found], [0, 1, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0]);
    assertClose(out.subarray(0, 2 * innerRows * numColumns), new Float32Array(2 * innerRows * numColumns), 'gaps');
  });

  test('a dilated convolution whose rows are multiplied by the gates of their segment', async () => {
    const [numRows, numChannels, numColumns] = [130, 12, 32];
    const weight = noise(3 * numChannels * numColumns, 5);
    const table = Uint32Array.from({ length: numRows }, (_, row) => (row < 2 || row > 127 ? 0 : 1 + Math.floor(row / 50)));
    const input = noise(numRows * numChannels, 6).map((value, i) => (table[Math.floor(i / numChannels)] === 0 ? 0 : value));
    const gates = noise(3 * numColumns, 8);
    const before = noise(numRows * 50, 9);
    const out = before.slice();
    const expected = before.map((value, i) => {
      const [row, column] = [Math.floor(i / 50), (i % 50) - 10];
      if (column < 0 || column >= numColumns) return value;
      if (table[row] === 0) return 0;
      let sum = 0.5;
      for (let k = 0; k < 3 * numChannels; k++) {
        const from = row + 2 * (Math.floor(k / numChannels) - 1);
        sum += (input[from * numChannels + (k % numChannels)] ?? 0) * weight[k * numColumns + column]!;
      }
      return sum * gates[(table[row]! - 1) * numColumns + column]!;
    });
    const packed = packWeights({ numInputs: 3 * numChannels, numColumns, bias: new Float32Array(numColumns).fill(0.5) }, (k, column) => weight[k * numColumns + column]!);
    await kernels.product(packed, {
      input,
      inputRows: { base: -2 * numChannels, outerStride: numChannels },
      tapLength: numChannels,
      tapStride: 2 * numChannels,
      out,
      outRows: { base: 10, outerStride: 50 },
      numRows,
      gates,
      table,
    });
    assertClose(out, expected, 'gated values');
  });

  test('statistics of rows match their definition, and are exact for constants', async () => {
    const [numChannels, rowStride] = [21, 24];
    const values = noise(400 * rowStride, 3).map((value, i) => (i % rowStride === 4 ? 0.3 : value + 5));
    const items = Uint32Array.of(10, 300, 320, 7);
    const norm = noise(2 * numChannels, 4);
    const column = (item: number, channel: number): number[] =>
      Array.from({ length: items[2 * item + 1]! }, (_, row) => values[(items[2 * item]! + row) * rowStride + channel]!);
    const moments = (own: number[]): [number, number] => {
      const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
      return [mean, own.reduce((sum, value) => sum + (value - mean) ** 2, 0)];
    };
    const step = { values, rowStride, numChannels, numItems: 2, items };
    const factors = new Float32Array(2 * numChannels * 4);
    await kernels.stats('factors', { ...step, norm, epsilon: 1e-5, slope: 0.25, out: factors });
    const deviations = new Float32Array(2 * numChannels * 2);
    await kernels.stats('deviations', { ...step, out: deviations });
    for (let item = 0; item < 2; item++) {
      for (let channel = 0; channel < numChannels; channel++) {
        const own = column(item, channel);
        const [mean, squares] = moments(own);
        const [scale, shift] = [norm[2 * channel]!, norm[2 * channel + 1]!];
        const found = factors.subarray(4 * (item * numChannels + channel), 4 * (item * numChannels + channel) + 4);
        const normalized = own.map((value) => (value - found[0]!) * found[1]! + found[2]!);
        const expected = own.map((value) => ((value - mean) / Math.sqrt(squares / own.length + 1e-5)) * scale + shift);
        if (channel === 4) assert.deepEqual(normalized, own.map(() => shift));
        else assertClose(normalized, expected, 'normalized values');
        assert.equal(found[3], 0.25);
        const pair = [deviations[2 * item * numChannels + channel]!, deviations[(2 * item + 1) * numChannels + channel]!];
        assertClose(pair, [mean, Math.sqrt(squares / (own.length - 1))], 'statistics');
      }
    }
  });

  test('statistics of one channel match their definition', async () => {
    const values = noise(5000, 3).map((value) => value + 0.5);
    const out = new Float32Array(8);
    const items = Uint32Array.of(0, 3000, 3000, 2000);
    await kernels.stats('factors', { values, rowStride: 1, numChannels: 1, numItems: 2, items, norm: Float32Array.of(2, 1), epsilon: 1e-5, out });
    const expected = [values.subarray(0, 3000), values.subarray(3000)].flatMap((own) => {
      const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
      const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length;
      return [mean, 2 / Math.sqrt(variance + 1e-5), 1, 1];
    });
    assertClose(out, expected, 'factors');
  });

  // Workgroups process two windows: one alone, a whole workgroup, and one that is half used.
  for (const numWindows of [1, 2, 3]) test(`the LSTM matches its definition in both directions, for saturated gates and windows: ${numWindows}`, async () => {
    const [numUnits, numFrames] = [128, 6];
    const inputs = noise(numWindows * numFrames * 2 * numUnits * 4, 3).map((value, i) => (i % 97 === 0 ? 400 * value : 4 * value));
    const weights = noise(2 * numUnits * numUnits * 4, 4).map((value) => value / 2);
    const out = new Float32Array(numWindows * numFrames * 2 * numUnits);
    await kernels.lstm({ numUnits, numWindows, numFrames, inputs, weights, out });
    const expected = new Float32Array(out.length);
    const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
    for (let window = 0; window < numWindows; window++) {
      for (const direction of [0, 1]) {
        let [hidden, cell]: [number[], number[]] = [Array<number>(numUnits).fill(0), Array<number>(numUnits).fill(0)];
        const frames = [...Array(numFrames).keys()];
        for (const frame of direction === 0 ? frames : frames.toReversed()) {
          const row = ((window * numFrames + frame) * 2 + direction) * numUnits;
          const gate = (index: number): number[] =>
            hidden.map((_, unit) => hidden.reduce((sum, value, from) => sum + value * weights[((direction * numUnits + from) * numUnits + unit) * 4 + index]!, inputs[(row + unit) * 4 + index]!));
          const [i, o, f, g] = [0, 1, 2, 3].map(gate) as [number[], number[], number[], number[]];
          cell = cell.map((value, unit) => sigmoid(f[unit]!) * value + sigmoid(i[unit]!) * Math.tanh(g[unit]!));
          hidden = cell.map((value, unit) => sigmoid(o[unit]!) * Math.tanh(value));
          expected.set(hidden, row);
        }
      }
    }
    assertClose(out, expected, 'states');
  });

  test('scores are log-probabilities, also of large logits', async () => {
    const [numRows, numInputs, numClasses] = [19, 12, 7];
    const weight = { data: noise(numInputs * numClasses, 3), shape: [numInputs, numClasses] };
    const bias = noise(numClasses, 4);
    const input = noise(numRows * numInputs, 5).map((value, i) => (i < numInputs ? 100 * value : value));
    const scores = await kernels.scores(packClassifier({ weight, bias }), input);
    for (let row = 0; row < numRows; row++) {
      const logits = Array.from(bias, (value, column) => value + input.subarray(row * numInputs, (row + 1) * numInputs).reduce((sum, own, k) => sum + own * weight.data[k * numClasses + column]!, 0));
      const total = Math.log(logits.reduce((sum, value) => sum + Math.exp(value - Math.max(...logits)), 0)) + Math.max(...logits);
      assertClose(scores.subarray(row * numClasses, (row + 1) * numClasses).map((value) => value / (row === 0 ? 100 : 1)), logits.map((value) => (value - total) / (row === 0 ? 100 : 1)), 'scores');
    }
  });

  test('gates match their definition, for items of one segment and of several', async () => {
    const shape = { numChannels: 128, numInner: 64, numGates: 32 };
    const packed = { ...shape, first: noise(129 * 64, 3), second: noise(65 * 32, 4) } as PackedGates;
    const hidden = noise(60 * 128, 5);
    const items = Uint32Array.of(2, 9, 0, 0, 13, 40, 1, 0);
    const segmentRows = 15;
    const gates = await kernels.gates(packed, { hidden, items, segmentRows, numGateRows: 4 });
    const mean = (begin: number, end: number): number[] =>
      Array.from({ length: 128 }, (_, channel) => {
        let sum = 0;
        for (let row = begin; row < end; row++) sum += hidden[row * 128 + channel]!;
        return sum / (end - begin);
      });
    const expected = [[2, 11, 2, 11], [13, 28, 13, 53], [28, 43, 13, 53], [43, 53, 13, 53]].flatMap(([begin, end, first, last]) => {
      const [own, all] = [mean(begin!, end!), mean(first!, last!)];
      const context = own.map((value, channel) => value + all[channel]!);
      const inner = Array.from({ length: 64 }, (_, n) => Math.max(0, context.reduce((sum, value, k) => sum + value * packed.first[k * 64 + n]!, packed.first[128 * 64 + n]!)));
      return Array.from({ length: 32 }, (_, n) => 1 / (1 + Math.exp(-inner.reduce((sum, value, k) => sum + value * packed.second[k * 32 + n]!, packed.second[64 * 32 + n]!))));
    });
    assertClose(gates, expected, 'gates');
  });

  test('gathering places the masked features of several speakers, with zeros after them', async () => {
    const [numWindows, numFrames, numMelBins] = [2, 40, 20];
    const features = noise(numWindows * numFrames * numMelBins, 11).map((value) => 20 * value - 5);
    const frames = (step: number): Uint32Array => Uint32Array.from({ length: Math.ceil(numFrames / step) }, (_, i) => i * step);
    const places = [{ window: 1, used: frames(3), firstFrame: 4, clearEnd: 22 }, { window: 0, used: frames(1), firstFrame: 22, clearEnd: 66 }];
    for (const [subtractMean, padding] of [[true, 1], [false, 1], [true, 0]] as const) {
      const out = await kernels.gather({ features, numFrames, numMelBins, subtractMean, ...(padding === 0 && { paddingColumns: 0 }) }, places, 66);
      const width = numMelBins + 2 * padding;
      const expected = new Float32Array(66 * width).fill(UNTOUCHED);
      for (const { window, used, firstFrame, clearEnd } of places) {
        const mask = Uint8Array.from({ length: numFrames }, (_, frame) => Number(used.includes(frame)));
        const data = features.subarray(window * numFrames * numMelBins, (window + 1) * numFrames * numMelBins);
        const own = maskedFeatures({ data, numFrames, numMelBins }, mask, subtractMean);
        for (let frame = firstFrame; frame < clearEnd; frame++) {
          for (let mel = 0; mel < numMelBins; mel++) {
            expected[frame * width + padding + mel] = own[(frame - firstFrame) * numMelBins + mel] ?? 0;
          }
        }
      }
      assertClose(out, expected, 'features');
    }
  });

  test('a guard marks the result if a part of a map is broken, and only then', async () => {
    const result = noise(300, 1);
    const marked = async (...steps: readonly SurveyStep<Float32Array, Uint32Array>[]): Promise<boolean> => {
      const values = await kernels.guard(steps, result);
      const isMarked = values.every(Number.isNaN);
      if (!isMarked) assert.deepEqual(values, result);
      return isMarked;
    };
    // Three items with several parts of rows and three groups of channels, in rows with other channels after them.
    const [perItem, rowStride] = [300, 50];
    const uniform = { rows: { perItem }, numItems: 3, rowStride, numChannels: 44, firstChannels: 36, groupChannels: 4 } as const;
    /** A map whose value at (row of an item, channel) is replaced. */
    const mapWith = (replace: (item: number, row: number, channel: number) => number | undefined): Float32Array =>
      noise(3 * perItem * rowStride, 2).map((value, i) => {
        const row = Math.floor(i / rowStride);
        return replace(Math.floor(row / perItem), row % perItem, i % rowStride) ?? value;
      });
    const unlessAt = (item: number, from: number, to: number, value: number) => (own: number, _: number, channel: number) =>
      own === item && channel >= from && channel < to ? value : undefined;
    const sound = { ...uniform, map: mapWith(() => undefined) };
    assert.equal(await marked(sound), false);
    for (const [item, row, channel, value] of [[0, 0, 0, NaN], [2, 299, 43, Infinity], [1, 150, 37, -Infinity]] as const) {
      const map = mapWith((...place) => (place.join() === [item, row, channel].join() ? value : undefined));
      assert.equal(await marked({ ...uniform, map }), true, `${value} at ${item}, ${row}, ${channel}`);
      assert.equal(await marked({ ...uniform, map, allowZeros: true }), true, `${value}, with zeros allowed`);
    }
    for (const [item, from, to] of [[0, 0, 36], [1, 36, 40], [2, 40, 44]] as const) {
      const zeros = { ...uniform, map: mapWith(unlessAt(item, from, to, 0)) };
      assert.equal(await marked(zeros), true, `zeros in item ${item}, channels from ${from}`);
      assert.equal(await marked(sound, zeros, sound), true, 'zeros in the second of three maps');
      assert.equal(await marked({ ...zeros, allowZeros: true }), false, 'zeros that are allowed');
      // Zeros of either sign, and one value, in the last part of the rows.
      const almost = mapWith((own, row, channel) => (row === 290 && channel === from ? 1e-40 : unlessAt(item, from, to, -0)(own, row, channel)));
      assert.equal(await marked({ ...uniform, map: almost }), false, 'a tiny value among zeros');
    }
    // Broken values beyond the channels, and in a gap between the rows of a table.
    const rows = { items: Uint32Array.of(0, 100, 101, 349), scale: 2, most: 698 };
    const outside = mapWith((item, row, channel) => (channel >= 44 || (item === 0 && (row === 200 || row === 201)) ? NaN : undefined));
    assert.equal(await marked({ ...uniform, rows, numItems: 2, map: outside }), false, 'values that belong to no item');
    assert.equal(await marked({ ...uniform, rows: { ...rows, items: Uint32Array.of(0, 101, 101, 349) }, numItems: 2, map: outside }), true, 'a row of the table');
  });
}
