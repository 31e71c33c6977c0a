/** Selection of the backend by stored verdicts of the self-check, with workers and storage in this thread. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { VoxlaneError } from '../util/errors';
import { startEngine, type Engine } from './engine';
import { runtimeVersion } from '../ort/runtime';
import { ModelWorker } from './modelPool';
import type { CheckedDiarizerOptions } from './options';
import { CAMPPLUS } from './settings';
import { checkAgain, startTrustedEngine } from './selfCheck';
import { forgetGpuChecks, VERDICT_DAYS } from './verdicts';
import type { ModelCheck } from './types';
import { outcomesOf, checkOf, stored, wasmPool, type Found, type Stage } from '../../test/engine/trustFakes';

vi.mock(import('./remember'), async () => (await import('../../test/engine/trustFakes')).storage);
vi.mock(import('../store/load'), async (original) => ({
  ...(await original()),
  loadManifest: ((_task: string, id: string) => Promise.resolve({ id, file: { sha256: id }, pooling, ...(sources && { sources }) })) as never,
}));
/** Kind of pooling of the embedding model. ONNX Runtime computes the network before statistics pooling. */
let pooling: 'statistics' | undefined;
/** Files of a downloadable embedding model, and the hash of the stored one. */
let sources: { sha256: string }[] | null;
let keptHash: string | null;
vi.mock(import('../store/modelStore'), () => ({
  ModelStore: class {
    find = () => Promise.resolve(keptHash === null ? null : { sha256: keptHash });
  } as never,
}));
vi.mock(import('../ort/runtime'), async (original) => ({ ...(await original()), runtimeVersion: vi.fn() }));
vi.mock(import('./engine'), async (original) => ({ ...(await original()), startEngine: vi.fn() }));
vi.mock(import('../../workers/spawn'), async (original) => ({ ...(await original()), spawnSegmentationWorker: vi.fn() }));

/** Seconds of the golden segmentation. */
const GPU_SECONDS = 0.5;

const check = (model: Stage, maxAbs: number, seconds: number): ModelCheck => checkOf(model, maxAbs, seconds, 'webgpu');

/** Results of the self-check on the GPU, by model. */
let gpu: { segmentation: Found; embedding: Found };
/** The GPU's results for batches, by number of windows. */
let windows: { segmentation: (numWindows: number) => Found; embedding: (numWindows: number) => Found };
/** SHA-256 of the embedding model file that the engine loads. */
let loadedHash: string;
/** Seconds of a batch of this size on the GPU. */
let secondsOfBatch: (numWindows: number) => number;
let gpuSeconds: number;
let wasmSeconds: number;
let calls: string[];
let started: { backend: string; ownKernels: boolean; terminated: VoxlaneError | null }[];
/** The started engines, in order. */
const startedKinds = (): string[] => started.map(({ backend, ownKernels }) => (backend === 'wasm' ? 'WASM' : ownKernels ? 'own kernels' : 'ONNX Runtime'));
/** Whether ONNX Runtime on the GPU is right where our own kernels are wrong. */
let isRuntimeRight: boolean;

function pool(model: Stage, ownKernels: boolean): Engine['segmentation'] {
  const isRight = isRuntimeRight && !ownKernels;
  const answer = (found: Found): Promise<ModelCheck> =>
    found instanceof VoxlaneError ? Promise.reject(found) : Promise.resolve(check(model, found, gpuSeconds));
  const api = {
    selfCheck: () => {
      calls.push(`selfCheck ${model}`);
      return answer(isRight ? 0.001 : gpu[model]);
    },
    selfCheckWindows: (sizes: number | { windowSamples: number; numWindows: number }) => {
      const numWindows = typeof sizes === 'number' ? sizes : sizes.numWindows;
      if (typeof sizes !== 'number') expect(sizes.windowSamples).toBe(160_000);
      calls.push(`selfCheck ${model} × ${numWindows}`);
      return answer(isRight ? 0.001 : windows[model](numWindows));
    },
    timeBatch: (numWindows: number) => Promise.resolve().then(() => secondsOfBatch(numWindows)),
  };
  return { call: (use: (remote: unknown) => unknown) => use(api) } as never;
}

beforeEach(() => {
  stored.clear();
  gpu = { segmentation: 0.001, embedding: 0.001 };
  windows = { segmentation: () => 0.001, embedding: () => 0.001 };
  sources = null;
  pooling = undefined;
  keptHash = null;
  loadedHash = CAMPPLUS.embedding;
  secondsOfBatch = (numWindows) => numWindows;
  gpuSeconds = GPU_SECONDS;
  wasmSeconds = 2;
  calls = [];
  started = [];
  isRuntimeRight = false;
  vi.mocked(runtimeVersion).mockReset().mockResolvedValue('1');
  const limits = { maxStorageBufferBindingSize: 2 ** 30, maxBufferSize: 2 ** 30, maxComputeWorkgroupStorageSize: 32768, maxComputeInvocationsPerWorkgroup: 256, maxStorageBuffersPerShaderStage: 8 };
  const adapter = { info: { vendor: 'v', architecture: 'a', device: 'd', description: 'a GPU' }, limits };
  vi.stubGlobal('navigator', { gpu: { requestAdapter: () => Promise.resolve(adapter) }, userAgent: 'test', hardwareConcurrency: 2 });
  vi.mocked(startEngine).mockImplementation((_options, _settings, backend, _signal, ownKernels = true) => {
    const record: (typeof started)[number] = { backend: backend.name, ownKernels, terminated: null };
    const poolFor = (model: Stage) => (backend.name === 'wasm' ? wasmPool(model, 'kernels', () => 0.001) : pool(model, ownKernels));
    started.push(record);
    const engine: Partial<Engine> = {
      backend,
      verdictKey: '',
      segmentationModel: CAMPPLUS.segmentation,
      embeddingModel: loadedHash,
      segmentationManifest: { windowSamples: 160_000, largestTensorBytes: 2 ** 20 } as Engine['segmentationManifest'],
      batchWindows: { current: 4 },
      withGoldens: ['segmentation', 'embedding'],
      segmentation: poolFor('segmentation'),
      embedding: poolFor('embedding') as never,
      terminate: (reason) => (record.terminated = reason),
    };
    return Promise.resolve(engine as Engine);
  });
  // The trial on WASM.
  vi.spyOn(ModelWorker.prototype, 'load').mockResolvedValue({} as never);
  vi.spyOn(ModelWorker.prototype, 'call').mockImplementation(() => {
    calls.push('time WASM');
    return Promise.resolve(check('segmentation', 0, wasmSeconds));
  });
  vi.spyOn(ModelWorker.prototype, 'terminate').mockReturnValue(undefined);
});

const options = (changes: Partial<CheckedDiarizerOptions> = {}): CheckedDiarizerOptions =>
  ({ backend: 'webgpu', trustGpu: false, batchWindows: undefined, threads: 2, speed: 'exact', goldensBase: 'https://example.org/', ...changes }) as CheckedDiarizerOptions;

const start = (changes?: Partial<CheckedDiarizerOptions>): Promise<Engine> => startTrustedEngine(options(changes), CAMPPLUS);

describe('a GPU that reproduces the golden outputs', () => {
  test('runs, and the verdict is stored', async () => {
    const first = await start();
    expect(first.backend).toMatchObject({ name: 'webgpu', adapter: 'a GPU, v, a' });
    expect(first.backend.reason).toContain('reproduced the golden outputs');
    // Also at the length of a run; golden outputs are shorter.
    expect(calls).toEqual(['selfCheck segmentation', 'selfCheck segmentation × 1', 'selfCheck embedding', 'selfCheck embedding × 1']);
    expect(first.backend.selfCheck?.map(({ model, stages }) => [model, stages.length])).toEqual([['segmentation', 2], ['embedding', 2]]);
    const second = await start();
    expect(second.backend.name).toBe('webgpu');
    expect(calls).toHaveLength(4);
  });

  test('is checked in the batches of a run', async () => {
    gpuSeconds = 0.1;
    secondsOfBatch = (numWindows) => 0.01 + 0.001 * numWindows;
    const engine = await start();
    const { current } = engine.batchWindows;
    expect(current).toBeGreaterThan(1);
    expect(calls).toEqual(['selfCheck segmentation', `selfCheck segmentation × ${current}`, 'selfCheck embedding', `selfCheck embedding × ${current}`]);
    // Batches of another size were not checked.
    calls = [];
    expect((await start({ batchWindows: 3 })).batchWindows.current).toBe(3);
    expect(calls).toContain('selfCheck segmentation × 3');
  });

  test('is checked and used with smaller batches if the tuned ones do not fit one model', async () => {
    gpuSeconds = 0.1;
    secondsOfBatch = (numWindows) => 0.01 + 0.001 * numWindows;
    windows.embedding = (numWindows) => (numWindows > 4 ? new VoxlaneError({ code: 'gpu-memory', problem: 'full' }) : 0.001);
    const engine = await start();
    expect(engine.backend.name).toBe('webgpu');
    expect(engine.batchWindows.current).toBeLessThanOrEqual(4);
    expect(calls.slice(-3)).toEqual([`selfCheck segmentation × ${engine.batchWindows.current}`, 'selfCheck embedding', `selfCheck embedding × ${engine.batchWindows.current}`]);
  });

  test('is timed against WASM if the fastest backend was requested', async () => {
    expect((await start({ backend: 'auto' })).backend.reason).toContain('faster than WASM');
    stored.clear();
    wasmSeconds = GPU_SECONDS / 2;
    calls = [];
    const slower = await start({ backend: 'auto' });
    expect(slower.backend).toMatchObject({ name: 'wasm', reason: expect.stringMatching(/WASM was faster in a trial: 0\.25 s against 0\.50 s/) as string });
    // The remaining checks are skipped for a GPU that is not used.
    expect(calls).toEqual(['selfCheck segmentation', 'time WASM']);
    expect(started.at(-2)).toMatchObject({ backend: 'webgpu', terminated: expect.any(VoxlaneError) as VoxlaneError });
  });

  test('is timed against all workers of a run on WASM at once', async () => {
    let [running, most] = [0, 0];
    vi.spyOn(ModelWorker.prototype, 'call').mockImplementation(async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 0));
      running--;
      return check('segmentation', 0, 1.2);
    });
    // Four workers with one thread each compute four in 1.2 s: 0.3 s each, and the GPU 0.5 s.
    const { backend } = await start({ backend: 'auto', threads: 8 });
    expect(most).toBe(4);
    expect(backend.reason).toMatch(/WASM was faster in a trial: 0\.30 s against 0\.50 s/);
  });

  test('is timed with its best batch size', async () => {
    gpuSeconds = 0.2;
    wasmSeconds = 0.1;
    // In a batch of 32, a window takes a fifth of the time of a single window.
    secondsOfBatch = (numWindows) => 0.08 + 0.02 * numWindows;
    expect((await start({ backend: 'auto' })).backend.name).toBe('webgpu');
  });

  test('is checked again after the verdict has expired or was deleted', async () => {
    const day = 86_400_000;
    const first = Date.UTC(2026, 0, 1);
    vi.useFakeTimers({ toFake: ['Date'], now: first });
    try {
      await start();
      calls = [];
      vi.setSystemTime(first + (VERDICT_DAYS - 1) * day);
      await start();
      expect(calls).toEqual([]);
      vi.setSystemTime(first + VERDICT_DAYS * day);
      await start();
      expect(calls).toHaveLength(4);
      await forgetGpuChecks();
      await start();
      expect(calls).toHaveLength(8);
      // A clock that was ahead must not delay the expiry of a verdict.
      vi.setSystemTime(first + (VERDICT_DAYS - 3) * day);
      await start();
      expect(calls).toHaveLength(12);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('another file of the embedding model', () => {
  test('is checked separately: a verdict is valid only for the files that ran', async () => {
    await start();
    calls = [];
    loadedHash = 'dropped';
    windows.embedding = () => 0.25;
    const { backend } = await start({ modelFile: new Blob(['weights']) });
    expect(calls).toContain('selfCheck embedding × 1');
    expect(backend).toMatchObject({ name: 'wasm', reason: expect.stringContaining('failed its self-check') as string });
    // Its verdict does not apply to the other file.
    loadedHash = CAMPPLUS.embedding;
    calls = [];
    expect((await start()).backend.name).toBe('webgpu');
    expect(calls).toEqual([]);
  });

  test('is found in the store without starting the GPU', async () => {
    sources = [{ sha256: 'first' }, { sha256: 'second' }];
    keptHash = loadedHash = 'second';
    windows.embedding = () => 0.25;
    await start();
    started = [];
    expect((await start()).backend.name).toBe('wasm');
    expect(started.map(({ backend }) => backend)).toEqual(['wasm']);
  });

  test('is checked even if a different one was expected', async () => {
    sources = [{ sha256: 'first' }, { sha256: 'second' }];
    keptHash = loadedHash = 'first';
    await start();
    calls = [];
    // It was damaged, so the next one was fetched.
    loadedHash = 'second';
    await start();
    expect(calls).toHaveLength(4);
  });
});

describe('required WebGPU that is not available', () => {
  test.each([
    ['no adapter', null, /has no WebGPU adapter/],
    ['too low a limit', { info: {}, limits: { maxStorageBufferBindingSize: 2 ** 20 } }, /limit that is too low/],
  ])('%s: an error; WASM for auto', async (_, adapter, problem) => {
    vi.stubGlobal('navigator', { gpu: { requestAdapter: () => Promise.resolve(adapter) }, userAgent: 'test', hardwareConcurrency: 2 });
    await expect(start()).rejects.toMatchObject({ code: 'backend-unavailable', problem: expect.stringMatching(problem) as string });
    const { backend } = await start({ backend: 'auto' });
    expect(backend).toMatchObject({ name: 'wasm', reason: expect.stringMatching(problem) as string });
  });

  test('is an error if the adapter is lost after planning', async () => {
    vi.mocked(startEngine).mockRejectedValueOnce(new VoxlaneError({ code: 'backend-unavailable', problem: 'gone' }));
    await expect(start()).rejects.toMatchObject({ code: 'backend-unavailable' });
  });
});

describe('a GPU that computes wrong values', () => {
  test.each([
    ['segmentation', 'classifier'],
    ['embedding', 'embedding'],
  ] as const)('in the %s model is not used, now and at the next start', async (model, stage) => {
    gpu[model] = 0.25;
    for (let visit = 0; visit < 2; visit++) {
      const { backend } = await start();
      expect(backend.name).toBe('wasm');
      expect(backend.reason).toMatch(new RegExp(`failed its self-check: stage ${stage} deviates by 0\\.250, tolerance 0\\.01`));
      expect(backend.selfCheck?.some(({ passed }) => !passed)).toBe(true);
    }
    // First our own kernels, then ONNX Runtime. The second start did not try the GPU again.
    expect(startedKinds()).toEqual(['own kernels', 'ONNX Runtime', 'WASM', 'WASM']);
    expect(started[0]?.terminated).toBeInstanceOf(VoxlaneError);
  });

  test('with our own kernels only runs with ONNX Runtime, now and at the next start', async () => {
    windows.embedding = () => 0.25;
    isRuntimeRight = true;
    for (let visit = 0; visit < 2; visit++) {
      const { backend } = await start();
      expect(backend.name).toBe('webgpu');
      expect(backend.reason).toMatch(/ONNX Runtime computes the models: WebGPU failed its self-check: stage embedding/);
      expect(backend.selfCheck?.every(({ passed }) => passed)).toBe(true);
    }
    expect(startedKinds()).toEqual(['own kernels', 'ONNX Runtime', 'ONNX Runtime']);
    expect(started[0]?.terminated).toBeInstanceOf(VoxlaneError);
  });

  test.each([
    ['is missing', 'model-missing', 'no script'],
    ['cannot be started', 'backend-failed', 'no session'],
  ] as const)('with our own kernels is not used if ONNX Runtime %s, and both reasons and the failed checks are reported', async (_, code, problem) => {
    gpu.segmentation = 0.25;
    const working = vi.mocked(startEngine).getMockImplementation()!;
    vi.mocked(startEngine).mockImplementation((...parameters) =>
      parameters[2].name === 'webgpu' && parameters[4] === false ? Promise.reject(new VoxlaneError({ code, problem })) : working(...parameters));
    const { backend } = await start();
    expect(backend.name).toBe('wasm');
    expect(backend.reason).toMatch(new RegExp(`stage classifier deviates by 0\\.250.*${problem}`));
    expect(backend.selfCheck?.some(({ passed }) => !passed)).toBe(true);
  });

  test.each([NaN, Number.MAX_VALUE])('that are not finite (%d) with our own kernels only runs with ONNX Runtime, now and at the next start', async (maxAbs) => {
    gpu.embedding = maxAbs;
    isRuntimeRight = true;
    for (let visit = 0; visit < 2; visit++) {
      const { backend } = await start();
      expect(backend.name).toBe('webgpu');
      expect(backend.reason).toMatch(/ONNX Runtime computes the models: WebGPU failed its self-check: embedding/);
    }
    // The verdict on our own kernels was stored.
    expect(startedKinds()).toEqual(['own kernels', 'ONNX Runtime', 'ONNX Runtime']);
  });

  test.each([
    ['gpu-wrong', 'contains only zeros'],
    ['backend-failed', 'is invalid'],
  ] as const)('with our own kernels only while batches are timed (%s) runs with ONNX Runtime', async (code, problem) => {
    gpuSeconds = 0.1;
    const refuse = () => {
      if (started.at(-1)!.ownKernels) throw new VoxlaneError({ code, problem });
      return 1;
    };
    secondsOfBatch = refuse;
    isRuntimeRight = true;
    const { backend } = await start();
    expect(backend).toMatchObject({ name: 'webgpu', reason: expect.stringContaining(problem) as string });
    expect(startedKinds()).toEqual(['own kernels', 'ONNX Runtime']);
    expect(started[0]?.terminated).toMatchObject({ code });
  });

  test('on WASM too fails after one try of each candidate', async () => {
    gpu.segmentation = 0.25;
    const working = vi.mocked(startEngine).getMockImplementation()!;
    vi.mocked(startEngine).mockImplementation(async (...parameters) => {
      const engine = await working(...parameters);
      return parameters[2].name === 'wasm' ? { ...engine, segmentation: wasmPool('segmentation', 'wasm', () => 0.25) } : engine;
    });
    await expect(start()).rejects.toMatchObject({ code: 'backend-failed', problem: expect.stringContaining('WASM returns wrong results') as string });
    expect(startedKinds()).toEqual(['own kernels', 'ONNX Runtime', 'WASM']);
  });

  test.each(['segmentation', 'embedding'] as const)('only in batches, or only at full length, in the %s model, is not used', async (model) => {
    gpuSeconds = 0.1;
    secondsOfBatch = (numWindows) => 0.01 + 0.001 * numWindows;
    windows[model] = (numWindows) => (numWindows >= 2 ? 0.25 : 0.001);
    const { backend } = await start();
    expect(backend).toMatchObject({ name: 'wasm', reason: expect.stringContaining('deviates by 0.250') as string });
    // In batches of one, it is correct and may run.
    expect((await start({ batchWindows: 1 })).backend.name).toBe('webgpu');
  });

  test('is stored if it occurs during a run', async () => {
    const engine = await start();
    gpu.segmentation = 1;
    const checks = await checkAgain(engine, options());
    // Checks after the first failure are skipped.
    expect(checks.map(({ passed }) => passed)).toEqual([false]);
    expect((await start()).backend.name).toBe('wasm');
  });

  test('runs without a check if the caller trusts it', async () => {
    gpu.segmentation = 1;
    const { backend } = await start({ trustGpu: true });
    expect(backend).toMatchObject({ name: 'webgpu', reason: expect.stringContaining('without a self-check') as string, selfCheck: null });
    expect(calls).toEqual([]);
    expect(stored.size).toBe(0);
  });
});

describe('a GPU that cannot be checked', () => {
  test.each(['gpu-lost', 'gpu-memory', 'backend-failed', 'model-missing', 'format'] as const)('%s: WASM runs, and the report has the reason', async (code) => {
    gpu.embedding = new VoxlaneError({ code, problem: 'no luck' });
    const { backend } = await start();
    expect(backend).toMatchObject({ name: 'wasm', reason: expect.stringContaining('no luck') as string });
    // Nothing about the GPU is stored.
    expect([...stored.keys()].filter((key) => !key.startsWith('verdict WASM'))).toEqual([]);
    // ONNX Runtime needs more memory, a lost device may be lost again, and golden outputs are missing for it too.
    expect(startedKinds()).toEqual(code === 'backend-failed' ? ['own kernels', 'ONNX Runtime', 'WASM'] : ['own kernels', 'WASM']);
  });

  test('with our own kernels only runs with ONNX Runtime', async () => {
    gpu.embedding = new VoxlaneError({ code: 'backend-failed', problem: 'no luck' });
    isRuntimeRight = true;
    const { backend } = await start();
    expect(backend).toMatchObject({ name: 'webgpu', reason: expect.stringContaining('no luck') as string });
    expect(startedKinds()).toEqual(['own kernels', 'ONNX Runtime']);
  });

  test('fails for other errors', async () => {
    gpu.embedding = new VoxlaneError({ code: 'model-altered', problem: 'another file' });
    await expect(start()).rejects.toMatchObject({ code: 'model-altered' });
    expect(started[0]?.terminated).toBeInstanceOf(VoxlaneError);
  });

  test('ends its workers if the caller aborts', async () => {
    const controller = new AbortController();
    vi.spyOn(ModelWorker.prototype, 'load').mockImplementation(() => new Promise((resolve) => {
      controller.abort();
      resolve({} as never);
    }));
    await expect(startTrustedEngine(options({ backend: 'auto' }), CAMPPLUS, controller.signal)).rejects.toMatchObject({ code: 'cancelled' });
    expect(started[0]?.terminated).toMatchObject({ code: 'cancelled' });
  });
});

describe("ONNX Runtime's script", () => {
  test('is not fetched if our own kernels compute both models, and a page may omit it', async () => {
    vi.mocked(runtimeVersion).mockRejectedValue(new VoxlaneError({ code: 'model-missing', problem: 'no script' }));
    expect((await start()).backend.name).toBe('webgpu');
    expect(runtimeVersion).not.toHaveBeenCalled();
  });

  test('is fetched if our own kernels are wrong', async () => {
    gpu.segmentation = 0.25;
    await start();
    expect(runtimeVersion).toHaveBeenCalledTimes(1);
  });

  test('of another version needs new checks if it computes one of the models', async () => {
    pooling = 'statistics';
    await start();
    vi.mocked(runtimeVersion).mockResolvedValue('2');
    await start();
    expect(calls).toHaveLength(8);
  });
});

test('the WASM kernels are checked after a GPU failure, and both checks are reported', async () => {
  gpu.segmentation = 0.25;
  const engine = await start();
  expect(outcomesOf(engine)).toEqual([['segmentation', 'webgpu', false], ['segmentation', 'kernels', true], ['embedding', 'kernels', true]]);
  expect(engine.backend.reason).toMatch(/^WebGPU failed its self-check: stage classifier/);
});
