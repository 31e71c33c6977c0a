import { describe, expect, it } from 'vitest';
import type { DiarizationResult, DiarizeOptions, DiarizerOptions, ModelDownload } from '../../engine/types';
import { VoxlaneError } from '../../util/errors';
import type { Phase } from './phase';
import { Session } from './session';

interface Call {
  readonly options: DiarizeOptions;
  readonly finish: (result: DiarizationResult) => void;
  readonly fail: (error: unknown) => void;
}

/** A session with an engine that the test controls. */
function setUp() {
  const told: string[] = [];
  const phases: Phase[] = [];
  const calls: Call[] = [];
  const opened: DiarizerOptions[] = [];
  /** Runs when the page is notified of a cancellation. */
  const page = { onCancelled: (): void => undefined };
  let released = 0;
  const session = new Session(
    () =>
      Promise.resolve((options) => {
        opened.push(options);
        return {
          diarize: (_, runOptions = {}) =>
            new Promise((finish, fail) => {
              calls.push({ options: runOptions, finish, fail });
              runOptions.signal?.addEventListener('abort', () => {
                fail(new VoxlaneError({ code: 'cancelled', problem: 'stopped' }));
              });
            }),
          release: () => {
            released += 1;
          },
        };
      }),
    {
      onPhase: (phase) => phases.push(phase),
      onProgress: ({ stage }) => told.push(`progress ${stage}`),
      onResult: () => told.push('result'),
      onFailed: ({ code }) => told.push(`failed ${code}`),
      onCancelled: () => {
        told.push('cancelled');
        page.onCancelled();
      },
    },
  );
  const start = (diarizer: DiarizerOptions = {}): Promise<DiarizationResult> => {
    const run = session.run({ source: new Float32Array(1), name: 'a', settings: { diarizer, run: { speakers: 2 } } });
    run.catch(() => undefined);
    return run;
  };
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
  return { session, told, phases, calls, opened, page, start, settled, numReleased: () => released };
}

const RESULT = { turns: [], speakers: [] } as unknown as DiarizationResult;
const stepOf = (phase: Phase | undefined): string => (phase?.kind === 'running' ? phase.run.step : (phase?.kind ?? 'none'));

describe('Session', () => {
  it('acquires a share with its first run and keeps it for the second', async () => {
    const { session, opened, calls, start, settled, numReleased, told } = setUp();
    expect(opened).toHaveLength(0);
    const run = start({ threads: 2 });
    await settled();
    expect(calls[0]!.options).toMatchObject({ speakers: 2 });
    calls[0]!.finish(RESULT);
    await expect(run).resolves.toBe(RESULT);
    void start({ threads: 2 });
    await settled();
    expect(opened).toHaveLength(1);
    expect(told).toEqual(['result']);
    session.release();
    expect(numReleased()).toBe(1);
  });

  it('acquires another share for other options and releases the first', async () => {
    const { opened, calls, start, settled, numReleased } = setUp();
    void start({ threads: 2 });
    await settled();
    calls[0]!.finish(RESULT);
    await settled();
    void start({ threads: 3 });
    await settled();
    expect(opened.map(({ threads }) => threads)).toEqual([2, 3]);
    expect(numReleased()).toBe(1);
  });

  it('ends the previous run, whose end then has no effect', async () => {
    const { session, calls, start, settled, told } = setUp();
    const first = start();
    await settled();
    void start();
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    await settled();
    expect(told).toEqual(['cancelled']);
    expect(session.phase.kind).toBe('running');
    calls[1]!.finish(RESULT);
    await settled();
    expect(session.phase.kind).toBe('done');
  });

  it('continues a run that a listener started on cancellation, and rejects the run that canceled', async () => {
    const { session, calls, page, start, settled, told } = setUp();
    void start();
    await settled();
    let third: Promise<DiarizationResult> | null = null;
    page.onCancelled = () => {
      third ??= start();
    };
    const second = start();
    await expect(second).rejects.toMatchObject({ code: 'cancelled' });
    await settled();
    expect(calls.map(({ options }) => options.signal!.aborted)).toEqual([true, false]);
    expect(session.isRunning).toBe(true);
    calls[1]!.finish(RESULT);
    await expect(third).resolves.toBe(RESULT);
    expect(session.phase.kind).toBe('done');
    expect(told).toEqual(['cancelled', 'result']);
  });

  it('shows a download, forwards it to the current listener of the page, and clears it with its run', async () => {
    const { session, opened, phases, start, settled } = setUp();
    const heard: string[] = [];
    const half: ModelDownload = { model: 'campplus', step: 'download', receivedBytes: 1, totalBytes: 2 };
    const shown = (): unknown => phases.map((phase) => (phase.kind === 'running' ? phase.run.download : null)).at(-1);
    void start({ onDownload: () => heard.push('first') });
    await settled();
    opened[0]!.onDownload!(half);
    expect(shown()).toBe(half);
    session.cancel();
    void start({ onDownload: () => heard.push('second') });
    await settled();
    expect(opened).toHaveLength(1);
    expect(shown()).toBeNull();
    opened[0]!.onDownload!(half);
    expect(shown()).toBe(half);
    expect(heard).toEqual(['first', 'second']);
  });

  it('returns to the last result after a cancellation, and reports a failure', async () => {
    const { session, calls, start, settled, told } = setUp();
    void start();
    await settled();
    calls[0]!.finish(RESULT);
    await settled();
    void start();
    await settled();
    session.cancel();
    expect(session.phase).toMatchObject({ kind: 'done' });
    const failing = start();
    await settled();
    calls[2]!.fail(new TypeError('no'));
    await expect(failing).rejects.toMatchObject({ code: 'backend-failed', details: 'TypeError: no' });
    expect(session.phase).toMatchObject({ kind: 'failed' });
    expect(session.last?.result).toBe(RESULT);
    expect(told).toEqual(['result', 'cancelled', 'failed backend-failed']);
  });

  it('acquires no share if it was released before the library was loaded', async () => {
    const { session, opened, start, settled } = setUp();
    const run = start();
    session.release();
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    await settled();
    expect(opened).toHaveLength(0);
  });

  it('shows that it waits while another run uses the engine, and stops when that run ends', async () => {
    const [one, two] = [setUp(), setUp()];
    void one.start({ threads: 7 });
    await one.settled();
    void two.start({ threads: 7 });
    await two.settled();
    expect(stepOf(one.phases.at(-1))).toBe('loading');
    expect(stepOf(two.phases.at(-1))).toBe('waiting');
    one.calls[0]!.finish(RESULT);
    await one.settled();
    expect(stepOf(two.phases.at(-1))).toBe('loading');
    two.session.release();
  });
});
