/**
 * Our kernels around an embedding model in ONNX Runtime, on Dawn in Node: filterbank, gathering, pooling, and the checks of
 * values. A function in this file takes the place of the runtime, which needs seconds to start. test/full/gpuKernels.test.ts
 * compares the kernels with more references.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { poolOnCpu, poolOnGpu } from '../../src/compare/kernelRunner';
import { CpuEmbedder, type EmbedBatch, GpuEmbedder } from '../../src/embedding/embedder';
import { openPooledEmbedder } from '../../src/embedding/pooledEmbedder';
import { Fbank } from '../../src/features/fbank';
import { featureBytes, GpuFbank } from '../../src/features/gpuFbank';
import { uploadBuffer } from '../../src/gpu/buffers';
import { type GpuContext, openGpu, readBack } from '../../src/gpu/context';
import { encodeOnnx } from '../../src/onnx/model';
import type { FloatTensor, Graph } from '../../src/ort/graph';
import { sizeOf } from '../../src/util/shape';
import { healthy } from '../../src/util/values';
import { CENTERED_FACTS, CENTERED_RATE } from '../kernels/centeredFbankTests';
import { shareOf } from '../kernels/errorShare';
import { noise } from '../kernels/fixtures/goldens';
import { greatestDifference } from '../kernels/greatestDifference';
import { build, float, ints, node, weight } from '../onnx/build';
import { statisticsNodes } from '../onnx/pooling';
import { RESNET34 } from '../resnetGoldens';
import { installDawn, RUNTIME_BASE } from './dawn';
import { HEAD, NUM_CHANNELS, NUM_FRAMES, ROUNDING } from './pooledHead';
import { describeUnless } from '../skips';

const runtime = vi.hoisted(() => ({ graph: null as Graph | null, names: [] as string[] }));
vi.mock(import('../../src/ort/graph'), async (original) => ({
  ...(await original()),
  openGraph: (_, { input, output }) => {
    runtime.names = [input.name, output.name];
    return Promise.resolve(runtime.graph!);
  },
}));

const missing = await installDawn();

describeUnless(missing)('pooling of a comparison', () => {
  test('WGSL matches WASM, and wrong kernel weights affect only the embedding', async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter!.requestDevice();
    const map = { data: noise(NUM_CHANNELS * NUM_FRAMES, 3), numFrames: NUM_FRAMES };
    const expected = await poolOnCpu(HEAD)(map);
    const actual = await (await poolOnGpu(device, HEAD))(map);
    expect(greatestDifference(actual.statistics, expected.statistics)).toBeLessThan(ROUNDING);
    expect(greatestDifference(actual.embeddings, expected.embeddings)).toBeLessThan(ROUNDING);
    const wrong = await (await poolOnGpu(device, { ...HEAD, weight: HEAD.weight.with(5, 1) }))(map);
    expect(greatestDifference(wrong.statistics, expected.statistics)).toBeLessThan(ROUNDING);
    expect(greatestDifference(wrong.embeddings, expected.embeddings)).toBeGreaterThan(0.01);
    device.destroy();
  });
});

const SIZE = 4;
const MANIFEST = { ...RESNET34, embeddingSize: SIZE };
const { sampleRate } = MANIFEST;
const { numMelBins } = MANIFEST.fbank;
const [WINDOW_SAMPLES, WINDOW_FRAMES, NUM_SPEAKERS] = [3200, 18, 2];

/** Share of the spread: features of both filterbanks in float32, with another order of summation. */
const MAX_SHARE = 1e-3;

/** Positive values only. Like some hardware, it hides NaN. */
const relu = (value: number): number => (value > 0 ? value : 0);

/** ReLU of features: axes (window, frame, mel) to (window, mel, frame). */
function mapOf({ data, shape: [numWindows = 0, numFrames = 0, numMels = 0] }: FloatTensor): FloatTensor {
  const map = new Float32Array(data.length);
  for (const [i, value] of data.entries()) {
    const [row, mel] = [Math.floor(i / numMels), i % numMels];
    map[(Math.floor(row / numFrames) * numMels + mel) * numFrames + (row % numFrames)] = relu(value);
  }
  return { data: map, shape: [numWindows, numMels, numFrames] };
}

/** Means of the positive features of the first mel bins: axes (frame, mel) to (dimension). */
function meansOf({ data, shape: [, numFrames = 0] }: FloatTensor): FloatTensor {
  const means = new Float32Array(SIZE);
  for (const [i, value] of data.entries()) if (i % numMelBins < SIZE) means[i % numMelBins]! += relu(value) / numFrames;
  return { data: means, shape: [1, SIZE] };
}

/** `compute` as a model in ONNX Runtime, on either backend. */
const graphOf = (gpu: GpuContext, compute: (input: FloatTensor) => FloatTensor): Graph => ({
  async run(input, beforeReadback, instead) {
    if (!('buffer' in input)) return compute(input);
    const { data, shape } = compute({ data: await readBack(gpu.device, input.buffer, 4 * sizeOf(input.shape)), shape: input.shape });
    const output = uploadBuffer(gpu.device, 'output of the test', data as Float32Array<ArrayBuffer>);
    const result = instead ?? { buffer: output, shape };
    const record = (encoder: GPUCommandEncoder): void => beforeReadback?.(encoder, output, data.byteLength);
    const values = await gpu.guard(() => readBack(gpu.device, result.buffer, 4 * sizeOf(result.shape), record));
    output.destroy();
    return { data: healthy(values, 'of the test', 'gpu-wrong'), shape: result.shape };
  },
  release: () => Promise.resolve(),
});

/** Each window is louder than the one before. */
const windows = noise(3 * WINDOW_SAMPLES, 5).map((value, i) => value * 0.1 * (1 + Math.floor(i / WINDOW_SAMPLES)));
const features = Array.from({ length: 3 }, (_, window) =>
  new Fbank(MANIFEST.fbank, sampleRate).compute(windows.subarray(window * WINDOW_SAMPLES, (window + 1) * WINDOW_SAMPLES)).data);

/** Frames of each speaker, axes (window, speaker): silence in the first window, an overlap in the second, whose start is not aligned. */
const TURNS = [[[0, 0], [0, 0]], [[0, 10], [7, 18]], [[0, 0], [0, 18]]] as const;
/** The same without overlaps, which are not embedded. */
const EMBEDDED = [[[0, 0], [0, 0]], [[0, 7], [10, 18]], [[0, 0], [0, 18]]] as const;
const batch: EmbedBatch = {
  windows,
  numWindows: 3,
  numSpeakers: NUM_SPEAKERS,
  activity: Uint8Array.from({ length: 3 * WINDOW_FRAMES * NUM_SPEAKERS }, (_, cell) => {
    const [row, speaker] = [Math.floor(cell / NUM_SPEAKERS), cell % NUM_SPEAKERS];
    const [from, to] = TURNS[Math.floor(row / WINDOW_FRAMES)]![speaker]!;
    return Number(from <= row % WINDOW_FRAMES && row % WINDOW_FRAMES < to);
  }),
};

/** Features of some frames of a window, minus their mean over the frames `meanOver`: axes (mel, frame). */
function centered(window: number, [from, to]: readonly [number, number], meanOver: readonly [number, number]): number[][] {
  return Array.from({ length: numMelBins }, (_, mel) => {
    const ofMel = (first: number, end: number): number[] => Array.from({ length: end - first }, (__, i) => features[window]![(first + i) * numMelBins + mel]!);
    const others = ofMel(...meanOver);
    const mean = others.reduce((sum, value) => sum + value, 0) / others.length;
    return ofMel(from, to).map((value) => value - mean);
  });
}

/** Compares rows of embeddings with those expected; null expects NaN. */
function expectRows(embeddings: Float32Array, expected: readonly (readonly number[] | null)[]): void {
  expect(embeddings).toHaveLength(expected.length * SIZE);
  const rows = expected.map((_, row) => embeddings.subarray(row * SIZE, (row + 1) * SIZE));
  expect(rows.map((row) => row.every(Number.isNaN))).toEqual(expected.map((row) => row === null));
  const found = Float32Array.from(rows.filter((_, row) => expected[row] !== null).flatMap((row) => [...row]));
  const wanted = Float32Array.from(expected.flatMap((row) => row ?? []));
  expect(shareOf({ data: found, shape: [found.length] }, { data: wanted, shape: [found.length] })).toBeLessThanOrEqual(MAX_SHARE);
}

const rowsOf = (embed: (window: number, frames: readonly [number, number]) => number[]): (number[] | null)[] =>
  EMBEDDED.flatMap((own, window) => own.map((frames) => (frames[1] > frames[0] ? embed(window, frames) : null)));

describeUnless(missing)('embedders around a model in ONNX Runtime', () => {
  let gpu: GpuContext;
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => {
    gpu.device.destroy();
  });

  describe('with statistics pooling', () => {
    const linear = noise(2 * numMelBins * SIZE, 7);
    const bias = [0.1, -0.2, 0.3, 0.4];
    const bytes = encodeOnnx(
      build({
        input: [float('x', 1, null, numMelBins)],
        output: [float('y', 1, SIZE)],
        initializer: [weight('matrix', [2 * numMelBins, SIZE], [...linear]), weight('vector', [SIZE], bias)],
        node: [
          node('Transpose', ['x'], ['t'], { attribute: [ints('perm', 0, 2, 1)] }),
          node('Relu', ['t'], ['map']),
          ...statisticsNodes(),
          node('MatMul', ['statistics', 'matrix'], ['product']),
          node('Add', ['product', 'vector'], ['y']),
        ],
      }),
    );
    const open = (backend: 'webgpu' | 'wasm', manifest = MANIFEST): ReturnType<typeof openPooledEmbedder> =>
      openPooledEmbedder(bytes, manifest, { runtimeBase: RUNTIME_BASE, threads: 1, gpu: backend === 'webgpu' ? gpu : null });

    /** The definition. The mean is over the whole window, and the deviation is that of a sample. */
    function pooled(window: number, frames: readonly [number, number]): number[] {
      const rows = centered(window, frames, [0, WINDOW_FRAMES]).map((row) => row.map(relu));
      const means = rows.map((row) => row.reduce((sum, value) => sum + value, 0) / row.length);
      const deviations = rows.map((row, mel) => (row.reduce((sum, value) => sum + (value - means[mel]!) ** 2, 0) / (row.length - 1)) ** 0.5);
      return bias.map((own, dimension) => [...means, ...deviations].reduce((sum, value, i) => sum + value * linear[i * SIZE + dimension]!, own));
    }

    test.each(['webgpu', 'wasm'] as const)('embed each speaker of each window (%s)', async (backend) => {
      runtime.graph = graphOf(gpu, mapOf);
      const embedder = await open(backend);
      expect(runtime.names).toEqual(['x', 'map']);
      expectRows((await embedder.embed(batch)).embeddings, rowsOf(pooled));
      expect(embedder.backboneRuns).toBe(2);
      let input = new Float32Array(0);
      const whole = await embedder.embedSegment(windows.slice(0, WINDOW_SAMPLES), (found) => { input = found.slice(); });
      expectRows(whole, [pooled(0, [0, WINDOW_FRAMES])]);
      const means = centered(0, [0, WINDOW_FRAMES], [0, WINDOW_FRAMES]);
      const expected = input.map((_, i) => means[i % numMelBins]![Math.floor(i / numMelBins)]!);
      expect(shareOf({ data: input, shape: [WINDOW_FRAMES * numMelBins] }, { data: expected, shape: [expected.length] })).toBeLessThanOrEqual(MAX_SHARE);
      // Shorter than a frame.
      const short = await embedder.embed({ ...batch, windows: noise(3 * 399) });
      expectRows(short.embeddings, Array.from({ length: 6 }, () => null));
      await embedder.close();
    });

    test('report broken samples, which the model hides, and a map of zeros', async () => {
      let factor = 1;
      runtime.graph = graphOf(gpu, (input) => {
        const { data, shape } = mapOf(input);
        return { data: data.map((value) => factor * value), shape };
      });
      const embedder = await open('webgpu');
      const broken = windows.slice();
      broken[2 * WINDOW_SAMPLES + 1000] = NaN;
      await expect(embedder.embed({ ...batch, windows: broken })).rejects.toMatchObject({ code: 'gpu-wrong' });
      factor = 0;
      // With statistics of zeros, the embedding would be the bias.
      await expect(embedder.embed(batch)).rejects.toMatchObject({ code: 'gpu-wrong' });
      factor = 1;
      expectRows((await embedder.embed(batch)).embeddings, rowsOf(pooled));
      await embedder.close();
    });

    test('reject an embedding size other than that of the manifest', async () => {
      await expect(open('wasm', { ...MANIFEST, embeddingSize: SIZE + 1 })).rejects.toMatchObject({ code: 'model-invalid', problem: expect.stringContaining('4 values') as string });
    });
  });

  describe('without pooling', () => {
    /** The definition. The mean is over the frames of the speaker. */
    const means = (window: number, frames: readonly [number, number]): number[] =>
      centered(window, frames, frames).slice(0, SIZE).map((row) => row.reduce((sum, value) => sum + relu(value), 0) / row.length);

    test.each(['webgpu', 'wasm'] as const)('embed the frames of each speaker (%s)', async (backend) => {
      const graph = graphOf(gpu, meansOf);
      const embedder = backend === 'webgpu' ? await GpuEmbedder.create(gpu, graph, MANIFEST) : new CpuEmbedder(graph, MANIFEST);
      expectRows((await embedder.embed(batch)).embeddings, rowsOf(means));
      let numValues = 0;
      const whole = await embedder.embedSegment(windows.slice(0, WINDOW_SAMPLES), ({ length }) => { numValues = length; });
      expectRows(whole, [means(0, [0, WINDOW_FRAMES])]);
      expect(numValues).toBe(WINDOW_FRAMES * numMelBins);
      if (backend === 'webgpu') {
        const broken = windows.slice();
        broken[1000] = NaN;
        await expect(embedder.embed({ ...batch, windows: broken })).rejects.toMatchObject({ code: 'gpu-wrong' });
      }
      await embedder.close();
    });
  });

  describe('the filterbank', () => {
    const limits = { maxComputeWorkgroupsPerDimension: 7, maxStorageBufferBindingSize: 12_000, minStorageBufferOffsetAlignment: 256 };

    test('matches the CPU for centered frames in several dispatches, and reports inputs that it cannot compute', async () => {
      const [numWindows, numSamples] = [2, 4001];
      const samples = noise(numWindows * numSamples, 5);
      const fbank = await GpuFbank.create(gpu.device, CENTERED_FACTS, CENTERED_RATE, limits);
      const found = fbank.compute(samples, numWindows);
      expect(found).toMatchObject({ numWindows, numFrames: 25 });
      const actual = await readBack(gpu.device, found.buffer, featureBytes(found));
      const cpu = new Fbank(CENTERED_FACTS, CENTERED_RATE);
      const expected = [0, 1].flatMap((window) => [...cpu.compute(samples.subarray(window * numSamples, (window + 1) * numSamples)).data]);
      const shape = [expected.length];
      expect(shareOf({ data: actual, shape: [actual.length] }, { data: Float32Array.from(expected), shape })).toBeLessThanOrEqual(MAX_SHARE);
      expect(() => fbank.compute(samples, 3)).toThrow(expect.objectContaining({ code: 'options' }) as Error);
      const small = uploadBuffer(gpu.device, 'test', new Float32Array(numSamples));
      expect(() => fbank.encode(gpu.device.createCommandEncoder(), small, numWindows, numSamples, found.buffer)).toThrow(expect.objectContaining({ code: 'options' }) as Error);
      small.destroy();
      fbank.destroy();
      const narrow = await GpuFbank.create(gpu.device, CENTERED_FACTS, CENTERED_RATE, { ...limits, maxStorageBufferBindingSize: 256 });
      expect(() => narrow.compute(samples, numWindows)).toThrow(expect.objectContaining({ code: 'backend-failed' }) as Error);
      narrow.destroy();
      const long = GpuFbank.create(gpu.device, { ...MANIFEST.fbank, frameLengthMs: 40 }, sampleRate);
      await expect(long).rejects.toMatchObject({ code: 'model-invalid' });
    });
  });
});
