/** Faults that WebGPU reports asynchronously become typed errors. Tested on Dawn in Node with our filterbank. */
import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { GpuFeatureStage } from '../../src/embedding/gpuFeatures';
import { featureBytes, GpuFbank } from '../../src/features/gpuFbank';
import { makeSignal } from '../kernels/fixtures/goldens';
import { uploadBuffer } from '../../src/gpu/buffers';
import { type GpuContext, openGpu, readBack } from '../../src/gpu/context';
import { HealthGuard } from '../../src/gpu/health';
import { parseManifest, type EmbeddingManifest } from '../../src/store/manifest';
import { installGpuFault, type GpuFault } from '../browser/gpuFaults';
import { installGpuMeter } from '../browser/gpuMeter';
import { installDawn } from '../gpu/dawn';
import { describeUnless } from '../skips';

const missing = await installDawn();
const setFault = missing === null ? installGpuFault(null) : () => undefined;

const MANIFEST: EmbeddingManifest = parseManifest(
  'embedding',
  JSON.parse(readFileSync('models/campplus-zh-en/manifest.json', 'utf8')),
  'campplus-zh-en',
);

describeUnless(missing)('a GPU on Dawn', () => {
  const samples = makeSignal('speech', 8000);

  /** Features of half a second, after the health check could mark the result. */
  async function compute(gpu: GpuContext, numWindows = 1): Promise<Float32Array> {
    const stage = await GpuFeatureStage.create(gpu, MANIFEST);
    const windows = Float32Array.from({ length: numWindows * samples.length }, (_, i) => samples[i % samples.length]!);
    const { buffer } = await stage.compute(windows, numWindows);
    const data = await gpu.guard(() => readBack(gpu.device, buffer, buffer.size, (encoder) => { stage.health.mark(encoder, buffer, buffer.size); }));
    stage.destroy();
    return data;
  }

  async function computeWith(fault: GpuFault): Promise<Float32Array> {
    const gpu = await openGpu();
    setFault(fault);
    try {
      return await compute(gpu);
    } finally {
      setFault(null);
      gpu.device.destroy();
    }
  }

  test('that works returns identical bits each time, counts transfers, and marks nothing', async () => {
    const meter = installGpuMeter();
    meter.enter('embedding');
    const gpu = await openGpu();
    const first = await compute(gpu);
    expect(await compute(gpu)).toEqual(first);
    expect(first.every(Number.isFinite)).toBe(true);
    const counts = meter.take().fbank!;
    expect(counts.bytesBack).toBe(2 * first.byteLength);
    expect(counts.bytesUp).toBeGreaterThanOrEqual(2 * samples.byteLength);
    gpu.device.destroy();
  });

  test('allocates buffers only for a larger batch than before, and returns only the features of the batch', async () => {
    const gpu = await openGpu();
    const fbank = await GpuFbank.create(gpu.device, MANIFEST.fbank, MANIFEST.sampleRate);
    const run = (numSamples: number, numWindows: number): Promise<Float32Array> => {
      const features = fbank.compute(samples.subarray(0, numWindows * numSamples), numWindows);
      return readBack(gpu.device, features.buffer, featureBytes(features));
    };
    const large = await run(samples.length / 2, 2);
    const small = await run(samples.length / 4, 3);
    const labels: (string | undefined)[] = [];
    const created = vi.spyOn(GPUDevice.prototype, 'createBuffer');
    try {
      expect(await run(samples.length / 2, 2)).toEqual(large);
      expect(await run(samples.length / 4, 3)).toEqual(small);
      labels.push(...created.mock.calls.map(([{ label }]) => label));
    } finally {
      created.mockRestore();
    }
    expect(small).not.toHaveLength(large.length);
    // Of this test itself.
    expect(labels).toEqual(['readback', 'readback']);
    gpu.device.destroy();
  });

  test.each(['zeros', 'nan'] as const)('whose features are %s marks the result', async (kind) => {
    const data = await computeWith({ stage: 'fbank', kind });
    expect(data.every(Number.isNaN)).toBe(true);
  });

  test('marks the result if one window of a batch is zeros, and not if a third of each window is', async () => {
    const gpu = await openGpu();
    const health = new HealthGuard(gpu.device);
    const marked = async (isZero: (index: number, window: number) => boolean): Promise<boolean> => {
      const [numWindows, length] = [35, 1000];
      const values = Float32Array.from({ length: numWindows * length }, (_, i) => (isZero(i % length, Math.floor(i / length)) ? 0 : -1));
      const [source, result] = [uploadBuffer(gpu.device, 'features', values), uploadBuffer(gpu.device, 'result', Float32Array.of(1, 2, 3, 4))];
      const data = await gpu.guard(() => readBack(gpu.device, result, 16, (encoder) => {
        health.look(encoder, source, 4 * values.length, numWindows);
        health.mark(encoder, result, 16);
      }));
      return data.every(Number.isNaN);
    };
    for (const window of [0, 31, 32, 34]) expect(await marked((_, own) => own === window), `window ${window}`).toBe(true);
    expect(await marked((index) => index < 333)).toBe(false);
    expect(await marked((index) => index > 333)).toBe(true);
    gpu.device.destroy();
  });

  test('that is lost', async () => {
    await expect(computeWith({ stage: 'fbank', kind: 'lost' })).rejects.toMatchObject({ code: 'gpu-lost' });
  });

  test('that runs out of memory, or only for large batches', async () => {
    await expect(computeWith({ stage: 'fbank', kind: 'memory' })).rejects.toMatchObject({ code: 'gpu-memory' });
    await expect(computeWith({ stage: 'fbank', kind: 'memory', fitsBytes: 1e9 })).resolves.toBeInstanceOf(Float32Array);
  });

  test('with an invalid call reports a backend error, and the next call works', async () => {
    const gpu = await openGpu();
    const invalid = gpu.guard(async () => {
      gpu.device.createBuffer({ label: 'invalid', size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
      await gpu.device.queue.onSubmittedWorkDone();
      await new Promise((resolve) => setTimeout(resolve, 10));
    });
    await expect(invalid).rejects.toMatchObject({ code: 'backend-failed' });
    expect((await compute(gpu)).length).toBeGreaterThan(0);
    gpu.device.destroy();
  });
});
