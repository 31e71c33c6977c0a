/** What becomes of the workers of a cancelled run. Starting them, and the run itself, are the tests' own. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { VoxlaneError } from '../util/errors';
import { Diarizer } from './diarizer';
import type { Engine } from './engine';
import { runPipeline } from './run';
import { checkAgain, startTrustedEngine } from './trust';
import type { DiarizationResult } from './types';

vi.mock('./run');
vi.mock('./fileBases', () => ({ withFiles: (options: object) => Promise.resolve(options) }));
vi.mock(import('./presets'), async (original) => ({ ...(await original()), choosePreset: () => Promise.resolve('campplus' as const) }));
vi.mock(import('./trust'), async (original) => ({ ...(await original()), startTrustedEngine: vi.fn(), checkAgain: vi.fn(), startOnWasm: vi.fn() }));

const SAMPLES = new Float32Array(10);
const RESULT = {} as DiarizationResult;
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
const engineOf = () => ({ backend: { name: 'webgpu' }, terminate: vi.fn() }) as unknown as Engine;

/** Lets a mocked function's next call end when the test wants. */
function gate<Result>(mocked: { mockReturnValueOnce: (promise: Promise<Result>) => unknown }): (result: Result) => void {
  let open: (result: Result) => void = () => undefined;
  mocked.mockReturnValueOnce(new Promise((resolve) => { open = resolve; }));
  return open;
}

beforeEach(() => { vi.stubGlobal('document', { baseURI: 'https://example.org/' }); });
afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetAllMocks();
});

/** A diarizer whose first engine is `first`. */
async function create(first = engineOf()): Promise<Diarizer> {
  vi.mocked(startTrustedEngine).mockResolvedValueOnce(first);
  return Diarizer.create({ idleSeconds: Infinity });
}

describe('no engine is left running', () => {
  test('that was created in the moment in which the creation was taken back', async () => {
    const [controller, engine] = [new AbortController(), engineOf()];
    const open = gate(vi.mocked(startTrustedEngine));
    const creation = Diarizer.create({ signal: controller.signal });
    await settled();
    open(engine);
    controller.abort('why');
    await expect(creation).rejects.toMatchObject({ code: 'cancelled', cause: 'why' });
    await settled();
    expect(engine.terminate).toHaveBeenCalledOnce();
  });

  test.each(['signal', 'dispose'] as const)('that was started again in the moment of a cancel: by %s', async (way) => {
    const diarizer = await create();
    vi.mocked(runPipeline).mockRejectedValueOnce(new Error('broken'));
    await expect(diarizer.diarize(SAMPLES)).rejects.toThrow('broken');
    expect(diarizer.backend).toBeNull();
    const [controller, engine] = [new AbortController(), engineOf()];
    const open = gate(vi.mocked(startTrustedEngine));
    const run = diarizer.diarize(SAMPLES, { signal: controller.signal });
    await settled();
    open(engine);
    if (way === 'signal') controller.abort();
    else diarizer.dispose();
    await expect(run).rejects.toMatchObject({ code: way === 'signal' ? 'cancelled' : 'disposed' });
    await settled();
    expect(engine.terminate).toHaveBeenCalledOnce();
    expect(diarizer.backend).toBeNull();
    // The failed run's only: the cancelled one was not begun.
    expect(runPipeline).toHaveBeenCalledOnce();
  });
});

test('a run that was cancelled while the GPU was checked again leaves the next run its engine', async () => {
  const [first, second] = [engineOf(), engineOf()];
  const diarizer = await create(first);
  vi.mocked(runPipeline).mockRejectedValueOnce(new VoxlaneError({ code: 'gpu-wrong', problem: 'NaN' }));
  const endCheck = gate(vi.mocked(checkAgain));
  const controller = new AbortController();
  const run = diarizer.diarize(SAMPLES, { signal: controller.signal });
  await settled();
  controller.abort();
  await expect(run).rejects.toMatchObject({ code: 'cancelled' });
  expect(first.terminate).toHaveBeenCalledOnce();

  vi.mocked(startTrustedEngine).mockResolvedValueOnce(second);
  const finish = gate(vi.mocked(runPipeline));
  const next = diarizer.diarize(SAMPLES);
  await settled();
  endCheck([]);
  await settled();
  expect(second.terminate).not.toHaveBeenCalled();
  finish(RESULT);
  expect(await next).toBe(RESULT);
  expect(runPipeline).toHaveBeenCalledTimes(2);
  diarizer.dispose();
  diarizer.dispose();
  expect(second.terminate).toHaveBeenCalledOnce();
  await expect(diarizer.diarize(SAMPLES)).rejects.toMatchObject({ code: 'disposed' });
});
