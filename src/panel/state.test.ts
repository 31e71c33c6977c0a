import { describe, expect, it } from 'vitest';
import { INITIAL_STATE, reduce, stateName, type Action, type JobKind, type State } from './state';
import { report } from '../../test/compare/reports';
import { opened, PICTURE } from '../../test/app/compareReports';

const FAILURE = { code: null, problem: 'It broke', expected: null, remedy: null };
const WRONG = { maxAbs: 1, cosine: 0 };

const after = (state: State, ...actions: readonly Action[]): State => actions.reduce(reduce, state);
const started = (kind: JobKind, id = 1): Action => ({ type: 'started', id, kind, subject: 'it', at: 0 });

const OPEN = after(INITIAL_STATE, started('open'), { type: 'opened', id: 1, opened: opened('a', 'b', 'c') });
const WASM = report('wasm', [{ name: 'a' }, { name: 'b', ...WRONG }, { name: 'c', ...WRONG }]);
const GPU = report('webgpu', [{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
const COMPARED = after(OPEN, started('compare'), { type: 'reported', id: 1, report: WASM }, { type: 'compared', id: 1, between: [] });

describe('jobs', () => {
  it('go from empty to done', () => {
    expect(stateName(INITIAL_STATE)).toBe('empty');
    expect(stateName(after(INITIAL_STATE, started('open')))).toBe('opening');
    expect(stateName(OPEN)).toBe('opened');
    expect(stateName(after(OPEN, started('compare')))).toBe('running');
    expect(stateName(COMPARED)).toBe('done');
  });

  it('run one at a time', () => {
    const busy = after(OPEN, started('compare', 1), started('audit', 2));
    expect(busy.job).toMatchObject({ id: 1, kind: 'compare' });
    expect(busy.notice).toBe('busy');
  });

  it('ignore events of earlier jobs', () => {
    const running = after(OPEN, started('compare', 2));
    for (const late of [
      { type: 'reported', id: 1, report: WASM },
      { type: 'failed', id: 1, failure: FAILURE },
      { type: 'cancelled', id: 1 },
      { type: 'opened', id: 1, opened: opened() },
    ] as const) {
      expect(reduce(running, late)).toBe(running);
    }
  });

  it('are not ended by a reset', () => {
    const running = after(OPEN, started('compare'));
    expect(reduce(running, { type: 'reset' })).toBe(running);
  });
});

describe('earlier results are kept', () => {
  it('if a later job fails or is canceled', () => {
    const failed = after(COMPARED, started('audit'), { type: 'failed', id: 1, failure: FAILURE });
    expect(failed).toMatchObject({ reports: COMPARED.reports, failure: FAILURE, failedJob: 'audit', job: null });
    const cancelled = after(COMPARED, started('compare'), { type: 'cancelled', id: 1 });
    expect(cancelled).toMatchObject({ reports: COMPARED.reports, notice: 'cancelled', job: null });
  });

  it('if the second backend fails: the first report is shown', () => {
    const half = after(OPEN, started('compare'), { type: 'reported', id: 1, report: WASM }, { type: 'failed', id: 1, failure: FAILURE });
    expect(stateName(half)).toBe('done');
    expect(half.look).toMatchObject({ stage: 'b', pair: 'golden-wasm' });
  });

  it('but not when other files are opened', () => {
    const other = after(COMPARED, started('open'), { type: 'opened', id: 1, opened: opened('z') });
    expect(other.reports).toEqual({ wasm: null, webgpu: null });
    expect(other.look.stage).toBeNull();
    expect(stateName(other)).toBe('opened');
  });

  it('nor when a stage is mapped to another value, except for the audit and the tolerances', () => {
    const tried = { ...COMPARED, tolerances: new Map([['a', { maxAbs: 1, cosine: 0 }]]) };
    const mapped = after(tried, started('map'), { type: 'mapped', id: 1, opened: opened('a', 'b') });
    expect(mapped).toMatchObject({ job: null, reports: { wasm: null, webgpu: null }, picture: null, tolerances: tried.tolerances });
    expect(stateName(mapped)).toBe('opened');
  });

  it('if opening other files fails', () => {
    const failed = after(COMPARED, started('open'), { type: 'failed', id: 1, failure: FAILURE });
    expect(failed).toMatchObject({ opened: COMPARED.opened, reports: COMPARED.reports });
  });

  it('but not the comparison between backends when a report is replaced', () => {
    const both = after(OPEN, started('compare'), { type: 'reported', id: 1, report: WASM }, { type: 'reported', id: 1, report: GPU }, {
      type: 'compared',
      id: 1,
      between: [{ ...WASM.stages[0]!, name: 'a' }],
    });
    expect(both.between).toHaveLength(1);
    expect(after(both, started('compare', 2), { type: 'reported', id: 2, report: WASM }).between).toEqual([]);
  });
});

describe('the selection', () => {
  it('starts at the first divergence', () => {
    expect(COMPARED.look).toMatchObject({ stage: 'b', pair: 'golden-wasm', column: null });
  });

  it('keeps the selected stage if all pass', () => {
    const clean = report('wasm', [{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
    const again = after(COMPARED, { type: 'looked', look: { stage: 'c' } }, started('compare'), { type: 'reported', id: 1, report: clean }, { type: 'compared', id: 1, between: [] });
    expect(again.look.stage).toBe('c');
  });

  it('of another stage or pair removes the old picture', () => {
    const pictured = after(COMPARED, { type: 'pictured', picture: PICTURE }, { type: 'looked', look: { column: 3 } });
    expect(pictured).toMatchObject({ picture: PICTURE, look: { column: 3 } });
    for (const look of [{ stage: 'c' }, { pair: 'golden-webgpu' }] as const) {
      expect(after(pictured, { type: 'looked', look })).toMatchObject({ picture: null, look: { column: null } });
    }
  });

  it('of another frame or scale keeps the picture', () => {
    const pictured = after(COMPARED, { type: 'pictured', picture: PICTURE });
    for (const look of [{ column: 1 }, { scale: 'linear' }] as const) {
      expect(after(pictured, { type: 'looked', look }).picture).toBe(PICTURE);
    }
  });
});

describe('choices', () => {
  it('include both backends unless WebGPU is missing', () => {
    expect(INITIAL_STATE.choice.backends).toBe('both');
    const without = after(INITIAL_STATE, { type: 'webgpu-missing', reason: 'none' }, { type: 'choice-changed', choice: { backends: 'webgpu', isThorough: true } });
    expect(without.choice).toMatchObject({ backends: 'wasm', isThorough: true });
  });

  it('persist through a reset', () => {
    const reset = after(COMPARED, { type: 'choice-changed', choice: { isThorough: true } }, { type: 'reset' });
    expect(reset).toMatchObject({ opened: null, choice: { isThorough: true }, reports: { wasm: null } });
  });

  it('show every tensor of an audit without flags', () => {
    const audit = (numFlagged: number): State =>
      after(OPEN, started('audit'), { type: 'audited', id: 1, audit: { model: 'm', weights: [], checkpoint: null, numFlagged } });
    expect(audit(0).onlyFlagged).toBe(false);
    expect(audit(2).onlyFlagged).toBe(true);
  });
});
