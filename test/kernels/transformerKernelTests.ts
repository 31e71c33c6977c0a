/** Shared tests for the kernels of Transformers: Vitest runs them with the CPU references, and on Dawn with the WGSL kernels. */
import assert from 'node:assert/strict';
import { type LayerNormStep, packLayerNorm } from '../../src/gpu/layerNorm';
import { type AttentionStep, HEAD_SIZE, packRotation } from '../../src/sortformer/gpuAttention';
import { noise } from './fixtures/goldens';

/** The kernels under test. Each writes to the output array of its step. */
export interface TransformerKernels {
  layerNorm(step: LayerNormStep<Float32Array>): Promise<void>;
  /** Changes the values. */
  gelu(values: Float32Array): Promise<void>;
  attention(step: AttentionStep<Float32Array>): Promise<void>;
}

/** Sums of some hundred products of order 1 in float32. */
const ROUNDING = 2e-5;

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string, bound = ROUNDING): void {
  assert.equal(actual.length, expected.length, `number of ${what}`);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    // NaN compares false with everything and must not pass.
    worst = Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
  }
  assert.ok(worst <= bound, `${what} differ by ${worst}`);
}

/** The error function by its power series, in float64. Cancellation limits it to |x| < 5; beyond that it is ±1 in float32. */
function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** Tables of angles that differ in every frame and channel. */
function rotationOf(numFrames: number): Float32Array<ArrayBuffer> {
  const half = HEAD_SIZE / 2;
  const angle = (i: number): number => Math.floor(i / half) * 10 ** (-4 * (i % half) / half);
  const table = (of: (value: number) => number): Float32Array => Float32Array.from({ length: numFrames * half }, (_, i) => of(angle(i)));
  return packRotation(table(Math.cos), table(Math.sin));
}

/**
 * Registers the tests.
 *
 * @param test test function of the runner
 */
export function transformerKernelTests(test: (title: string, body: () => Promise<void>) => void, kernels: TransformerKernels): void {
  test('a layer norm has the mean and deviation that its weights ask for', async () => {
    const out = new Float32Array(4);
    // Mean 3, variance 5.
    const values = Float32Array.of(0, 2, 4, 6);
    await kernels.layerNorm({ values, numRows: 1, numChannels: 4, norm: packLayerNorm(Float32Array.of(1, 1, 2, 1), Float32Array.of(0, 0, 0, 7)), epsilon: 0, out });
    const root = Math.sqrt(5);
    assertClose(out, [-3 / root, -1 / root, 2 / root, 7 + 3 / root], 'values');
  });

  test('a layer norm of rows of any size matches its definition, on a level and for constants', async () => {
    for (const [numRows, numChannels] of [[1, 1], [3, 33], [5, 64], [2, 129], [7, 512]] as const) {
      const values = noise(numRows * numChannels, 3).map((value, i) => (i < numChannels ? 0.5 : value + 4));
      const [scale, shift] = [noise(numChannels, 4), noise(numChannels, 5)];
      const out = new Float32Array(numRows * numChannels);
      await kernels.layerNorm({ values, numRows, numChannels, norm: packLayerNorm(scale, shift), epsilon: 1e-5, out });
      const expected = values.map((value, i) => {
        const own = [...values.subarray(i - (i % numChannels), i - (i % numChannels) + numChannels)];
        const mean = own.reduce((sum, other) => sum + other, 0) / numChannels;
        const variance = own.reduce((sum, other) => sum + (other - mean) ** 2, 0) / numChannels;
        return ((value - mean) / Math.sqrt(variance + 1e-5)) * scale[i % numChannels]! + shift[i % numChannels]!;
      });
      assertClose(out, expected, `values of ${numRows} × ${numChannels}`);
    }
  });

  test('GELU matches its definition for small, large and negative values', async () => {
    for (const length of [1, 255, 1029]) {
      const values = Float32Array.from({ length }, (_, i) => (length === 1 ? -0.75 : 24 * (i / (length - 1) - 0.5)));
      const expected = Array.from(values, (x) => (x * (1 + erf(x / Math.SQRT2))) / 2);
      await kernels.gelu(values);
      // The formula's error is 1.5e-7 of values up to 12; float32 adds as much.
      assertClose(values, expected, `values of ${length}`, 4e-6);
    }
  });

  test('attention to one frame returns its value, and equal scores return the mean', async () => {
    const numHeads = 2;
    const projections = noise(3 * 3 * numHeads * HEAD_SIZE, 3);
    const valueOf = (frame: number): Float32Array => projections.subarray((frame * 3 + 2) * numHeads * HEAD_SIZE, (frame * 3 + 3) * numHeads * HEAD_SIZE);
    const step = { projections, rotation: rotationOf(3), numFrames: 3, numHeads, scale: 1 / 8 };
    const out = new Float32Array(3 * numHeads * HEAD_SIZE);
    await kernels.attention({ ...step, numKeys: 1, out });
    for (let frame = 0; frame < 3; frame++) assert.deepEqual(out.subarray(frame * numHeads * HEAD_SIZE, (frame + 1) * numHeads * HEAD_SIZE), valueOf(0));
    await kernels.attention({ ...step, numKeys: 3, scale: 0, out });
    const mean = valueOf(0).map((value, i) => (value + valueOf(1)[i]! + valueOf(2)[i]!) / 3);
    assertClose(out, [...mean, ...mean, ...mean], 'means');
  });

  test('attention matches its definition for odd numbers of frames, with padding and with large scores', async () => {
    for (const [numFrames, numKeys, numHeads, gain] of [[1, 1, 1, 1], [17, 17, 3, 4], [33, 32, 2, 40], [70, 65, 2, 4], [50, 3, 1, 40]] as const) {
      const width = numHeads * HEAD_SIZE;
      const projections = noise(numFrames * 3 * width, numFrames).map((value, i) => (Math.floor(i / width) % 3 === 2 ? value : gain * value));
      const rotation = rotationOf(numFrames);
      const out = new Float32Array(numFrames * width);
      await kernels.attention({ projections, rotation, numFrames, numKeys, numHeads, scale: 1 / 8, out });
      // Pairs of channels as complex numbers, rotated by the angle of the frame.
      const turned = (frame: number, part: number, head: number): [number, number][] =>
        Array.from({ length: 32 }, (_, c) => {
          const place = (frame * 3 + part) * width + head * HEAD_SIZE + c;
          const [re, im] = [projections[place]!, projections[place + 32]!];
          const [cos, sin] = [rotation[frame * 64 + c]!, rotation[frame * 64 + 32 + c]!];
          return [re * cos - im * sin, im * cos + re * sin];
        });
      const expected = new Float32Array(out.length);
      for (let head = 0; head < numHeads; head++) {
        for (let frame = 0; frame < numFrames; frame++) {
          const query = turned(frame, 0, head);
          const scores = Array.from({ length: numKeys }, (_, key) => turned(key, 1, head).reduce((sum, [re, im], c) => sum + re * query[c]![0] + im * query[c]![1], 0) / 8);
          const greatest = Math.max(...scores);
          const total = scores.reduce((sum, score) => sum + Math.exp(score - greatest), 0);
          for (let c = 0; c < HEAD_SIZE; c++) {
            expected[frame * width + head * HEAD_SIZE + c] = scores.reduce((sum, score, key) => sum + (Math.exp(score - greatest) / total) * projections[(key * 3 + 2) * width + head * HEAD_SIZE + c]!, 0);
          }
        }
      }
      // Scores of order 100 have rounding errors of about 1e-5 each, which the weights inherit.
      assertClose(out, expected, `values of ${numFrames} frames`, gain > 10 ? 1e-4 : ROUNDING);
    }
  });

  test('attention ignores what is in the padding', async () => {
    const [numFrames, numKeys, numHeads] = [40, 35, 1];
    const projections = noise(numFrames * 3 * HEAD_SIZE, 9);
    const step = { rotation: rotationOf(numFrames), numFrames, numKeys, numHeads, scale: 1 / 8 };
    const [first, second] = [new Float32Array(numFrames * HEAD_SIZE), new Float32Array(numFrames * HEAD_SIZE)];
    await kernels.attention({ ...step, projections, out: first });
    await kernels.attention({ ...step, projections: projections.map((value, i) => (i < numKeys * 3 * HEAD_SIZE ? value : 50)), out: second });
    assert.deepEqual(second.subarray(0, numKeys * HEAD_SIZE), first.subarray(0, numKeys * HEAD_SIZE));
  });
}
