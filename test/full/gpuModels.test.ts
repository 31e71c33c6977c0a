/**
 * Tests the segmentation on WebGPU with ONNX Runtime, on Dawn in Node: equal values to WASM, transfers, and each kind of
 * fault. test/gpu/guard.test.ts covers each kind of fault in the filterbank.
 *
 * Runs process half a second of speech, because a software adapter computes time steps sequentially.
 * e2e/browsers/firefoxGpu.test.ts covers goldens on a working GPU; firefoxGpuFaults.test.ts covers the embedding and whole runs.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { checkSegmentation, checkSegmentationWindows } from '../../src/compare/modelCheck';
import { openSegmentation, type SegmentationModel } from '../../workers/model';
import type { LoadRequest } from '../../workers/contracts';
import { installGpuFault, type GpuFault } from '../browser/gpuFaults';
import { installGpuMeter } from '../browser/gpuMeter';
import { installDawn, RUNTIME_BASE } from '../gpu/dawn';

const missing = await installDawn();
if (missing !== null) console.log(`skipped: models on WebGPU in Node: ${missing}`);
const setFault = missing === null ? installGpuFault(null) : () => undefined;

const SAMPLE_RATE = 16_000;
const NUM_CLASSES = 7;
/** Frames of the golden input, which is 2 s long. */
const GOLDEN_FRAMES = 115;
/** 1.1 s are 62 frames: fewer than the golden input in one window, more in two windows. */
const SHORT_WINDOW_SAMPLES = 17_600;
const GOLDENS_BASE = new URL('../../public/goldens/', import.meta.url).href;

const request = (modelId: string, backend: LoadRequest['backend']): LoadRequest => ({
  modelId,
  backend,
  modelsBase: new URL('../../models/', import.meta.url).href,
  runtimeBase: RUNTIME_BASE,
  threads: 1,
  hub: null,
  modelFile: undefined,
  trustUnknownModel: false,
  ownKernels: true,
});

/** Half a second of speech from the sample. */
function speech(): Float32Array {
  const file = readFileSync('public/sample.wav');
  const start = file.indexOf('data') + 8 + 2 * 9 * SAMPLE_RATE;
  return Float32Array.from({ length: SAMPLE_RATE / 2 }, (_, i) => file.readInt16LE(start + 2 * i) / 32768);
}

const greatestDifference = (actual: Float32Array, expected: Float32Array): number =>
  expected.reduce((worst, value, i) => Math.max(worst, Math.abs(value - actual[i]!)), 0);

async function withFault<Result>(fault: GpuFault, work: () => Promise<Result>): Promise<Result> {
  setFault(fault);
  try {
    return await work();
  } finally {
    setFault(null);
  }
}

const samples = speech();

beforeAll(() => {
  // Node's fetch cannot read files.
  vi.stubGlobal('fetch', (address: string | URL) => Promise.resolve(new Response(readFileSync(new URL(address)))));
});

describe.skipIf(missing !== null)('segmentation on Dawn', { timeout: 300_000 }, () => {
  const input = { data: samples, shape: [1, 1, samples.length] };
  let model: SegmentationModel;
  beforeAll(async () => {
    model = await openSegmentation(request('segmentation-3.0', 'webgpu'));
  }, 300_000);

  test('returns the same scores as WASM and transfers only scores back', async () => {
    const wasm = await openSegmentation(request('segmentation-3.0', 'wasm'));
    const expected = await wasm.graph.run(input);
    const meter = installGpuMeter();
    meter.enter('segmentation');
    const actual = await model.graph.run(input);
    expect(actual.shape).toEqual(expected.shape);
    // Log-probabilities of order 10 in float32, through four recurrent layers; the goldens allow 1e-2.
    expect(greatestDifference(actual.data, expected.data)).toBeLessThanOrEqual(1e-3);
    expect(meter.take().segmentation!.bytesBack).toBe(actual.data.byteLength);
  });

  // e2e/browsers/firefoxGpuFaults.test.ts covers a fault that occurs only in windows of 10 s.
  test('a fault only in longer results passes the goldens and one window, and fails in a batch of two', async () => {
    const reference = await model.openReference();
    const { manifest } = model;
    const short = { ...manifest, windowSamples: SHORT_WINDOW_SAMPLES };
    const fault = { stage: 'segmentation', kind: 'perturb', fromBytes: (GOLDEN_FRAMES + 1) * NUM_CLASSES * 4 } as const;
    expect((await checkSegmentationWindows(reference, model.graph, short, 2)).passed).toBe(true);
    const [goldens, one, two] = await withFault(fault, async () => [
      await checkSegmentation(model.graph, model, GOLDENS_BASE),
      await checkSegmentationWindows(reference, model.graph, short, 1),
      await checkSegmentationWindows(reference, model.graph, short, 2),
    ]);
    expect([goldens.passed, one.passed, two.passed]).toEqual([true, true, false]);
    expect(two.stages[0]!.maxAbs).toBeCloseTo(0.25, 2);
    await reference.release();
  });

  test.each([
    ['zeros', 'gpu-wrong'],
    ['nan', 'gpu-wrong'],
    ['memory', 'gpu-memory'],
    // Last, because the lost device is not recreated.
    ['lost', 'gpu-lost'],
  ] as const)('%s: %s', async (kind, code) => {
    await expect(withFault({ stage: 'segmentation', kind }, () => model.graph.run(input))).rejects.toMatchObject({ code });
  });
});
