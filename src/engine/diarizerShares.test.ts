import { describe, expect, test } from 'vitest';
import { noise } from '../../test/audio/collect';
import { VoxlaneError } from '../util/errors';
import { SerialQueue } from './engineLifetime';
import { DiarizerShares, type DiarizerShare, type SharedDiarizer } from './sharedDiarizer';
import { checkDiarizerOptions } from './options';
import { TestSource } from '../../test/engine/pieces';
import { cancelled } from '../util/abort';
import type { DiarizationResult, DiarizeOptions, DiarizerOptions } from './types';

const SAMPLES = noise(10);
const RESULT = {} as DiarizationResult;
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(() => 'none', (error: unknown) => (error instanceof VoxlaneError ? error.code : String(error)));
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

/** A promise that the test settles. */
function gate(): { opened: Promise<void>; open: () => void; fail: (error: Error) => void } {
  let open = (): void => undefined;
  let fail: (error: Error) => void = () => undefined;
  const opened = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { opened, open, fail };
}

class FakeDiarizer implements SharedDiarizer {
  isDisposed = false;
  readonly turns = new SerialQueue();
  readonly runs: ReturnType<typeof gate>[] = [];

  diarize(_: unknown, { signal }: DiarizeOptions = {}): Promise<DiarizationResult> {
    return this.turns.take(async () => {
      const run = gate();
      this.runs.push(run);
      signal?.addEventListener('abort', () => { run.fail(cancelled(signal)); });
      await run.opened;
      return RESULT;
    }, signal);
  }

  dispose(): void {
    this.isDisposed = true;
  }
}

/** Shares whose diarizers are created when the test allows it. */
function setUp(): {
  share: (options?: DiarizerOptions) => DiarizerShare;
  created: { diarizer: FakeDiarizer; creation: ReturnType<typeof gate>; options: DiarizerOptions; signal: AbortSignal }[];
} {
  const created: ReturnType<typeof setUp>['created'] = [];
  const shares = new DiarizerShares(async ({ signal, ...options }) => {
    const [diarizer, creation] = [new FakeDiarizer(), gate()];
    created.push({ diarizer, creation, options, signal });
    signal.addEventListener('abort', () => { creation.fail(cancelled(signal)); });
    await creation.opened;
    return diarizer;
  });
  const share = (options: DiarizerOptions = {}) => shares.share(options, checkDiarizerOptions(options, 'https://example.org/'));
  return { share, created };
}

describe('handles of a shared diarizer', () => {
  test('with equal options have one diarizer, which the first run starts, and take turns', async () => {
    const { share, created } = setUp();
    const [a, b] = [share({ preset: 'fast' }), share({ speed: 'fast', idleSeconds: 60 })];
    expect(created).toHaveLength(0);
    const runs = [a.diarize(SAMPLES), b.diarize(SAMPLES)];
    created[0]!.creation.open();
    await settled();
    expect(created).toHaveLength(1);
    const { diarizer } = created[0]!;
    expect(diarizer.runs).toHaveLength(1);
    diarizer.runs[0]!.open();
    await settled();
    diarizer.runs[1]!.open();
    expect(await Promise.all(runs)).toEqual([RESULT, RESULT]);
  });

  test('with different options have their own; files are compared by identity', async () => {
    const { share, created } = setUp();
    const file = (): Blob => new Blob(['x']);
    const same = file();
    const all = [{}, { backend: 'wasm' }, { idleSeconds: Infinity }, { idleSeconds: 1 }, { modelFile: same }, { modelFile: same }, { modelFile: file() }, { models: '/m' }] as const;
    const runs = all.map((options) => share(options).diarize(SAMPLES));
    for (const run of runs) run.catch(() => undefined);
    await settled();
    expect(created).toHaveLength(all.length - 1);
  });

  test('the last release ends it and rejects a run; the next handle starts another', async () => {
    const { share, created } = setUp();
    const [a, b] = [share(), share()];
    const runs = [a.diarize(SAMPLES), b.diarize(SAMPLES)] as const;
    created[0]!.creation.open();
    await settled();
    const { diarizer } = created[0]!;
    a.release();
    a.release();
    expect(await codeOf(runs[0])).toBe('disposed');
    expect(await codeOf(a.diarize(SAMPLES))).toBe('disposed');
    await settled();
    expect(diarizer.isDisposed).toBe(false);
    b.release();
    expect(await codeOf(runs[1])).toBe('disposed');
    await settled();
    expect(diarizer.isDisposed).toBe(true);
    share().diarize(SAMPLES).catch(() => undefined);
    expect(created).toHaveLength(2);
  });

  test('a release during the start ends the start', async () => {
    const { share, created } = setUp();
    const one = share();
    const run = one.diarize(SAMPLES);
    one.release();
    expect(await codeOf(run)).toBe('disposed');
    expect(created[0]!.signal.aborted).toBe(true);
  });

  test('a failed creation rejects all waiting calls, and the next run tries again', async () => {
    const { share, created } = setUp();
    const one = share();
    const runs = [one.diarize(SAMPLES), share().diarize(SAMPLES)];
    created[0]!.creation.fail(new VoxlaneError({ code: 'model-missing', problem: 'x' }));
    expect(await Promise.all(runs.map(codeOf))).toEqual(['model-missing', 'model-missing']);
    const again = one.diarize(SAMPLES);
    created[1]!.creation.open();
    await settled();
    created[1]!.diarizer.runs[0]!.open();
    expect(await again).toBe(RESULT);
  });

  test('a signal removes one call from the start; the last one ends the start', async () => {
    const { share, created } = setUp();
    const [one, other] = [new AbortController(), new AbortController()];
    const source = new TestSource([SAMPLES]);
    const runs = [share().diarize(source, { signal: one.signal }), share().diarize(SAMPLES, { signal: other.signal })] as const;
    one.abort('first');
    await expect(runs[0]).rejects.toMatchObject({ code: 'cancelled', cause: 'first' });
    expect(source.isEnded).toBe(true);
    expect(created[0]!.signal.aborted).toBe(false);
    other.abort('second');
    await expect(runs[1]).rejects.toMatchObject({ code: 'cancelled', cause: 'second' });
    expect(created[0]!.signal.aborted).toBe(true);
    // A new caller does not get a diarizer that is being ended.
    share().diarize(SAMPLES).catch(() => undefined);
    expect(created).toHaveLength(2);
    expect(await codeOf(share().diarize(SAMPLES, { signal: AbortSignal.abort() }))).toBe('cancelled');
    expect(created).toHaveLength(2);
  });

  test('validate the options of a run before anything starts', async () => {
    const { share, created } = setUp();
    expect(await codeOf(share().diarize(SAMPLES, { speakers: 0 }))).toBe('options');
    expect(await codeOf(share().diarize(SAMPLES, { speeker: 2 } as never))).toBe('options');
    expect(created).toHaveLength(0);
  });

  test('report downloads to the handle with a current run', async () => {
    const { share, created } = setUp();
    const heard: string[] = [];
    const [a, b] = ['a', 'b'].map((name) => share({ onDownload: () => heard.push(name) })) as [DiarizerShare, DiarizerShare];
    const progress = { model: 'm', step: 'download', receivedBytes: 1, totalBytes: 2 } as const;
    const runs = [a.diarize(SAMPLES), b.diarize(SAMPLES)] as const;
    expect(created).toHaveLength(1);
    created[0]!.options.onDownload!(progress);
    expect(heard).toEqual(['a', 'b']);
    created[0]!.creation.open();
    await settled();
    created[0]!.diarizer.runs[0]!.open();
    await runs[0];
    created[0]!.options.onDownload!(progress);
    expect(heard).toEqual(['a', 'b', 'b']);
    b.release();
    expect(await codeOf(runs[1])).toBe('disposed');
  });

  test('report a download once to a handle with two runs, until the last run is over', async () => {
    const { share, created } = setUp();
    let heard = 0;
    const one = share({ onDownload: () => heard++ });
    const runs = [one.diarize(SAMPLES), one.diarize(SAMPLES)] as const;
    const [{ creation, diarizer, options }] = created as [(typeof created)[0]];
    const progress = { model: 'm', step: 'download', receivedBytes: 1, totalBytes: 2 } as const;
    options.onDownload!(progress);
    expect(heard).toBe(1);
    creation.open();
    await settled();
    diarizer.runs[0]!.open();
    await runs[0];
    options.onDownload!(progress);
    expect(heard).toBe(2);
    await settled();
    diarizer.runs[1]!.open();
    await runs[1];
    options.onDownload!(progress);
    expect(heard).toBe(2);
  });
});
