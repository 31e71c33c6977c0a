/**
 * The self-check of the WASM kernels, with workers and storage in this thread. trust.test.ts tests the selection of the
 * backend.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { VoxlaneError } from '../util/errors';
import { startEngine, type Engine } from './engine';
import type { CheckedDiarizerOptions } from './options';
import { CAMPPLUS } from './settings';
import { startOnWasm, startTrustedEngine } from './selfCheck';
import { forgetGpuChecks, VERDICT_DAYS } from './verdicts';
import { outcomesOf, stored, wasmPool, type Found, type Stage } from '../../test/engine/trustFakes';

vi.mock(import('./remember'), async () => (await import('../../test/engine/trustFakes')).storage);
vi.mock(import('../store/load'), async (original) => ({
  ...(await original()),
  loadManifest: ((_task: string, id: string) => Promise.resolve({ id, file: { sha256: id } })) as never,
}));
vi.mock(import('../ort/runtime'), async (original) => ({ ...(await original()), runtimeVersion: () => Promise.resolve('1') }));
vi.mock(import('./engine'), async (original) => ({ ...(await original()), startEngine: vi.fn() }));

/** Results of the check, by what computes the model. */
let wasm: Record<'kernels' | 'wasm', Record<Stage, Found>>;
/** Whether there are kernels for the graphs. */
let isKnownGraph: boolean;
/** Whether there are golden outputs of the embedding model. */
let hasGoldens: boolean;
/** SHA-256 of the embedding model file that the engine loads. */
let loadedHash: string;
/** The checks that were run. */
let wasmCalls: string[];
let started: { ownKernels: boolean; terminated: VoxlaneError | null }[];

beforeEach(() => {
  stored.clear();
  wasm = { kernels: { segmentation: 0.001, embedding: 0.001 }, wasm: { segmentation: 0.001, embedding: 0.001 } };
  isKnownGraph = true;
  hasGoldens = true;
  loadedHash = CAMPPLUS.embedding;
  wasmCalls = [];
  started = [];
  vi.stubGlobal('navigator', { userAgent: 'test', hardwareConcurrency: 2 });
  vi.mocked(startEngine).mockImplementation((_options, _settings, backend, _signal, ownKernels = true) => {
    const record: (typeof started)[number] = { ownKernels, terminated: null };
    started.push(record);
    const computing = ownKernels && isKnownGraph ? 'kernels' : 'wasm';
    const poolFor = (model: Stage) =>
      wasmPool(model, computing, () => {
        wasmCalls.push(`${model} on ${computing}`);
        return wasm[computing][model];
      });
    const engine: Partial<Engine> = {
      backend,
      segmentationModel: CAMPPLUS.segmentation,
      embeddingModel: loadedHash,
      withGoldens: hasGoldens ? ['segmentation', 'embedding'] : ['segmentation'],
      segmentation: poolFor('segmentation'),
      embedding: poolFor('embedding') as never,
      terminate: (reason) => (record.terminated = reason),
    };
    return Promise.resolve(engine as Engine);
  });
});

const options = (changes: Partial<CheckedDiarizerOptions> = {}): CheckedDiarizerOptions =>
  ({ backend: 'wasm', trustGpu: false, batchWindows: undefined, threads: 2, speed: 'exact', goldensBase: 'https://example.org/', ...changes }) as CheckedDiarizerOptions;

const startWasm = (changes?: Partial<CheckedDiarizerOptions>): Promise<Engine> => startTrustedEngine(options(changes), CAMPPLUS);

describe('our kernels on WASM', () => {
  test('are checked once, and their checks are in the report of every start', async () => {
    for (let visit = 0; visit < 2; visit++) {
      const engine = await startWasm();
      expect(engine.backend).toMatchObject({ name: 'wasm', reason: expect.stringMatching(/^WASM was requested; one thread per worker/) as string });
      expect(outcomesOf(engine)).toEqual([['segmentation', 'kernels', true], ['embedding', 'kernels', true]]);
    }
    expect(wasmCalls).toEqual(['segmentation on kernels', 'embedding on kernels']);
    expect(started.map(({ terminated }) => terminated)).toEqual([null, null]);
  });

  test('are checked for each speed, because `fast` multiplies int16', async () => {
    for (const speed of ['exact', 'fast', 'exact', 'fast'] as const) await startWasm({ speed });
    const checks = ['segmentation on kernels', 'embedding on kernels'];
    expect(wasmCalls).toEqual([...checks, ...checks]);
  });

  test('are checked again after the verdict has expired or was deleted, and in another browser', async () => {
    const first = Date.UTC(2026, 0, 1);
    vi.useFakeTimers({ toFake: ['Date'], now: first });
    try {
      await startWasm();
      vi.setSystemTime(first + VERDICT_DAYS * 86_400_000);
      await startWasm();
      expect(wasmCalls).toHaveLength(4);
      await forgetGpuChecks();
      await startWasm();
      expect(wasmCalls).toHaveLength(6);
      vi.stubGlobal('navigator', { userAgent: 'a later version', hardwareConcurrency: 2 });
      await startWasm();
      expect(wasmCalls).toHaveLength(8);
    } finally {
      vi.useRealTimers();
    }
  });

  test('have a verdict for each model file', async () => {
    await startWasm();
    loadedHash = 'another';
    wasm.kernels.embedding = 0.25;
    expect((await startWasm({ modelFile: new Blob(['weights']) })).backend.reason).toContain('ONNX Runtime computes the models');
    expect(wasmCalls.slice(2)).toEqual(['embedding on kernels', 'segmentation on wasm', 'embedding on wasm']);
    // This does not apply to the first file.
    loadedHash = CAMPPLUS.embedding;
    expect((await startWasm()).backend.selfCheck?.every(({ passed }) => passed)).toBe(true);
  });

  test.each([
    ['segmentation', 'classifier'],
    ['embedding', 'embedding'],
  ] as const)('with wrong results in the %s model are replaced by ONNX Runtime, now and at the next start', async (model, stage) => {
    wasm.kernels[model] = 0.25;
    const failure = new RegExp(`ONNX Runtime computes the models: Our WASM kernels failed their self-check: stage ${stage} deviates by 0\\.250, tolerance 0\\.01`);
    const first = await startWasm();
    expect(first.backend).toMatchObject({ name: 'wasm', reason: expect.stringMatching(failure) as string });
    expect(started.map(({ ownKernels }) => ownKernels)).toEqual([true, false]);
    expect(started[0]?.terminated).toBeInstanceOf(VoxlaneError);
    expect(started[1]?.terminated).toBeNull();
    expect(outcomesOf(first)).toEqual([
      ['segmentation', 'kernels', model !== 'segmentation'],
      ['embedding', 'kernels', model !== 'embedding'],
      ['segmentation', 'wasm', true],
      ['embedding', 'wasm', true],
    ]);
    started = [];
    wasmCalls = [];
    const second = await startWasm();
    expect(second.backend.reason).toMatch(failure);
    expect(started.map(({ ownKernels }) => ownKernels)).toEqual([false]);
    expect(wasmCalls).toEqual([]);
    expect(outcomesOf(second)).toEqual([[model, 'kernels', false], ['segmentation', 'wasm', true], ['embedding', 'wasm', true]]);
  });

  test('fail together with ONNX Runtime with an error that has a remedy', async () => {
    wasm.kernels.segmentation = 0.25;
    wasm.wasm.embedding = 0.5;
    await expect(startWasm()).rejects.toMatchObject({
      code: 'backend-failed',
      problem: expect.stringMatching(/ONNX Runtime on WASM failed its self-check: stage embedding deviates by 0\.500, tolerance 0\.01/) as string,
      remedy: expect.stringContaining('Update the browser') as string,
    });
    expect(started.every(({ terminated }) => terminated !== null)).toBe(true);
  });

  test('are not replaced if they do not support the graph', async () => {
    isKnownGraph = false;
    wasm.wasm.segmentation = 0.25;
    await expect(startWasm()).rejects.toMatchObject({ code: 'backend-failed' });
    expect(started).toHaveLength(1);
  });

  test('are not checked with a model without golden outputs', async () => {
    hasGoldens = false;
    const engine = await startWasm();
    expect(outcomesOf(engine)).toEqual([['segmentation', 'kernels', true]]);
    expect(engine.backend.reason).not.toContain('self-check');
    expect(wasmCalls).toEqual(['segmentation on kernels']);
  });

  test.each(['model-missing', 'format'] as const)('run without golden outputs (%s), and the report says so', async (code) => {
    wasm.kernels.segmentation = wasm.kernels.embedding = new VoxlaneError({ code, problem: 'no luck' });
    const engine = await startWasm();
    expect(engine.backend).toMatchObject({ name: 'wasm', selfCheck: null, reason: expect.stringContaining('our WASM kernels ran without a full self-check (no luck)') as string });
    expect(stored.size).toBe(0);
    // The available golden outputs still count.
    wasm.kernels.embedding = 0.25;
    wasm.wasm.segmentation = wasm.kernels.segmentation;
    const runtime = await startWasm();
    expect(outcomesOf(runtime)).toEqual([['embedding', 'kernels', false], ['embedding', 'wasm', true]]);
    expect(runtime.backend.reason).toContain('ONNX Runtime ran without a full self-check (no luck)');
  });

  test('reject with other errors', async () => {
    wasm.kernels.embedding = new VoxlaneError({ code: 'worker-failed', problem: 'gone' });
    await expect(startWasm()).rejects.toMatchObject({ code: 'worker-failed' });
    expect(started[0]?.terminated).toMatchObject({ code: 'worker-failed' });
  });

  test('are no longer checked if the caller aborts', async () => {
    const controller = new AbortController();
    const { mock } = vi.mocked(startEngine);
    const startFake = vi.mocked(startEngine).getMockImplementation()!;
    vi.mocked(startEngine).mockImplementation(async (...parameters) => {
      const engine = await startFake(...parameters);
      return { ...engine, segmentation: { call: () => new Promise((_, reject) => {
        controller.signal.addEventListener('abort', () => { reject(new VoxlaneError({ code: 'cancelled', problem: 'ended' })); });
        controller.abort();
      }) } as never };
    });
    const before = mock.calls.length;
    await expect(startTrustedEngine(options({ backend: 'wasm' }), CAMPPLUS, controller.signal)).rejects.toMatchObject({ code: 'cancelled' });
    expect(mock.calls.length - before).toBe(1);
    expect(started[0]?.terminated).toMatchObject({ code: 'cancelled' });
    expect(stored.size).toBeLessThanOrEqual(1);
  });

  test('are checked if a trusted GPU fails during a run', async () => {
    const engine = await startOnWasm(options({ trustGpu: true }), CAMPPLUS, 'WebGPU failed in mid-run', null);
    expect(outcomesOf(engine)).toEqual([['segmentation', 'kernels', true], ['embedding', 'kernels', true]]);
  });
});
