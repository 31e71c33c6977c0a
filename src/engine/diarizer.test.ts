/** Life of the workers of canceled runs. The tests replace the start of engines and the runs. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { VoxlaneError } from '../util/errors';
import { diarize, shareDiarizer } from './sharedDiarizer';
import { Diarizer } from './diarizer';
import type { Engine } from './engine';
import { runPipeline } from './run';
import { checkAgain, startTrustedEngine } from './selfCheck';
import type { DiarizationResult, DiarizeOptions } from './types';

vi.mock('./run');
vi.mock(import('./options'), async (original) => ({ ...(await original()), withFiles: (options: object) => Promise.resolve(options as never) }));
vi.mock(import('./presets'), async (original) => ({ ...(await original()), choosePreset: () => Promise.resolve('campplus' as const) }));
vi.mock(import('./selfCheck'), async (original) => ({ ...(await original()), startTrustedEngine: vi.fn(), checkAgain: vi.fn(), startOnWasm: vi.fn() }));

const SAMPLES = new Float32Array(10);
const RESULT = {} as DiarizationResult;
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
const engineOf = () => ({ backend: { name: 'webgpu' }, decode: { end: null }, clustering: { end: null }, terminate: vi.fn() }) as unknown as Engine;
const ended = new VoxlaneError({ code: 'worker-failed', problem: 'it vanished' });

/** The next call of a mocked function settles when the test opens the gate. */
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

describe('an engine is ended', () => {
  test('if it was created while the creation was canceled', async () => {
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

  test.each(['signal', 'dispose'] as const)('if it was started again during a cancellation: by %s', async (way) => {
    const diarizer = await create();
    vi.mocked(runPipeline).mockRejectedValueOnce(new Error('broken'));
    await expect(diarizer.diarize(SAMPLES, { sampleRate: 16_000 })).rejects.toThrow('broken');
    expect(diarizer.backend).toBeNull();
    const [controller, engine] = [new AbortController(), engineOf()];
    const open = gate(vi.mocked(startTrustedEngine));
    const run = diarizer.diarize(SAMPLES, { sampleRate: 16_000, signal: controller.signal });
    await settled();
    open(engine);
    if (way === 'signal') controller.abort();
    else diarizer.dispose();
    await expect(run).rejects.toMatchObject({ code: way === 'signal' ? 'cancelled' : 'disposed' });
    await settled();
    expect(engine.terminate).toHaveBeenCalledOnce();
    expect(diarizer.backend).toBeNull();
    // Only the failed run: the canceled one did not start.
    expect(runPipeline).toHaveBeenCalledOnce();
  });
});

test('a run canceled during a repeated GPU check does not end the engine of the next run', async () => {
  const [first, second] = [engineOf(), engineOf()];
  const diarizer = await create(first);
  vi.mocked(runPipeline).mockRejectedValueOnce(new VoxlaneError({ code: 'gpu-wrong', problem: 'NaN' }));
  const endCheck = gate(vi.mocked(checkAgain));
  const controller = new AbortController();
  const run = diarizer.diarize(SAMPLES, { sampleRate: 16_000, signal: controller.signal });
  await settled();
  controller.abort();
  await expect(run).rejects.toMatchObject({ code: 'cancelled' });
  expect(first.terminate).toHaveBeenCalledOnce();

  vi.mocked(startTrustedEngine).mockResolvedValueOnce(second);
  const finish = gate(vi.mocked(runPipeline));
  const next = diarizer.diarize(SAMPLES, { sampleRate: 16_000 });
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
  await expect(diarizer.diarize(SAMPLES, { sampleRate: 16_000 })).rejects.toMatchObject({ code: 'disposed' });
});

test.each(['decode', 'clustering'] as const)('an engine whose %s worker ended between two runs is replaced', async (worker) => {
  const [first, second] = [engineOf(), engineOf()];
  const diarizer = await create(first);
  vi.mocked(runPipeline).mockResolvedValue(RESULT);
  await diarizer.diarize(SAMPLES, { sampleRate: 16_000 });
  Object.assign(first[worker], { end: ended });
  vi.mocked(startTrustedEngine).mockResolvedValueOnce(second);
  expect(await diarizer.diarize(SAMPLES, { sampleRate: 16_000 })).toBe(RESULT);
  expect(first.terminate).toHaveBeenCalledOnce();
  expect(vi.mocked(runPipeline).mock.calls.map(([engine]) => engine)).toEqual([first, second]);
});

test.each(['succeeds', 'fails', 'is canceled', 'is disposed of'] as const)('a run that %s reports nothing afterwards', async (how) => {
  const diarizer = await create();
  const events: string[] = [];
  const controller = new AbortController();
  let end: { resolve: (result: DiarizationResult) => void; reject: (reason: Error) => void };
  vi.mocked(runPipeline).mockReturnValueOnce(new Promise((resolve, reject) => { end = { resolve, reject }; }));
  const run = diarizer.diarize(SAMPLES, {
    sampleRate: 16_000,
    signal: controller.signal,
    hook: () => events.push('hook'),
    onProgress: () => events.push('progress'),
    onPreview: () => events.push('preview'),
  });
  run.catch(() => undefined);
  await settled();
  const [, , options, hook] = vi.mocked(runPipeline).mock.lastCall!;
  const report = (): void => {
    hook({ stage: 'embedding', artifact: null, completed: 1, total: 2 });
    options.onPreview?.({ analyzedSeconds: 30, turns: [] });
  };
  report();
  if (how === 'succeeds') end!.resolve(RESULT);
  if (how === 'fails') end!.reject(new VoxlaneError({ code: 'audio-decode', problem: 'broken' }));
  if (how === 'is canceled') controller.abort();
  if (how === 'is disposed of') diarizer.dispose();
  // Messages posted before the end still arrive after it.
  if (how.startsWith('is')) report();
  await Promise.allSettled([run]);
  report();
  expect(events).toEqual(['hook', 'progress', 'preview']);
});

describe('a stream that no run reads is canceled', () => {
  const streamOf = () => {
    const cancel = vi.fn();
    return { cancel, stream: new ReadableStream<Uint8Array>({ cancel }) };
  };

  test.each([
    ['an option out of range', { speakers: 0 }],
    ['a contradiction', { minSpeakers: 3, maxSpeakers: 2 }],
    ['an unknown option', { speaker: 2 }],
    ['a signal that has fired', { signal: AbortSignal.abort() }],
  ] as const)('%s', async (_, options) => {
    const { cancel, stream } = streamOf();
    const diarizer = await create();
    await expect(diarizer.diarize(stream, options as DiarizeOptions)).rejects.toThrow();
    expect(cancel).toHaveBeenCalledOnce();
  });

  test('after dispose()', async () => {
    const { cancel, stream } = streamOf();
    const diarizer = await create();
    diarizer.dispose();
    await expect(diarizer.diarize(stream)).rejects.toMatchObject({ code: 'disposed' });
    expect(cancel).toHaveBeenCalledOnce();
  });

  test('if an engine fails to start', async () => {
    const cancel = vi.fn();
    const diarizer = await create();
    vi.mocked(runPipeline).mockRejectedValueOnce(ended);
    await diarizer.diarize(SAMPLES, { sampleRate: 16_000 }).catch(() => undefined);
    vi.mocked(startTrustedEngine).mockRejectedValueOnce(ended);
    const endless = new ReadableStream<Float32Array>({ start: (controller) => { controller.enqueue(SAMPLES); }, cancel });
    await expect(diarizer.diarize(endless, { sampleRate: 16_000 })).rejects.toBe(ended);
    expect(cancel).toHaveBeenCalledOnce();
  });

  test.each([{ speakers: 0 }, { nonsense: 1 }, { preset: 'large' }])('in one call of diarize() with %j', async (options) => {
    const { cancel, stream } = streamOf();
    await expect(diarize(stream, options as never)).rejects.toMatchObject({ code: 'options' });
    expect(cancel).toHaveBeenCalledOnce();
  });

  test('on a released share; a stream with another reader is not touched', async () => {
    const { cancel, stream } = streamOf();
    const share = shareDiarizer();
    share.release();
    await expect(share.diarize(stream)).rejects.toMatchObject({ code: 'disposed' });
    expect(cancel).toHaveBeenCalledOnce();
    const other = streamOf();
    other.stream.getReader();
    await expect(share.diarize(other.stream)).rejects.toMatchObject({ code: 'disposed' });
    expect(other.cancel).not.toHaveBeenCalled();
  });
});
