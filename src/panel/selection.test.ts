import { describe, expect, it } from 'vitest';
import type { ComparisonReport, DecisionReport } from '../compare/report';
import { announcement, causeSentence, titleOf, verdictSentence, worstSentence } from './text';
import {
  availablePairs,
  defaultPair,
  headlineOf,
  INITIAL_STATE,
  isShown,
  pictureWanted,
  stageRows,
  type State,
  worstOf,
} from './state';
import { report, stageReport, WORST_SECONDS } from '../../test/compare/reports';
import { cause, opened } from '../../test/app/compareReports';
import { isTolerance, withTolerance } from './section';
import { sharedCauses } from './views/stages';

const WRONG = { maxAbs: 1, cosine: 0 };
const CLEAN = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];
const FROM_B = [{ name: 'a' }, { name: 'b', ...WRONG }, { name: 'c', ...WRONG }];
const FROM_C = [{ name: 'a' }, { name: 'b' }, { name: 'c', ...WRONG }];

function withReports(wasm: ComparisonReport | null, webgpu: ComparisonReport | null, change: Partial<State> = {}): State {
  return { ...INITIAL_STATE, opened: opened('a', 'b', 'c'), reports: { wasm, webgpu }, ...change };
}

describe('headline', () => {
  it.each([
    ['all-pass', CLEAN, CLEAN, null],
    ['same-stage', FROM_B, FROM_B, 'b'],
    ['webgpu-only', CLEAN, FROM_B, 'b'],
    ['wasm-only', FROM_C, CLEAN, 'c'],
    ['two-stages', FROM_C, FROM_B, 'b'],
  ] as const)('%s', (reading, wasm, webgpu, firstDivergence) => {
    const state = withReports(report('wasm', wasm), report('webgpu', webgpu));
    expect(headlineOf(state)).toMatchObject({ reading, firstDivergence, verdict: firstDivergence ? 'fail' : 'pass' });
  });

  it('distinguishes a kernel fault from a graph fault', () => {
    const withKernels = (wasm: typeof CLEAN): State => withReports(null, null, { reports: { wasm: report('wasm', wasm), webgpu: null, kernels: report('kernels', FROM_B) } });
    const state = withKernels(CLEAN);
    expect(headlineOf(state)).toMatchObject({ reading: 'kernels-only', verdict: 'fail', firstDivergence: 'b' });
    expect([defaultPair(state), availablePairs(state)]).toEqual(['golden-kernels', ['golden-wasm', 'golden-kernels']]);
    expect(stageRows(state).filter((row) => isShown(row, { search: '', onlyFailing: true })).map(({ name }) => name)).toEqual(['b', 'c']);
    expect(headlineOf(withKernels(FROM_B))).toMatchObject({ reading: 'one-backend', firstDivergence: 'b' });
  });

  it('of one backend says nothing about the other', () => {
    expect(headlineOf(withReports(report('wasm', FROM_B), null))).toMatchObject({ reading: 'one-backend', firstDivergence: 'b' });
    expect(headlineOf(withReports(null, null))).toBeNull();
  });

  it('uses edited tolerances, unlike the reports', () => {
    const edited = new Map(CLEAN.map(({ name }) => [name, { maxAbs: 2, cosine: -1 }]));
    const state = withReports(report('wasm', FROM_B), null, { tolerances: edited });
    expect(headlineOf(state)).toMatchObject({ verdict: 'pass', firstDivergence: null });
    expect(state.reports.wasm?.verdict).toBe('fail');
  });

  it('is given in one sentence and in the title', () => {
    expect(verdictSentence(withReports(report('wasm', CLEAN), null))).toBe('All 3 stages pass');
    const failing = withReports(report('wasm', FROM_B), null);
    expect(verdictSentence(failing)).toBe('First divergence: b');
    expect(titleOf(failing)).toContain('b diverges');
  });

  it('starts with the decisions of the backend with more differences', () => {
    const decisionsOf = (differing: number, nearTies: number): DecisionReport => ({
      stage: 'b', kind: 'class', reason: '', axes: ['batch', 'frame'], total: 589, differing, nearTies, threshold: null, labels: null, examples: [], causes: [],
    });
    const [wasm, webgpu] = [{ ...report('wasm', CLEAN), decisions: [decisionsOf(0, 0)] }, { ...report('webgpu', FROM_B), decisions: [decisionsOf(3, 1)] }];
    expect(verdictSentence(withReports(wasm, null))).toBe('0 of 589 frames have a different class. All 3 stages pass');
    expect(verdictSentence(withReports(wasm, webgpu))).toBe('3 of 589 frames have a different class, 1 of them near ties. First divergence: b');
  });
});

describe('rows', () => {
  it('are in graph order, with uncompared stages at the end', () => {
    const state = withReports(report('wasm', [{ name: 'b' }, { name: 'a' }]), null);
    expect(stageRows(state).map(({ name, wasm }) => [name, wasm !== null])).toEqual([
      ['b', true],
      ['a', true],
      ['c', false],
    ]);
  });

  it('are filtered by failure and by all words of a search', () => {
    const failing = { wasm: stageReport({ name: 'enc.0.Att', verdict: 'fail' }), webgpu: null };
    const [row] = stageRows(withReports(report('wasm', [{ name: 'enc.0.Att' }]), null));
    const searched = (search: string, onlyFailing = false): boolean => isShown(row!, { search, onlyFailing });
    expect(['', 'att', 'ATT enc', ' enc.0 '].map((search) => searched(search))).toEqual([true, true, true, true]);
    expect(['dec', 'att dec'].map((search) => searched(search))).toEqual([false, false]);
    expect(searched('', true)).toBe(false);
    expect(isShown({ ...row!, ...failing }, { search: 'att', onlyFailing: true })).toBe(true);
    expect(isShown({ ...row!, ...failing }, { search: 'dec', onlyFailing: true })).toBe(false);
    // Failing on one backend is enough.
    expect(isShown({ ...row!, webgpu: failing.wasm }, { search: '', onlyFailing: true })).toBe(true);
  });

  it('state which tolerance was edited', () => {
    const edited = { maxAbs: 0.5, cosine: 0.9 };
    const rows = stageRows(withReports(report('wasm', CLEAN), null, { tolerances: new Map([['b', edited]]) }));
    expect(rows.map(({ isEdited }) => isEdited)).toEqual([false, true, false]);
    expect(rows[1]?.tolerance).toEqual(edited);
  });
});

describe('the selection', () => {
  it('offers a pair only if both sides exist', () => {
    expect(availablePairs(withReports(report('wasm', CLEAN), null))).toEqual(['golden-wasm']);
    expect(availablePairs(withReports(null, report('webgpu', CLEAN)))).toEqual(['golden-webgpu']);
    expect(availablePairs(withReports(report('wasm', CLEAN), report('webgpu', CLEAN)))).toContain('wasm-webgpu');
  });

  it('selects the failing backend', () => {
    expect(defaultPair(withReports(report('wasm', CLEAN), report('webgpu', FROM_B)))).toBe('golden-webgpu');
    expect(defaultPair(withReports(report('wasm', FROM_C), report('webgpu', FROM_B)))).toBe('golden-webgpu');
    expect(defaultPair(withReports(null, report('webgpu', CLEAN)))).toBe('golden-webgpu');
  });

  it('requests no picture while a job runs or without data', () => {
    const look = { ...INITIAL_STATE.look, stage: 'a' };
    const state = withReports(report('wasm', CLEAN), null, { look });
    expect(pictureWanted(state)).toEqual({ stage: 'a', pair: 'golden-wasm', column: null });
    const job = { id: 1, kind: 'audit', subject: '', startedAt: 0, progress: null } as const;
    expect(pictureWanted({ ...state, job })).toBeNull();
    expect(pictureWanted({ ...state, look: { ...look, pair: 'wasm-webgpu' } })).toBeNull();
    expect(pictureWanted({ ...state, look: { ...look, stage: 'z' } })).toBeNull();
  });

  it('has the worst value of the selected pair', () => {
    const between = [{ ...stageReport({ name: 'a' }), worst: { index: [0, 0, 0], actual: 0, golden: 1, seconds: 9 } }];
    const state = withReports(report('wasm', CLEAN), report('webgpu', CLEAN), { between });
    const at = (pair: State['look']['pair']): number | null | undefined =>
      worstOf({ ...state, look: { ...state.look, stage: 'a', pair } })?.seconds;
    expect(at('golden-wasm')).toBe(WORST_SECONDS);
    expect(at('wasm-webgpu')).toBe(9);
  });
});

describe('tolerances', () => {
  const state = withReports(report('wasm', CLEAN), null);

  it('are edited for one stage or for all', () => {
    expect([...withTolerance(state, 'b', 'maxAbs', 0.5)]).toEqual([['b', { maxAbs: 0.5, cosine: 0.999, isMaxAbsStrict: true }]]);
    expect(withTolerance(state, null, 'cosine', 0.5).size).toBe(3);
  });

  it('keep earlier edits, and count as unedited when equal to those of the bundle', () => {
    const once = { ...state, tolerances: withTolerance(state, 'b', 'maxAbs', 0.5) };
    const twice = { ...once, tolerances: withTolerance(once, 'b', 'cosine', 0.9) };
    expect(twice.tolerances.get('b')).toEqual({ maxAbs: 0.5, cosine: 0.9, isMaxAbsStrict: true });
    const back = { ...twice, tolerances: withTolerance(twice, 'b', 'cosine', 0.999) };
    expect(withTolerance(back, 'b', 'maxAbs', 0.01).size).toBe(0);
  });

  it('have bounds', () => {
    expect([-1, 0, 1e9, NaN, Infinity].map((value) => isTolerance('maxAbs', value))).toEqual([false, true, true, false, true]);
    expect([-1, 0, 1e-4, NaN, Infinity].map((value) => isTolerance('rtol', value))).toEqual([false, true, true, false, false]);
    expect([-2, -1, 0.999, 1.1, NaN].map((value) => isTolerance('cosine', value))).toEqual([false, true, true, false, false]);
  });
});

describe('wording', () => {
  const scaled = cause('scaled', 'the golden output is 1.0500 × the computed output');
  const rowOf = (wasm: readonly ReturnType<typeof cause>[], webgpu: readonly ReturnType<typeof cause>[]): Parameters<typeof sharedCauses>[0] => ({
    wasm: stageReport({ name: 'a', causes: wasm }),
    webgpu: stageReport({ name: 'a', causes: webgpu }),
  });

  it('lists a cause on both backends once', () => {
    const shared = sharedCauses(rowOf([scaled], [cause('run-to-run'), scaled]));
    expect(shared.map(({ cause: { id }, backends }) => [id, backends])).toEqual([
      ['scaled', ['wasm', 'webgpu']],
      ['run-to-run', ['webgpu']],
    ]);
  });

  it('shows the first cause in one line', () => {
    const [row] = stageRows(withReports(report('wasm', [{ name: 'a', causes: [scaled] }]), null));
    expect(causeSentence(row)).toBe('Constant factor: the golden output is 1.0500 × the computed output');
    expect(causeSentence(undefined)).toBeNull();
  });

  it('shows both sides of the worst value, down to the digit that differs', () => {
    const { worst, axes, shape } = stageReport({ name: 'a' });
    expect(worstSentence(worst, { axes, shape }, ['golden', 'WASM'])).toBe(
      'Worst at frame 2, channel 1 · 0.500 s: golden 1.000001, WASM 1',
    );
  });
});

describe('announcements', () => {
  it('cover the start and the outcome, but not every step', () => {
    const job = { id: 1, kind: 'compare', subject: 'WASM', startedAt: 0, progress: null } as const;
    const idle = withReports(null, null);
    const running = { ...idle, job };
    expect(announcement(running, idle)).toBe('Comparing WASM');
    expect(announcement({ ...running, job: { ...job, progress: { step: 'a', completed: 1, total: 2 } } }, running)).toBeNull();
    expect(announcement(withReports(report('wasm', FROM_B), null), running)).toBe('First divergence: b');
  });
});
