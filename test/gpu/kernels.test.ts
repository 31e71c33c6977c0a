/** The WGSL kernels against torchaudio's goldens and their CPU references, on Dawn in Node. */
import { beforeAll, describe, expect, test } from 'vitest';
import { GpuGather } from '../../src/embedding/gpuGather';
import { GpuStatsPool } from '../../src/embedding/gpuStatsPool';
import { maskedFeatures } from '../../src/embedding/mask';
import type { DispatchLimits } from '../../src/fbank/dispatchPlan';
import { noise } from '../../src/fbank/fixtures/signals';
import { GpuFbank } from '../../src/fbank/gpuFbank';
import { requestAdapter, requestDevice } from '../../src/gpu/adapter';
import { compileKernel, computeLayout } from '../../src/gpu/compile';
import { readBack } from '../../src/gpu/readback';
import { FACTS, fbankSuite, SAMPLE_RATE, type ComputeFbank } from '../kernels/fbankSuite';
import { statsPoolSuite } from '../kernels/statsPoolSuite';
import { installDawn } from './dawn';

const missing = await installDawn();
if (missing !== null) console.log(`skipped: WGSL kernels in Node: ${missing}`);

describe.skipIf(missing !== null)('WGSL kernels on Dawn', () => {
  let device: GPUDevice;
  const errors: string[] = [];
  beforeAll(async () => {
    device = await requestDevice((await requestAdapter())!);
    device.addEventListener('uncapturederror', ({ error }) => errors.push(error.message));
  });

  function upload(label: string, data: Float32Array): GPUBuffer {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    const buffer = device.createBuffer({ label, size: data.byteLength, usage });
    device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
    return buffer;
  }

  const fbanks = new Map<string, Promise<GpuFbank>>();
  const computeWithin =
    (limits: DispatchLimits | null): ComputeFbank =>
    async (facts, samples, numWindows) => {
      const key = JSON.stringify([facts, limits]);
      const kernel = fbanks.get(key) ?? GpuFbank.create(device, facts, SAMPLE_RATE, limits ?? undefined);
      fbanks.set(key, kernel);
      const { buffer } = (await kernel).compute(samples, numWindows);
      const features = await readBack(device, buffer);
      buffer.destroy();
      return features;
    };
  const compute = computeWithin(null);

  fbankSuite(test, compute, { numRandomLengths: 20 });

  test("frames beyond the device's limits go into rows of workgroups and several dispatches, to the same bits", async () => {
    const [numWindows, numSamples] = [3, 20001];
    const samples = noise(numWindows * numSamples, 5);
    const expected = await compute(FACTS, samples, numWindows);
    const wide = { maxStorageBufferBindingSize: 2 ** 27, minStorageBufferOffsetAlignment: 256 };
    // 3 windows of 123 frames: 369 workgroups in rows of 20, and in rows of 7 of which only 7 are allowed.
    for (const maxComputeWorkgroupsPerDimension of [20, 7]) {
      const limits = { ...wide, maxComputeWorkgroupsPerDimension };
      expect(await computeWithin(limits)(FACTS, samples, numWindows)).toEqual(expected);
    }
    const narrow = { ...wide, maxComputeWorkgroupsPerDimension: 65535, maxStorageBufferBindingSize: 12_000 };
    expect(await computeWithin(narrow)(FACTS, samples, numWindows)).toEqual(expected);
  });

  const MASK_FRAMES = 589;
  const random = noise(MASK_FRAMES, 13);
  test.each([
    ['all', random.map(() => 1)],
    ['half', random.map((value) => (value > 0 ? 1 : 0))],
    ['few', random.map((_, frame) => (frame > 580 ? 1 : 0))],
    ['one', random.map((_, frame) => (frame === 300 ? 1 : 0))],
    ['none', random.map(() => 0)],
  ])('gathering gives what the CPU gives, to 1e-4: mask of %s', async (_name, values) => {
    const [numWindows, numFrames, numMelBins] = [3, 998, 80];
    const features = noise(numWindows * numFrames * numMelBins, 11).map((value) => 20 * value - 5);
    const mask = Uint8Array.from(values);
    for (const [window, subtractMean] of [[0, true], [2, true], [1, false]] as const) {
      const first = window * numFrames * numMelBins;
      const data = features.subarray(first, first + numFrames * numMelBins);
      const expected = maskedFeatures({ data, numFrames, numMelBins }, mask, subtractMean);
      const buffer = upload('features', features);
      const gathered = (await GpuGather.create(device, subtractMean)).gather({ buffer, numFrames, numMelBins }, window, mask);
      const actual = gathered ? await readBack(device, gathered.buffer) : new Float32Array(0);
      gathered?.buffer.destroy();
      buffer.destroy();
      expect(actual.length).toBe(expected.length);
      const difference = expected.reduce((worst, value, i) => Math.max(worst, Math.abs(value - actual[i]!)), 0);
      // Without the mean the kernel copies; with it, float32 sums of up to 998 terms of order 10 differ in order.
      expect(difference).toBeLessThanOrEqual(subtractMean ? 1e-4 : 0);
    }
  });

  statsPoolSuite(test, async ({ data, numFrames }, weights, head) => {
    const map = upload('map', data);
    const kernel = await GpuStatsPool.create(device, head);
    const pooled = await kernel.pool({ buffer: map, numFrames }, [...weights]);
    kernel.destroy();
    map.destroy();
    return pooled;
  });

  test('a kernel that does not compile is an error with line, column and text', async () => {
    const failureOf = (code: string): Promise<unknown> =>
      compileKernel(device, { label: 'test', code, layout: computeLayout(device, 'test', ['storage']) }).then(
        () => null,
        (error: unknown) => error,
      );
    const broken = 'override SIZE: u32;\n\n  var x: f31;\n@compute @workgroup_size(1) fn main() {}\n';
    expect(await failureOf(broken)).toMatchObject({
      code: 'backend-failed',
      problem: expect.stringMatching(/kernel test does not compile: line 3, column 10: .*f31.*: var x: f31;$/s) as string,
    });
    // Wrong only with the pipeline: a binding that the layout lacks.
    const unbound = '@group(0) @binding(4) var<storage> a: array<f32>;\n@compute @workgroup_size(1) fn main() { _ = a[0]; }\n';
    expect(await failureOf(unbound)).toMatchObject({ problem: expect.stringMatching(/does not compile: .*binding/is) as string });
    expect(await failureOf('@compute @workgroup_size(1) fn main() {}')).toBeNull();
  });

  test('nothing was reported beside the calls', () => {
    expect(errors).toEqual([]);
  });
});
