/**
 * Tests the models on WebGPU, on Dawn in Node: each kind of fault with our kernels and with ONNX Runtime; with ONNX Runtime, also
 * equal values to WASM, transfers and freed buffers. gpuGuard.test.ts covers each kind of fault in the filterbank,
 * src/compare/modelCheckWindows.test.ts faults only in long windows or in batches.
 *
 * Runs process half a second of speech, because a software adapter computes time steps sequentially.
 * e2e/browsers/firefoxGpu.test.ts covers goldens on a working GPU; firefoxGpuFaults.test.ts covers whole runs.
 */
import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { openEmbedding, openSegmentation, type EmbeddingModel, type SegmentationModel } from '../../workers/model';
import { installGpuFault, type GpuFault } from '../browser/gpuFaults';
import { installGpuMeter } from '../browser/gpuMeter';
import { installDawn } from '../gpu/dawn';
import { fetchFiles, loadRequest } from '../gpu/openInNode';
import { describeUnless } from '../skips';
import { greatestDifference } from '../kernels/greatestDifference';

const missing = await installDawn();
const setFault = missing === null ? installGpuFault(null) : () => undefined;

const SAMPLE_RATE = 16_000;

/** Half a second of speech from the sample. */
function speech(): Float32Array {
  const file = readFileSync('public/sample.wav');
  const start = file.indexOf('data') + 8 + 2 * 9 * SAMPLE_RATE;
  return Float32Array.from({ length: SAMPLE_RATE / 2 }, (_, i) => file.readInt16LE(start + 2 * i) / 32768);
}

async function withFault<Result>(fault: GpuFault, work: () => Promise<Result>): Promise<Result> {
  setFault(fault);
  try {
    return await work();
  } finally {
    setFault(null);
  }
}

/** Counts GPU buffers: those created minus those destroyed since the call. */
function countBuffers(): () => number {
  let numBuffers = 0;
  const destroyed = new WeakSet<GPUBuffer>();
  /* eslint-disable @typescript-eslint/unbound-method -- called with the receiver of the patched method */
  const { createBuffer } = GPUDevice.prototype;
  const { destroy } = GPUBuffer.prototype;
  /* eslint-enable @typescript-eslint/unbound-method */
  vi.spyOn(GPUDevice.prototype, 'createBuffer').mockImplementation(function (this: GPUDevice, descriptor) {
    numBuffers++;
    return createBuffer.call(this, descriptor);
  });
  vi.spyOn(GPUBuffer.prototype, 'destroy').mockImplementation(function (this: GPUBuffer) {
    if (!destroyed.has(this)) numBuffers--;
    destroyed.add(this);
    destroy.call(this);
  });
  return () => numBuffers;
}

const samples = speech();

beforeAll(() => {
  fetchFiles();
});

afterEach(() => {
  vi.restoreAllMocks();
});

const FAULTS = [
  ['zeros', 'gpu-wrong'],
  ['nan', 'gpu-wrong'],
  ['memory', 'gpu-memory'],
] as const;
/** Tested last, because the lost device is not recreated. */
const LOST = [['lost', 'gpu-lost']] as const;
const COMPUTED_BY = [['our kernels', true], ['ONNX Runtime', false]] as const;

describeUnless(missing).each(COMPUTED_BY)('segmentation on Dawn with %s', { timeout: 300_000 }, (_, ownKernels) => {
  const input = { data: samples, shape: [1, 1, samples.length] };
  let model: SegmentationModel;
  beforeAll(async () => {
    model = await openSegmentation(loadRequest('segmentation-3.0', 'webgpu', ownKernels));
  }, 300_000);

  // gpuNetworks.test.ts tests scores, transfers and buffers of our kernels.
  if (!ownKernels) {
    test('returns the same scores as WASM, transfers only scores back, and needs no more buffers for a second run', async () => {
      const wasm = await openSegmentation(loadRequest('segmentation-3.0', 'wasm'));
      const expected = await wasm.graph.run(input);
      const meter = installGpuMeter();
      meter.enter('segmentation');
      const actual = await model.graph.run(input);
      expect(actual.shape).toEqual(expected.shape);
      // Log-probabilities of order 10 in float32, through four recurrent layers; the goldens allow 1e-2.
      expect(greatestDifference(actual.data, expected.data)).toBeLessThanOrEqual(1e-3);
      expect(meter.take().segmentation!.bytesBack).toBe(actual.data.byteLength);
      const numBuffers = countBuffers();
      await model.graph.run(input);
      expect(numBuffers()).toBe(0);
    });
  }

  test.each([...FAULTS, ...LOST])('%s: %s', async (kind, code) => {
    await expect(withFault({ stage: 'segmentation', kind }, () => model.graph.run(input))).rejects.toMatchObject({ code });
  });
});

// With our kernels only: a run with ONNX Runtime takes a minute on a software adapter.
describeUnless(missing)('embedding on Dawn with our kernels', { timeout: 300_000 }, () => {
  /** One speaker in a quarter of a second of speech. */
  const batch = { windows: samples.slice(0, samples.length / 2), activity: new Uint8Array(15).fill(1), numWindows: 1, numSpeakers: 1 };
  let model: EmbeddingModel;
  beforeAll(async () => {
    model = await openEmbedding(loadRequest('campplus-zh-en', 'webgpu'), null);
  }, 300_000);

  const fail = (kind: GpuFault['kind']) => withFault({ stage: 'embedding', kind }, () => model.embedder.embed(batch));
  let expected: Float32Array;

  test('allocates no buffer for a second run, and computes the same', async () => {
    ({ embeddings: expected } = await model.embedder.embed(batch));
    const created = vi.spyOn(GPUDevice.prototype, 'createBuffer');
    expect((await model.embedder.embed(batch)).embeddings).toEqual(expected);
    expect(created).not.toHaveBeenCalled();
  });

  test.each(FAULTS)('%s: %s', async (kind, code) => {
    await expect(fail(kind)).rejects.toMatchObject({ code });
  });

  // One run after all faults, because a run takes seconds.
  test('returns the same embedding after the faults', async () => {
    const { embeddings } = await model.embedder.embed(batch);
    expect(embeddings).toEqual(expected);
  });

  test.each(LOST)('%s: %s', async (kind, code) => {
    await expect(fail(kind)).rejects.toMatchObject({ code });
  });
});
