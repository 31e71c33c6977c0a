/** Which backend runs, with workers and storage in this thread: verdicts of the self-check decide, and are remembered. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { VoxlaneError } from '../util/errors';
import { startEngine, type Engine } from './engine';
import { ModelWorker } from './modelWorker';
import type { CheckedDiarizerOptions } from './options';
import { CAMPPLUS } from './settings';
import { checkAgain, startTrustedEngine } from './trust';
import type { ModelProof } from './types';

const stored = vi.hoisted(() => new Map<string, unknown>());
vi.mock(import('../store/remember'), () => ({
  recall: ((key: string, isValue: (value: unknown) => boolean) => {
    const value = stored.get(key);
    return Promise.resolve(isValue(value) ? value : null);
  }) as never,
  remember: (key: string, value: unknown) => {
    stored.set(key, value);
    return Promise.resolve();
  },
}));
vi.mock(import('../store/load'), async (original) => ({
  ...(await original()),
  loadManifest: ((_task: string, id: string) => Promise.resolve({ id, file: { sha256: id } })) as never,
}));
vi.mock(import('../ort/runtime'), async (original) => ({ ...(await original()), runtimeVersion: () => Promise.resolve('1') }));
vi.mock(import('./engine'), async (original) => ({ ...(await original()), startEngine: vi.fn() }));
vi.mock(import('../../workers/spawn'), async (original) => ({ ...(await original()), spawnSegmentationWorker: vi.fn() }));

/** Seconds of the golden segmentation. */
const GPU_SECONDS = 0.5;

const proof = (model: string, maxAbs: number, seconds = GPU_SECONDS): ModelProof => ({
  model,
  seconds,
  passed: maxAbs <= 0.01,
  stages: [{ stage: model === 'segmentation' ? 'classifier' : 'embedding', maxAbs, cosine: 1, passed: maxAbs <= 0.01, tolerance: { maxAbs: 0.01, cosine: 0.999 } }],
});

/** What the self-check on the GPU finds, by model: the greatest difference, or an error. */
let gpu: { segmentation: number | VoxlaneError; embedding: number | VoxlaneError };
let wasmSeconds: number;
let calls: string[];
let started: { backend: string; terminated: VoxlaneError | null }[];

function pool(model: 'segmentation' | 'embedding'): Engine['segmentation'] {
  const prove = (): Promise<ModelProof> => {
    calls.push(`prove ${model}`);
    const found = gpu[model];
    return found instanceof VoxlaneError ? Promise.reject(found) : Promise.resolve(proof(model, found));
  };
  return { call: (use: (api: unknown) => unknown) => use({ prove }) } as never;
}

beforeEach(() => {
  stored.clear();
  gpu = { segmentation: 0.001, embedding: 0.001 };
  wasmSeconds = 2;
  calls = [];
  started = [];
  const limits = { maxStorageBufferBindingSize: 2 ** 30, maxComputeWorkgroupStorageSize: 32768, maxComputeInvocationsPerWorkgroup: 256, maxStorageBuffersPerShaderStage: 8 };
  const adapter = { info: { vendor: 'v', architecture: 'a', device: 'd', description: 'a GPU' }, limits };
  vi.stubGlobal('navigator', { gpu: { requestAdapter: () => Promise.resolve(adapter) }, userAgent: 'test', hardwareConcurrency: 2 });
  vi.mocked(startEngine).mockImplementation((_options, _settings, backend) => {
    const record: (typeof started)[number] = { backend: backend.name, terminated: null };
    started.push(record);
    const engine: Partial<Engine> = {
      backend,
      verdictKey: vi.mocked(startEngine).mock.calls.at(-1)?.[4] ?? '',
      batchWindows: { current: 4 },
      segmentation: pool('segmentation'),
      embedding: pool('embedding') as never,
      terminate: (reason) => (record.terminated = reason),
    };
    return Promise.resolve(engine as Engine);
  });
  // The trial on WASM.
  vi.spyOn(ModelWorker.prototype, 'load').mockResolvedValue({} as never);
  vi.spyOn(ModelWorker.prototype, 'call').mockImplementation(() => {
    calls.push('time WASM');
    return Promise.resolve(proof('segmentation', 0, wasmSeconds));
  });
  vi.spyOn(ModelWorker.prototype, 'terminate').mockReturnValue(undefined);
});

const options = (changes: Partial<CheckedDiarizerOptions> = {}): CheckedDiarizerOptions =>
  ({ backend: 'webgpu', trustGpu: false, batchWindows: undefined, threads: 2, goldensBase: 'https://example.org/', ...changes }) as CheckedDiarizerOptions;

const start = (changes?: Partial<CheckedDiarizerOptions>): Promise<Engine> => startTrustedEngine(options(changes), CAMPPLUS);

describe('a GPU that reproduces the golden outputs', () => {
  test('runs, and the verdict is remembered', async () => {
    const first = await start();
    expect(first.backend).toMatchObject({ name: 'webgpu', adapter: 'a GPU, v, a' });
    expect(first.backend.reason).toContain('reproduced the golden outputs');
    expect(calls).toEqual(['prove segmentation', 'prove embedding']);
    const second = await start();
    expect(second.backend.name).toBe('webgpu');
    expect(calls).toHaveLength(2);
  });

  test('is timed against WASM if the faster backend is wanted', async () => {
    expect((await start({ backend: 'auto' })).backend.reason).toContain('faster than WASM');
    stored.clear();
    wasmSeconds = GPU_SECONDS / 2;
    calls = [];
    const slower = await start({ backend: 'auto' });
    expect(slower.backend).toMatchObject({ name: 'wasm', reason: expect.stringMatching(/WASM was faster in a trial: 0\.25 s against 0\.50 s/) as string });
    // The embedding model of a GPU that is not used need not be checked.
    expect(calls).toEqual(['prove segmentation', 'time WASM']);
    expect(started.at(-2)).toMatchObject({ backend: 'webgpu', terminated: expect.any(VoxlaneError) as VoxlaneError });
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
      expect(backend.reason).toMatch(new RegExp(`failed its self-check: stage ${stage} is off by 0\\.250, allowed are 0\\.01`));
      expect(backend.selfCheck?.some(({ passed }) => !passed)).toBe(true);
    }
    // The second start did not try the GPU again.
    expect(started.map(({ backend }) => backend)).toEqual(['webgpu', 'wasm', 'wasm']);
    expect(started[0]?.terminated).toBeInstanceOf(VoxlaneError);
  });

  test('in mid-run is remembered', async () => {
    const engine = await start();
    gpu.segmentation = 1;
    const proofs = await checkAgain(engine, options());
    expect(proofs.map(({ passed }) => passed)).toEqual([false, true]);
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
  test.each(['gpu-lost', 'gpu-memory', 'backend-failed', 'model-missing', 'format'] as const)('%s: WASM runs, and the report says why', async (code) => {
    gpu.embedding = new VoxlaneError({ code, problem: 'no luck' });
    const { backend } = await start();
    expect(backend).toMatchObject({ name: 'wasm', reason: expect.stringContaining('no luck') as string });
    expect(stored.size).toBe(0);
  });

  test('for another reason fails', async () => {
    gpu.embedding = new VoxlaneError({ code: 'model-altered', problem: 'another file' });
    await expect(start()).rejects.toMatchObject({ code: 'model-altered' });
    expect(started[0]?.terminated).toBeInstanceOf(VoxlaneError);
  });

  test('ends its workers if the caller stops waiting', async () => {
    const controller = new AbortController();
    vi.spyOn(ModelWorker.prototype, 'load').mockImplementation(() => new Promise((resolve) => {
      controller.abort();
      resolve({} as never);
    }));
    await expect(startTrustedEngine(options({ backend: 'auto' }), CAMPPLUS, controller.signal)).rejects.toMatchObject({ code: 'cancelled' });
    expect(started[0]?.terminated).toMatchObject({ code: 'cancelled' });
  });
});
