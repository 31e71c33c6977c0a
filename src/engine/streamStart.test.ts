/** What a start on WebGPU and on WASM uses, by the results of the self-checks. Stubs take the place of the workers. */
import { beforeEach, expect, test, vi } from 'vitest';
import type { OnDownload, SortformerArithmetic, SortformerRequest } from '../../workers/contracts';
import { served, ThreadlessHandle } from '../../test/nemotron/threadless';
import { VoxlaneError } from '../util/errors';
import type { BackendPlan } from './backend';
import type { CheckedDiarizerOptions } from './options';
import { NEMOTRON } from './settings';
import { startStreamOnGpu, startStreamOnWasm } from './streamStart';
import type { ModelCheck } from './types';

const state = vi.hoisted(() => ({ remembered: new Map<string, unknown>(), handles: [] as { readonly name: string; readonly end: unknown }[], discarded: [] as string[] }));
vi.mock(import('./remember'), () => ({
  recall: (key: string) => Promise.resolve((state.remembered.get(key) ?? null) as never),
  remember: (key: string, value: unknown) => { state.remembered.set(key, value); return Promise.resolve(); },
  forget: () => Promise.resolve(),
}));
vi.mock(import('./verdicts'), async (original) => ({
  ...(await original()),
  streamCheckKey: (_options, _settings, { form, adapter }) => Promise.resolve(`${adapter ? 'gpu' : 'wasm'} ${form}`),
}));
// Nothing is stored.
vi.mock(import('../store/loadDiarization'), () => ({ loadDiarizationFacts: () => Promise.resolve({ manifest: { weights: {} } } as never) }));
vi.mock(import('../store/modelStore'), async (original) => ({
  ...(await original()),
  ModelStore: class {
    list = () => Promise.resolve([]);
    discardUnfinishedConversions = (id: string) => { state.discarded.push(id); return Promise.resolve(); };
  } as never,
}));
vi.mock(import('../../workers/spawn'), async (original) => {
  const spawn = (name: string) => () => {
    const handle = new ThreadlessHandle(name);
    state.handles.push(Object.assign(handle, { name }));
    return handle;
  };
  return { ...((await original()) as object), spawnDecodeWorker: spawn('decode'), spawnSortformerWorker: spawn('sortformer') } as never;
});

const name = ({ backend, form }: Pick<SortformerArithmetic, 'backend' | 'form'>): string => `${backend} ${form}`;
const stages = (passed: boolean): ModelCheck['stages'] => [{ stage: 'layer1', maxAbs: 0.5, cosine: 1, passed, tolerance: { maxAbs: 0.1, cosine: 0.9 } }];
const checkOf = (backend: 'webgpu' | 'wasm', seconds: number, passed = true): ModelCheck => ({ model: NEMOTRON.model, backend, passed, seconds, stages: stages(passed) });

/** Result of the self-check by arithmetic; an error is thrown. */
let checks: Record<string, ModelCheck | VoxlaneError>;
let loading: () => Promise<object>;
/** Calls of the workers, such as `check wasm int8`. */
let asked: string[];
const downloads: object[] = [];

beforeEach(() => {
  state.remembered.clear();
  state.handles = [];
  state.discarded.length = 0;
  asked = [];
  downloads.length = 0;
  checks = { 'webgpu float16': checkOf('webgpu', 2), 'wasm int8': checkOf('wasm', 5), 'wasm float32': checkOf('wasm', 9) };
  loading = () => Promise.resolve({ sha256: 'f'.repeat(64), note: null });
  served.set('sortformer', {
    selfCheck(arithmetic: SortformerArithmetic) {
      asked.push(`check ${name(arithmetic)}`);
      const check = checks[name(arithmetic)];
      return check instanceof VoxlaneError ? Promise.reject(check) : Promise.resolve(check);
    },
    load(request: SortformerRequest, onDownload: OnDownload | null) {
      asked.push(`load ${name(request)} with ${request.threads} threads`);
      onDownload?.({ step: 'download', receivedBytes: 3, totalBytes: 4 });
      return loading();
    },
  });
});

const optionsOf = (others: Partial<CheckedDiarizerOptions> = {}): CheckedDiarizerOptions =>
  ({ backend: 'auto', trustGpu: false, modelsBase: 'models/', runtimeBase: 'ort/', hub: null, threads: 4, onDownload: (progress: object) => downloads.push(progress), ...others }) as unknown as CheckedDiarizerOptions;
const PLAN = { name: 'webgpu', threads: 4, reason: 'there is an adapter', adapter: { name: 'a test adapter', identity: 'a', limits: {}, isSoftware: false } } as BackendPlan;
const onGpu = (others: Partial<CheckedDiarizerOptions> = {}) => startStreamOnGpu({ options: optionsOf(others), settings: NEMOTRON }, PLAN);
const onWasm = (others: Partial<CheckedDiarizerOptions> = {}, signal?: AbortSignal) =>
  startStreamOnWasm({ options: optionsOf(others), settings: NEMOTRON, signal }, { objection: 'there is no GPU', checks: [checkOf('webgpu', 1, false)] });
const running = (): string[] => state.handles.filter(({ end }) => end === null).map((handle) => handle.name);
const failure = (code: 'gpu-lost' | 'backend-unavailable' | 'model-invalid' | 'model-missing') => new VoxlaneError({ code, problem: `planted ${code}` });

test('a GPU that passes its check and is faster than WASM is used', async () => {
  const engine = await onGpu();
  expect(engine).toMatchObject({ checkKey: 'gpu float16', arithmetic: { backend: 'webgpu', form: 'float16', modelId: NEMOTRON.model } });
  expect(engine).toHaveProperty('backend', {
    name: 'webgpu',
    adapter: 'a test adapter',
    threads: 0,
    reason: 'there is an adapter, our WebGPU kernels reproduced the golden outputs of a model with random weights, and were faster than WASM',
    selfCheck: [checks['webgpu float16']],
  });
  expect(asked).toEqual(['check webgpu float16', 'check wasm int8', 'load webgpu float16 with 1 threads']);
  expect(downloads).toEqual([{ model: NEMOTRON.model, step: 'download', receivedBytes: 3, totalBytes: 4 }]);
  // The worker of the trial has ended.
  expect(running()).toEqual(['decode', 'sortformer']);
});

test('a slower GPU is not used, and the next start uses the stored times', async () => {
  checks['wasm int8'] = checkOf('wasm', 1.5);
  const refused = { objection: 'WASM was faster in a trial: 1.50 s against 2.00 s on WebGPU (a test adapter)' };
  expect(await onGpu()).toMatchObject(refused);
  expect(asked).toEqual(['check webgpu float16', 'check wasm int8']);
  expect(running()).toEqual([]);
  state.handles = [];
  expect(await onGpu()).toMatchObject(refused);
  expect(asked).toHaveLength(2);
  expect(state.handles).toEqual([]);
});

test('the speed is not compared if WebGPU is requested, or with a WASM that computes wrong values', async () => {
  checks['wasm int8'] = checkOf('wasm', 1, false);
  expect(await onGpu()).toHaveProperty('backend.name', 'webgpu');
  asked = [];
  const engine = await onGpu({ backend: 'webgpu' });
  expect(engine).toHaveProperty('backend.reason', 'there is an adapter, our WebGPU kernels reproduced the golden outputs of a model with random weights');
  // The check of the first start is stored.
  expect(asked).toEqual(['load webgpu float16 with 1 threads']);
});

test('a GPU that fails its check is refused before the download, now and on the next start', async () => {
  checks['webgpu float16'] = checkOf('webgpu', 2, false);
  const objection = 'WebGPU failed its self-check: stage layer1 deviates by 0.500, tolerance 0.1';
  expect(await onGpu()).toMatchObject({ objection, checks: [{ passed: false }] });
  expect(running()).toEqual([]);
  expect(await onGpu({ backend: 'webgpu' })).toMatchObject({ objection });
  expect(asked).toEqual(['check webgpu float16']);
});

test('a trusted GPU is not checked, even if an earlier check failed', async () => {
  checks['webgpu float16'] = checkOf('webgpu', 2, false);
  await onGpu();
  asked = [];
  expect(await onGpu({ trustGpu: true })).toHaveProperty('backend', { name: 'webgpu', adapter: 'a test adapter', threads: 0, reason: 'there is an adapter, without a self-check', selfCheck: null });
  expect(asked).toEqual(['load webgpu float16 with 1 threads']);
});

test('weights that float16 cannot hold are an objection, and an error only if WebGPU is requested', async () => {
  loading = () => Promise.reject(failure('model-invalid'));
  expect(await onGpu()).toEqual({ objection: 'WebGPU cannot use the weights (planted model-invalid)', checks: [] });
  expect(running()).toEqual([]);
  await expect(onGpu({ backend: 'webgpu' })).rejects.toMatchObject({ code: 'model-invalid' });
});

test('a GPU that is lost is an objection; a missing model or a required adapter that is gone is an error', async () => {
  loading = () => Promise.reject(failure('gpu-lost'));
  expect(await onGpu()).toEqual({ objection: 'WebGPU could not be started (planted gpu-lost)', checks: [] });
  expect(running()).toEqual([]);
  loading = () => Promise.reject(failure('model-missing'));
  await expect(onGpu()).rejects.toMatchObject({ code: 'model-missing' });
  expect(running()).toEqual([]);
  loading = () => Promise.reject(failure('backend-unavailable'));
  expect(await onGpu()).toMatchObject({ checks: [] });
  await expect(onGpu({ backend: 'webgpu' })).rejects.toMatchObject({ code: 'backend-unavailable' });
});

test('WASM uses int8, and float32 if the values of int8 weights are wrong', async () => {
  const first = await onWasm();
  expect(first.backend).toMatchObject({ name: 'wasm', adapter: null, selfCheck: [{ backend: 'webgpu', passed: false }, { backend: 'wasm', passed: true }] });
  expect(first.backend.reason).toMatch(/^there is no GPU; ONNX Runtime computes the model with int8 weights/);
  expect(first.arithmetic.form).toBe('int8');
  first.terminate(failure('gpu-lost'));
  expect(running()).toEqual([]);

  state.remembered.clear();
  checks['wasm int8'] = checkOf('wasm', 5, false);
  const second = await onWasm();
  expect(second.arithmetic.form).toBe('float32');
  expect(second.backend.selfCheck!.map(({ passed }) => passed)).toEqual([false, false, true]);
  expect(second.backend.reason).toContain('ONNX Runtime on WASM failed its self-check: stage layer1');
  expect(running()).toEqual(['decode', 'sortformer']);

  state.remembered.clear();
  checks['wasm float32'] = checkOf('wasm', 9, false);
  await expect(onWasm()).rejects.toMatchObject({ code: 'backend-failed', problem: expect.stringContaining('layer1') as string });
});

test('a start that is canceled ends its workers, and deletes what they have converted', async () => {
  const controller = new AbortController();
  loading = () => new Promise(() => { controller.abort(); });
  await expect(onWasm({}, controller.signal)).rejects.toMatchObject({ code: 'cancelled' });
  expect(running()).toEqual([]);
  expect(asked).toHaveLength(2);
  // A worker that was converting cannot delete its pieces.
  expect(state.discarded).toEqual([NEMOTRON.model]);
});
