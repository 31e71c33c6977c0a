import { DOMParser } from '@xmldom/xmldom';
import { expect, it } from 'vitest';
import type { StepReport, StepsReport } from '../src/compare/steps/stepsReport';
import { report as runReport } from '../test/compare/reports';
import { resultOf } from './compareBatch';
import { documentOf } from './compareReport';
import { junitText } from './junit';
import { stepLines } from './stepText';

const passing: StepReport = {
  index: 0,
  startSeconds: 0,
  state: { frames: 0, goldenFrames: 0, otherFrames: 0, relative: null },
  stages: [],
  verdict: 'pass',
  firstDivergence: null,
  decisions: { total: 200, step: 0, own: 1 },
};
const stage = { name: 'logits', step: { relative: 2e-7, verdict: 'pass' }, own: { relative: null, verdict: 'fail' }, drift: null };
const drifted: StepReport = {
  ...passing,
  index: 8,
  startSeconds: 1.92,
  state: { frames: 16, goldenFrames: 20, otherFrames: null, relative: null },
  stages: [stage as never],
  verdict: 'drift',
  firstDivergence: 'state',
};
const report: StepsReport = {
  model: 'm',
  backend: 'wasm',
  mode: 'low_latency',
  verdict: 'fail',
  first: { step: 8, stage: 'state', kind: 'drift' },
  steps: [passing, drifted],
  decisions: { total: 400, step: 0, own: 3 },
  causes: [{ stage: 'layer1', count: 2 }, { stage: 'head', count: 7 }],
};

it('names the first step, its stage and the kind of error, and shows both errors of each stage', () => {
  expect(stepLines(report)).toEqual([
    'steps on wasm, low_latency: fail, first in step 8: state, by drift of the state',
    '  golden state: 0 of 400 decisions differ (0.0 per 10,000); own state: 3 of 400 decisions differ (75.0 per 10,000)',
    '  decisions changed by a stage, also of the frames of the state: layer1 2, head 7; most by head',
    '  pass  step 0 at 0.00 s, 0 frames of state, 0 other',
    '  drift step 8 at 1.92 s, 16 frames of state, golden 20: state',
    '  stages of step 8, relative errors:',
    '    logits         step 2.0e-7 pass, own state not comparable fail, drift not comparable',
  ]);
});

it('are test cases in JUnit: one per step, with the kind of error as type', () => {
  const document = documentOf({ runs: [runReport('wasm', [{ name: 'y' }])], failures: [], between: null, notes: [], steps: [report] });
  const text = junitText([resultOf({ bundle: 'steps.zip', graph: null }, { ok: true, result: document }, 1)]);
  const root = new DOMParser().parseFromString(text, 'text/xml').documentElement!;
  const cases = [...root.getElementsByTagName('testcase')];
  expect(cases.map((one) => one.getAttribute('name'))).toEqual(['step 0 at 0.00 s (wasm)', 'step 8 at 1.92 s (wasm)', 'y']);
  expect(root.getAttribute('failures')).toBe('1');
  expect(cases[0]!.getElementsByTagName('failure')).toHaveLength(0);
  const [failure] = [...cases[1]!.getElementsByTagName('failure')];
  expect([failure!.getAttribute('type'), failure!.getAttribute('message')]).toEqual(['drift', 'state, by drift of the state']);
  expect(failure!.textContent).toContain('16 frames of state, golden 20\n    logits         step 2.0e-7 pass');
});

it('has one line per step if all pass', () => {
  expect(stepLines({ ...report, verdict: 'pass', first: null, steps: [passing], decisions: null, causes: [] })).toEqual([
    'steps on wasm, low_latency: pass',
    '  pass  step 0 at 0.00 s, 0 frames of state, 0 other',
  ]);
});
