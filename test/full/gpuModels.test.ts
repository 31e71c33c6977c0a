/**
 * Both bundled models on WebGPU through ONNX Runtime, on Dawn in Node: the values of WASM, the goldens of PyTorch, what
 * crosses the bus, and faults in each stage. test/gpu/guard.test.ts has every kind of fault in the filterbank alone.
 *
 * Runs take half a second of speech, except on the goldens: a software adapter computes one time step after another.
 * e2e/full/parity.spec.ts has the goldens of a sound GPU.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { proveEmbedding, proveSegmentation } from '../../src/compare/prove';
import { proveSegmentationWindows } from '../../src/compare/proveWindows';
import { openEmbedding, openSegmentation, type EmbeddingModel, type SegmentationModel } from '../../workers/model';
import type { LoadRequest } from '../../workers/contracts';
import { installGpuFault, type GpuFault } from '../browser/gpuFaults';
import { installDawn, RUNTIME_BASE } from '../gpu/dawn';

const missing = await installDawn();
if (missing !== null) console.log(`skipped: models on WebGPU in Node: ${missing}`);
const setFault = missing === null ? installGpuFault(null) : () => undefined;

const SAMPLE_RATE = 16_000;
const NUM_CLASSES = 7;
/** Frames of the golden sound, which has 2 s, and of a window of a run. */
const GOLDEN_FRAMES = 115;
const WINDOW_FRAMES = 589;
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
});

/** Half a second of speech from the sample. */
function speech(): Float32Array {
  const file = readFileSync('public/sample.wav');
  const start = file.indexOf('data') + 8 + 2 * 9 * SAMPLE_RATE;
  return Float32Array.from({ length: SAMPLE_RATE / 2 }, (_, i) => file.readInt16LE(start + 2 * i) / 32768);
}

const greatestDifference = (actual: Float32Array, expected: Float32Array): number =>
  expected.reduce((worst, value, i) => Math.max(worst, Math.abs(value - actual[i]!)), 0);

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

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
  // Node's fetch reads no files.
  vi.stubGlobal('fetch', (address: string | URL) => Promise.resolve(new Response(readFileSync(new URL(address)))));
});

describe.skipIf(missing !== null)('segmentation on Dawn', { timeout: 300_000 }, () => {
  const input = { data: samples, shape: [1, 1, samples.length] };
  let model: SegmentationModel;
  beforeAll(async () => {
    model = await openSegmentation(request('segmentation-3.0', 'webgpu'));
    model.gpu!.meter.enter('segmentation');
  }, 300_000);

  test('gives the scores of WASM, and only scores come back', async () => {
    const wasm = await openSegmentation(request('segmentation-3.0', 'wasm'));
    const expected = await wasm.graph.run(input);
    const actual = await model.graph.run(input);
    expect(actual.shape).toEqual(expected.shape);
    // Log-probabilities of order 10 in float32, through four recurrent layers; the goldens allow 1e-2.
    expect(greatestDifference(actual.data, expected.data)).toBeLessThanOrEqual(1e-3);
    expect(model.gpu!.meter.counts().segmentation!.bytesBack).toBe(actual.data.byteLength);
  });

  test('does not reproduce the goldens if it is perturbed', async () => {
    const perturbed = await withFault({ stage: 'segmentation', kind: 'perturb' }, () => proveSegmentation(model.graph, model.manifest, GOLDENS_BASE));
    expect(perturbed.passed).toBe(false);
    expect(perturbed.stages[0]!.maxAbs).toBeCloseTo(0.25, 2);
  });

  test.each([
    ['in batches of two', 32_000, 2, 2 * GOLDEN_FRAMES],
    // e2e/full/gpuTrust.spec.ts checks a correct GPU with these.
    ['in windows of 10 s', 160_000, 1, WINDOW_FRAMES],
  ] as const)('a fault only %s passes the goldens and fails with the windows of a run', { timeout: 900_000 }, async (_, windowSamples, numWindows, frames) => {
    const reference = await model.openReference();
    const manifest = { ...model.manifest, windowSamples };
    const fault = { stage: 'segmentation', kind: 'perturb', fromBytes: frames * NUM_CLASSES * 4 } as const;
    if (numWindows > 1) expect((await proveSegmentationWindows(reference, model.graph, manifest, numWindows)).passed).toBe(true);
    const [goldens, faulty] = await withFault(fault, async () => [
      await proveSegmentation(model.graph, model.manifest, GOLDENS_BASE),
      await proveSegmentationWindows(reference, model.graph, manifest, numWindows),
    ]);
    expect(goldens.passed).toBe(true);
    expect(faulty.passed).toBe(false);
    expect(faulty.stages[0]!.maxAbs).toBeCloseTo(0.25, 2);
    await reference.release();
  });

  test.each([
    ['zeros', 'gpu-wrong'],
    ['nan', 'gpu-wrong'],
    ['memory', 'gpu-memory'],
    // Last: the device does not come back.
    ['lost', 'gpu-lost'],
  ] as const)('%s: %s', async (kind, code) => {
    await expect(withFault({ stage: 'segmentation', kind }, () => model.graph.run(input))).rejects.toMatchObject({ code });
  });
});

describe.skipIf(missing !== null)('embedding on Dawn', { timeout: 300_000 }, () => {
  let model: EmbeddingModel;
  const embed = (): Promise<Float32Array> => model.embedder.embedStretch(samples, () => undefined);
  beforeAll(async () => {
    model = await openEmbedding(request('campplus-zh-en', 'webgpu'), null);
  }, 300_000);

  test('gives the embedding of WASM', async () => {
    const wasm = await openEmbedding(request('campplus-zh-en', 'wasm'), null);
    const expected = await wasm.embedder.embedStretch(samples, () => undefined);
    // The requirement for every backend: float32 sums in another order stay well inside.
    expect(cosine(await embed(), expected)).toBeGreaterThanOrEqual(0.9999);
  });

  test.each(['fbank', 'embedding'] as const)('does not reproduce the goldens if %s is perturbed', async (stage) => {
    const perturbed = await withFault({ stage, kind: 'perturb' }, () => proveEmbedding(model.embedder, model.manifest, GOLDENS_BASE));
    expect(perturbed.stages.find(({ passed }) => !passed)?.stage).toBe(stage);
  });

  test.each([
    ['fbank', 'nan', 'gpu-wrong'],
    ['embedding', 'zeros', 'gpu-wrong'],
    ['embedding', 'memory', 'gpu-memory'],
    ['embedding', 'lost', 'gpu-lost'],
  ] as const)('%s, %s: %s', async (stage, kind, code) => {
    await expect(withFault({ stage, kind }, embed)).rejects.toMatchObject({ code });
  });
});
