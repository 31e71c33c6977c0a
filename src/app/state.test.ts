import { describe, expect, it } from 'vitest';
import { annotationOf } from '../editing/annotationOf';
import type { DiarizationResult } from '../engine/types';
import { announcement } from './app';
import { type Failure, failureOf, sentenceOf } from '../ui-kit/failure';
import { text } from '../ui-kit/texts/text';
import { groupProgress } from '../ui-kit/stageGroups';
import {
  diarizeOptions,
  INITIAL_STATE,
  optionsProblem,
  recoveries,
  reduce,
  type Action,
  type Outcome,
  type Source,
  type State,
} from './state';

const source: Source = { name: 'a.wav', load: () => Promise.resolve(new Blob()) };
const result: DiarizationResult = {
  durationSeconds: 10,
  turns: [],
  exclusiveTurns: [],
  confidenceKind: 'margin',
  preset: 'campplus',
  speed: 'exact',
  speakerCount: { value: 0, alternatives: [], unmet: null },
  clustering: 'preset',
  minDurationOn: 0,
  minDurationOff: 0,
  embeddingModel: '',
  models: [],
  modelNote: null,
  speakers: [],
  timings: {},
  backend: { name: 'wasm', adapter: null, threads: 1, reason: '', selfCheck: null },
  tracks: [],
  notes: [],
};
const outcome: Outcome = {
  id: 'a1',
  name: 'a.wav',
  blob: new Blob(),
  result,
  annotation: annotationOf([], [], [], 10),
  options: null,
  processingSeconds: 1,
};
const failure: Failure = { code: 'audio-empty', problem: 'Empty', expected: null, remedy: null };
const started: Action = { type: 'started', id: 1, source, at: 5 };
const progressed = (id: number): Action => ({
  type: 'progressed',
  id,
  progress: { stage: 'decode', completed: 1, total: 4, secondsLeft: null },
});
const previewed = (id: number, analyzedSeconds = 39): Action => ({
  type: 'previewed',
  id,
  preview: { analyzedSeconds, turns: [{ startSeconds: 1, endSeconds: 2, speaker: 'SPEAKER_00' }] },
});
const after = (...actions: Action[]): State => actions.reduce(reduce, INITIAL_STATE);

describe('reduce', () => {
  it('goes from empty through loading and running to done', () => {
    expect(INITIAL_STATE.phase.kind).toBe('empty');
    expect(after(started).phase.kind).toBe('loading');
    expect(after(started, progressed(1)).phase.kind).toBe('running');
    const done = after(started, progressed(1), { type: 'finished', id: 1, outcome });
    expect(done.phase).toEqual({ kind: 'done', outcome });
    expect(done.lastOutcome).toBe(outcome);
  });

  it('ignores late events of a canceled run, also while the next one runs', () => {
    const cancelled = after(started, { type: 'cancelled', id: 1 });
    expect(cancelled.phase.kind).toBe('empty');
    expect(cancelled.notice).toBe('cancelled');
    for (const late of [
      progressed(1),
      previewed(1),
      { type: 'finished', id: 1, outcome },
      { type: 'failed', id: 1, failure },
      { type: 'cancelled', id: 1 },
    ] satisfies Action[]) {
      expect(reduce(cancelled, late)).toBe(cancelled);
      const next = reduce(cancelled, { ...started, id: 2 });
      expect(reduce(next, late)).toBe(next);
    }
  });

  it('keeps the latest preview of the run and none from the previous run', () => {
    const running = after(started, progressed(1), previewed(1), previewed(1, 60), progressed(1));
    expect(running.phase).toMatchObject({ kind: 'running', job: { preview: { analyzedSeconds: 60 } } });
    const next = after(started, previewed(1), { type: 'cancelled', id: 1 }, { ...started, id: 2 });
    expect(next.phase).toMatchObject({ kind: 'loading', job: { preview: null } });
  });

  it('rejects a second recording while one runs', () => {
    const running = after(started, progressed(1));
    const refused = reduce(running, { ...started, id: 2 });
    expect(refused.phase).toBe(running.phase);
    expect(refused.notice).toBe('busy');
  });

  it('does not leave a run by reset or return', () => {
    const running = after(started);
    expect(reduce(running, { type: 'reset' })).toBe(running);
    expect(reduce(running, { type: 'returned' })).toBe(running);
  });

  it('keeps the last result through a failure and a canceled run', () => {
    const finished: Action = { type: 'finished', id: 1, outcome };
    const failed = after(started, finished, { ...started, id: 2 }, { type: 'failed', id: 2, failure });
    expect(failed.phase).toEqual({ kind: 'error', failure, source });
    expect(reduce(failed, { type: 'returned' }).phase).toEqual({ kind: 'done', outcome });
    const cancelled = after(started, finished, { ...started, id: 2 }, { type: 'cancelled', id: 2 });
    expect(reduce(cancelled, { type: 'returned' }).phase.kind).toBe('done');
    expect(reduce(after(started, { type: 'failed', id: 1, failure }), { type: 'returned' }).phase.kind).toBe('error');
  });

  it('opens existing work, but not during a run', () => {
    expect(reduce(INITIAL_STATE, { type: 'opened', outcome }).phase).toEqual({ kind: 'done', outcome });
    const running = after(started, { type: 'opened', outcome });
    expect(running.phase.kind).toBe('loading');
    expect(running.notice).toBe('busy');
  });

  it('keeps the notice about several files at the start and drops older notices', () => {
    expect(after({ type: 'noticed', notice: 'first-only' }, started).notice).toBe('first-only');
    expect(after({ type: 'noticed', notice: 'cancelled' }, started).notice).toBeNull();
  });
});

describe('options', () => {
  const options = INITIAL_STATE.options;
  it('are converted to the options of the engine', () => {
    expect(diarizeOptions(options)).toEqual({});
    expect(diarizeOptions({ ...options, speakerMode: 'exact', exact: 3 })).toEqual({ speakers: 3 });
    expect(diarizeOptions({ ...options, speakerMode: 'range', min: 2, max: 5 })).toEqual({
      minSpeakers: 2,
      maxSpeakers: 5,
    });
  });

  it('are validated only if they are used', () => {
    expect(optionsProblem({ ...options, exact: Number.NaN })).toBeNull();
    expect(optionsProblem({ ...options, speakerMode: 'exact', exact: Number.NaN })).toBe('options-number');
    expect(optionsProblem({ ...options, speakerMode: 'exact', exact: 1.5 })).toBe('options-number');
    expect(optionsProblem({ ...options, speakerMode: 'range', min: 0 })).toBe('options-number');
    expect(optionsProblem({ ...options, speakerMode: 'range', min: 3, max: 2 })).toBe('options-range');
    expect(optionsProblem({ ...options, speakerMode: 'range', min: 2, max: 2 })).toBeNull();
  });
});

describe('recoveries', () => {
  it('offers WASM if the backend fails, but not if it already runs on WASM', () => {
    const gpu = { ...failure, code: 'backend-failed' } as const;
    expect(recoveries(gpu, INITIAL_STATE.options).wasm).toBe(true);
    expect(recoveries(gpu, { ...INITIAL_STATE.options, backend: 'wasm' }).wasm).toBe(false);
  });
  it('offers the bundled preset if a model is unavailable, but not if it is already chosen', () => {
    for (const code of ['model-missing', 'model-download', 'model-altered', 'model-invalid'] as const) {
      const broken = { ...failure, code };
      expect(recoveries(broken, INITIAL_STATE.options)).toMatchObject({ retry: true, bundled: true });
      expect(recoveries(broken, { ...INITIAL_STATE.options, preset: 'campplus' }).bundled).toBe(false);
    }
  });
  it('offers no retry for a broken file', () => {
    expect(recoveries(failure, INITIAL_STATE.options)).toEqual({
      retry: false,
      wasm: false,
      options: false,
      bundled: false,
    });
  });
});

describe('failureOf', () => {
  it('reads the fields of an error that lost its class', () => {
    expect(failureOf({ code: 'audio-empty', problem: 'Empty', remedy: 'Other file' })).toEqual({
      code: 'audio-empty',
      problem: 'Empty',
      expected: null,
      remedy: 'Other file',
      details: null,
    });
  });
  it('puts browser and library messages into the details', () => {
    expect(failureOf(new TypeError('bad'))).toMatchObject({ code: null, problem: text.unexpected.problem, details: 'TypeError: bad' });
    expect(failureOf('bad')).toMatchObject({ code: null, details: 'bad' });
    expect(failureOf(new DOMException('A requested file or directory could not be found', 'NotFoundError'))).toMatchObject({ problem: text.unreadable.problem });
    expect(sentenceOf(new TypeError('bad'))).not.toContain('bad');
  });
});

describe('groupProgress', () => {
  const part = (stage: 'decode' | 'segmentation' | 'counting' | 'clustering', completed: number, total: number) => ({
    stage,
    completed,
    total,
    secondsLeft: 3,
  });
  it('marks no stage as done while the totals are estimates', () => {
    const [decode, segmentation] = groupProgress({
      decode: part('decode', 5, 10),
      segmentation: part('segmentation', 4, 4),
    });
    expect(decode).toMatchObject({ status: 'active', fraction: 0.5, secondsLeft: 3 });
    expect(segmentation).toMatchObject({ status: 'active', fraction: 1 });
  });
  it('sums up the steps of grouped stages', () => {
    const groups = groupProgress({
      decode: part('decode', 10, 10),
      counting: part('counting', 1, 1),
      clustering: part('clustering', 1, 2),
    });
    expect(groups.at(0)?.status).toBe('done');
    expect(groups.at(-1)).toMatchObject({ status: 'active', completed: 1, total: 3, fraction: 0.5 });
  });
  it('handles a total of zero', () => {
    expect(groupProgress({ decode: part('decode', 0, 0) })[0]).toMatchObject({ fraction: 0, status: 'active' });
  });
});

describe('announcement', () => {
  it('covers starts and ends but not progress steps', () => {
    const first = after(started, progressed(1));
    expect(announcement(after(started), INITIAL_STATE)).toContain('a.wav');
    expect(announcement(first, after(started))).toBe('Reading audio');
    expect(announcement(reduce(first, progressed(1)), first)).toBeNull();
    const shown = reduce(first, previewed(1));
    expect(announcement(shown, first)).toBe('The turns of the first 39 s are shown. They can still change.');
    expect(announcement(reduce(shown, previewed(1, 60)), shown)).toBeNull();
    expect(announcement(reduce(first, { type: 'finished', id: 1, outcome }), first)).toContain('No speech');
  });
});
