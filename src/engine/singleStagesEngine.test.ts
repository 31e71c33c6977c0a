/** Life of the workers that single stages share. The tests replace the start of engines. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { VoxlaneError } from '../util/errors';
import type { Engine } from './engine';
import { releaseStages, withEngine } from './singleStagesEngine';
import { checkAgain, startOnWasm, startTrustedEngine } from './selfCheck';
import type { ModelCheck } from './types';

vi.mock(import('./options'), async (original) => ({ ...(await original()), withFiles: (options: object) => Promise.resolve(options as never) }));
vi.mock(import('./presets'), async (original) => ({ ...(await original()), choosePreset: () => Promise.resolve('campplus' as const) }));
vi.mock(import('./selfCheck'), async (original) => ({ ...(await original()), startTrustedEngine: vi.fn(), checkAgain: vi.fn(), startOnWasm: vi.fn() }));

const OPTIONS = { idleSeconds: Infinity };
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
const engineOf = (name: 'wasm' | 'webgpu' = 'wasm') => ({ backend: { name }, decode: { end: null }, clustering: { end: null }, terminate: vi.fn() }) as unknown as Engine;
const checkOf = (passed: boolean): ModelCheck => ({
  model: 'segmentation', backend: 'webgpu', passed, seconds: 1,
  stages: [{ stage: 'lstm', maxAbs: passed ? 0 : 0.5, cosine: 1, tolerance: { maxAbs: 0.01, cosine: 0.9 }, passed }],
});

beforeEach(() => { vi.stubGlobal('document', { baseURI: 'https://example.org/' }); });
afterEach(() => {
  releaseStages();
  vi.unstubAllGlobals();
  vi.resetAllMocks();
});

describe('the workers of single stages', () => {
  test('start once for equal options and end on release', async () => {
    const engine = engineOf();
    vi.mocked(startTrustedEngine).mockResolvedValueOnce(engine);
    const used = [withEngine(OPTIONS, (one) => Promise.resolve(one)), withEngine({ ...OPTIONS, preset: 'auto' }, (one) => Promise.resolve(one))];
    expect(await Promise.all(used)).toEqual([engine, engine]);
    expect(engine.terminate).not.toHaveBeenCalled();
    releaseStages();
    expect(engine.terminate).toHaveBeenCalledOnce();
  });

  test.each(['signal', 'release'] as const)('end if they start during a cancellation: by %s', async (way) => {
    let open: (engine: Engine) => void = () => undefined;
    vi.mocked(startTrustedEngine).mockReturnValueOnce(new Promise((resolve) => { open = resolve; }));
    const [controller, engine, use] = [new AbortController(), engineOf(), vi.fn(() => Promise.resolve('used'))];
    const work = withEngine({ ...OPTIONS, signal: controller.signal }, use);
    await settled();
    open(engine);
    if (way === 'signal') controller.abort('why');
    else releaseStages();
    await expect(work).rejects.toMatchObject(way === 'signal' ? { code: 'cancelled', cause: 'why' } : { code: 'disposed' });
    expect(use).not.toHaveBeenCalled();
    expect(engine.terminate).toHaveBeenCalledOnce();
  });

  test('run on WASM after a GPU failure', async () => {
    const [gpu, wasm] = [engineOf('webgpu'), engineOf()];
    vi.mocked(startTrustedEngine).mockResolvedValueOnce(gpu);
    vi.mocked(startOnWasm).mockResolvedValueOnce(wasm);
    const fault = new VoxlaneError({ code: 'gpu-lost', problem: 'gone' });
    const use = (engine: Engine) => (engine === gpu ? Promise.reject(fault) : Promise.resolve(engine));
    expect(await withEngine(OPTIONS, use)).toBe(wasm);
    expect(gpu.terminate).toHaveBeenCalledOnce();
    expect(await withEngine(OPTIONS, use)).toBe(wasm);
  });

  test.each([
    ['passes', true, 2, 'WebGPU failed in mid-run (NaN)'],
    ['fails', false, 1, 'WebGPU failed its self-check: stage lstm deviates by 0.500, tolerance 0.01'],
  ] as const)('run on WASM after wrong results of a GPU that %s a repeated check', async (_, passed, times, why) => {
    const [gpu, wasm] = [engineOf('webgpu'), engineOf()];
    const checks = [checkOf(passed)];
    vi.mocked(startTrustedEngine).mockResolvedValueOnce(gpu);
    vi.mocked(startOnWasm).mockResolvedValueOnce(wasm);
    vi.mocked(checkAgain).mockResolvedValue(checks);
    const use = vi.fn((engine: Engine) => (engine === gpu ? Promise.reject(new VoxlaneError({ code: 'gpu-wrong', problem: 'NaN' })) : Promise.resolve('done')));
    expect(await withEngine(OPTIONS, use)).toBe('done');
    expect(use.mock.calls.map(([engine]) => engine)).toEqual([...Array<Engine>(times).fill(gpu), wasm]);
    expect(checkAgain).toHaveBeenCalledWith(gpu, expect.anything());
    expect(startOnWasm).toHaveBeenCalledWith(expect.anything(), expect.anything(), expect.stringContaining(why), checks, expect.anything());
    expect(gpu.terminate).toHaveBeenCalledOnce();
  });

  test('stay on a GPU that passes a repeated check and then succeeds', async () => {
    const gpu = engineOf('webgpu');
    vi.mocked(startTrustedEngine).mockResolvedValueOnce(gpu);
    vi.mocked(checkAgain).mockResolvedValue([checkOf(true)]);
    const use = vi.fn<(engine: Engine) => Promise<Engine>>((engine) => Promise.resolve(engine));
    use.mockRejectedValueOnce(new VoxlaneError({ code: 'gpu-wrong', problem: 'NaN' }));
    expect(await withEngine(OPTIONS, use)).toBe(gpu);
    expect(startOnWasm).not.toHaveBeenCalled();
    expect(gpu.terminate).not.toHaveBeenCalled();
  });

  test('restart after one of them ended between two calls', async () => {
    const [first, second] = [engineOf(), engineOf()];
    vi.mocked(startTrustedEngine).mockResolvedValueOnce(first).mockResolvedValueOnce(second);
    const use = (engine: Engine) => Promise.resolve(engine);
    expect(await withEngine(OPTIONS, use)).toBe(first);
    Object.assign(first.decode, { end: new VoxlaneError({ code: 'worker-failed', problem: 'it vanished' }) });
    expect(await withEngine(OPTIONS, use)).toBe(second);
    expect(first.terminate).toHaveBeenCalledOnce();
  });
});
