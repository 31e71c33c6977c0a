/**
 * A small ResNet on our WGSL kernels, compared with its definition, on Dawn in Node: odd sizes, strides, padding, windows of a batch and
 * broken values. test/full/gpuResnet.test.ts has the whole network.
 */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { PoolFeatures } from '../../src/embedding/gpuPooledNetwork';
import { GpuResnet } from '../../src/embedding/gpuResnet';
import { EVERY_FRAME, maskedFeatures } from '../../src/embedding/mask';
import type { PoolJob } from '../../src/embedding/pooledBackend';
import { readResnet } from '../../src/embedding/resnetGraph';
import { frameWeights, poolEmbeddings } from '../../src/embedding/statsPool';
import { uploadBuffer } from '../../src/gpu/buffers';
import { type GpuContext, openGpu } from '../../src/gpu/context';
import { splitAtPooling } from '../../src/onnx/pooled';
import type { Convolution } from '../../src/onnx/values';
import { concatenate } from '../../src/util/values';
import { noise } from '../kernels/fixtures/goldens';
import { greatestDifference } from '../kernels/greatestDifference';
import { build, float, int, ints, node, weight } from '../onnx/build';
import { statisticsNodes } from '../onnx/pooling';
import { installDawn } from './dawn';
import { describeUnless } from '../skips';

const missing = await installDawn();

const [NUM_MELS, NUM_FRAMES, NUM_WINDOWS, SIZE] = [11, 9, 3, 4];
/** Channels before and after the stride; 6 frequencies remain. */
const [FEW, MANY, FREQUENCIES] = [5, 7, 6];
const NUM_STATISTICS = 2 * MANY * FREQUENCIES;
/** Components of order 1, sums of some hundred products in float32 through six layers. */
const ROUNDING = 1e-4;

const weights = (name: string, seed: number, ...shape: number[]) => {
  const perOutput = shape.slice(1).reduce((product, size) => product * size, 1);
  const values = noise(shape.reduce((product, size) => product * size, 1), seed);
  return weight(name, shape, Array.from(values, (value) => (4 * value) / Math.sqrt(perOutput)));
};
const convolution = (input: string, output: string, taps: number, stride: number) =>
  node('Conv', [input, `${output}.weight`, `${output}.bias`], [output], {
    attribute: [ints('kernel_shape', taps, taps), ints('strides', stride, stride), ints('dilations', 1, 1), ints('pads', ...Array<number>(4).fill((taps - 1) / 2)), int('group', 1)],
  });
/** Biases are positive: with few channels, a map of a constant could otherwise be zero. */
const filter = (output: string, seed: number, numOut: number, numIn: number, taps = 3) =>
  [weights(`${output}.weight`, seed, numOut, numIn, taps, taps), weight(`${output}.bias`, [numOut], Array.from(noise(numOut, seed + 50), Math.abs))];

const network = splitAtPooling(build({
  input: [float('x', null, null, NUM_MELS)],
  output: [float('y', null, SIZE)],
  initializer: [
    weight('axis', [1], [1]),
    ...filter('stem', 1, FEW, 1),
    ...filter('a1', 2, FEW, FEW),
    ...filter('a2', 3, FEW, FEW),
    ...filter('b1', 4, MANY, FEW),
    ...filter('b2', 5, MANY, MANY),
    ...filter('b0', 6, MANY, FEW, 1),
    weights('matrix', 7, SIZE, NUM_STATISTICS),
    weight('vector', [SIZE], [0.1, -0.2, 0.3, 0.4]),
  ],
  node: [
    node('Transpose', ['x'], ['t'], { attribute: [ints('perm', 0, 2, 1)] }),
    node('Unsqueeze', ['t', 'axis'], ['image']),
    convolution('image', 'stem', 3, 1),
    node('Relu', ['stem'], ['r0']),
    convolution('r0', 'a1', 3, 1),
    node('Relu', ['a1'], ['r1']),
    convolution('r1', 'a2', 3, 1),
    node('Add', ['a2', 'r0'], ['s1']),
    node('Relu', ['s1'], ['r2']),
    convolution('r2', 'b1', 3, 2),
    node('Relu', ['b1'], ['r3']),
    convolution('r3', 'b2', 3, 1),
    convolution('r2', 'b0', 1, 2),
    node('Add', ['b2', 'b0'], ['s2']),
    node('Relu', ['s2'], ['map']),
    ...statisticsNodes(),
    node('Flatten', ['statistics'], ['flat']),
    node('Gemm', ['flat', 'matrix', 'vector'], ['y'], { attribute: [int('transB', 1)] }),
  ],
}));

/** Axes (channel, frequency, frame). */
interface Values {
  readonly data: Float64Array;
  readonly shape: readonly [number, number, number];
}

/** The definition of a convolution, plus `added`. With ReLU, unless it is a shortcut. */
function convolved({ data, shape: [, numFrequencies, numFrames] }: Values, { weight: w, bias, numIn, numOut, taps, strides, pads }: Convolution, added: Values | null, isShortcut = false): Values {
  const [stride, pad, size] = [strides[0]!, pads[0]!, taps[0]!];
  const outOf = (length: number): number => Math.floor((length - 1) / stride) + 1;
  const shape = [numOut, outOf(numFrequencies), outOf(numFrames)] as const;
  const result = Float64Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, i) => {
    const [frame, frequency, channel] = [i % shape[2], Math.floor(i / shape[2]) % shape[1], Math.floor(i / shape[2] / shape[1])];
    let sum = bias[channel]! + (added?.data[i] ?? 0);
    for (let k = 0; k < numIn * size * size; k++) {
      const [input, row, column] = [Math.floor(k / size / size), Math.floor(k / size) % size, k % size];
      const [f, t] = [frequency * stride + row - pad, frame * stride + column - pad];
      if (f < 0 || t < 0 || f >= numFrequencies || t >= numFrames) continue;
      sum += w[channel * numIn * size * size + k]! * data[(input * numFrequencies + f) * numFrames + t]!;
    }
    return isShortcut ? sum : Math.max(sum, 0);
  });
  return { data: result, shape };
}

/** Embeddings by the definition. @param features of a window, axes (frame, mel) */
function expectedOf(features: Float32Array, numFrames: number, masks: readonly Uint8Array[]): Float32Array {
  const centered = maskedFeatures({ data: features, numFrames, numMelBins: NUM_MELS }, EVERY_FRAME, true);
  const image = Float64Array.from({ length: centered.length }, (_, i) => centered[(i % numFrames) * NUM_MELS + Math.floor(i / numFrames)]!);
  const { stem, blocks } = readResnet(network);
  let map = convolved({ data: image, shape: [1, NUM_MELS, numFrames] }, stem, null);
  for (const { first, second, shortcut } of blocks) {
    map = convolved(convolved(map, first, null), second, shortcut ? convolved(map, shortcut, null, true) : map);
  }
  const [numChannels, numFrequencies, mapFrames] = map.shape;
  expect(numChannels * numFrequencies).toBe(network.head.numChannels);
  return poolEmbeddings({ data: Float32Array.from(map.data), numFrames: mapFrames }, masks.map((mask) => frameWeights(mask, mapFrames)), network.head);
}

describeUnless(missing)('a small ResNet on WGSL kernels', () => {
  let gpu: GpuContext;
  let resnet: GpuResnet;
  beforeAll(async () => {
    gpu = await openGpu();
    resnet = await GpuResnet.open(gpu, network, { numMelBins: NUM_MELS, subtractMean: true });
  });
  afterAll(async () => {
    await resnet.release();
    gpu.device.destroy();
  });

  const windowOf = (window: number, numFrames: number): Float32Array => noise(numFrames * NUM_MELS, window + numFrames).map((value) => 3 * value + 5);
  const upload = (windows: readonly Float32Array[]): PoolFeatures => ({
    buffer: uploadBuffer(gpu.device, 'features', concatenate(windows) as Float32Array<ArrayBuffer>),
    numFrames: windows[0]!.length / NUM_MELS,
    numMelBins: NUM_MELS,
    varies: windows.map(() => true),
    numWindows: windows.length,
    numSpeakers: 2,
  });
  const JOBS: readonly PoolJob[] = [
    { window: 2, masks: [EVERY_FRAME, Uint8Array.of(1, 1, 1, 0, 0)] },
    { window: 0, masks: [Uint8Array.of(0, 0, 1, 1, 1)] },
  ];

  test.each([NUM_FRAMES, NUM_FRAMES + 1, 4])('computes the windows of a batch with %i frames, and nothing else of an earlier one', async (numFrames) => {
    const windows = Array.from({ length: NUM_WINDOWS }, (_, window) => windowOf(window, numFrames));
    const features = upload(windows);
    const expected = JOBS.map(({ window, masks }) => expectedOf(windows[window]!, numFrames, masks));
    const both = await resnet.embed(features, JOBS, () => undefined);
    expect(greatestDifference(both.embeddings, concatenate(expected))).toBeLessThan(ROUNDING);
    const created = vi.spyOn(GPUDevice.prototype, 'createBuffer');
    for (const [index, job] of JOBS.entries()) {
      const { embeddings } = await resnet.embed(features, [job], () => undefined);
      expect(greatestDifference(embeddings, expected[index]!)).toBeLessThan(ROUNDING);
    }
    expect(created).not.toHaveBeenCalled();
    created.mockRestore();
    features.buffer.destroy();
  });

  test('rejects features whose map has another size than the pooling of the file', async () => {
    const open = (numMelBins: number): Promise<GpuResnet> => GpuResnet.open(gpu, network, { numMelBins, subtractMean: true });
    // 9 mel bins have 5 frequencies after the stride, and 13 have 7.
    for (const numMelBins of [9, 13]) await expect(open(numMelBins)).rejects.toMatchObject({ code: 'model-invalid' });
  });

  test('marks all embeddings of a batch with a window that is broken, or whose features do not differ', async () => {
    const windows = [windowOf(0, NUM_FRAMES), windowOf(1, NUM_FRAMES).fill(NaN, 3, 4), new Float32Array(NUM_FRAMES * NUM_MELS).fill(2)];
    const features = upload(windows);
    const embed = async (window: number, varies: boolean): Promise<Float32Array> => {
      const jobs = [JOBS[1]!, { window, masks: [EVERY_FRAME] }];
      return (await resnet.embed({ ...features, varies: windows.map(() => varies) }, jobs, () => undefined)).embeddings;
    };
    expect((await embed(1, false)).every(Number.isNaN)).toBe(true);
    expect((await embed(2, true)).every(Number.isNaN)).toBe(true);
    // The features of a constant are zero without their mean.
    expect((await embed(2, false)).every(Number.isFinite)).toBe(true);
    features.buffer.destroy();
  });
});
