import { expect, test } from 'vitest';
import type { DecisionReport } from '../src/compare/report';
import { report } from '../test/compare/reports';
import { documentOf, describe } from './compareReport';
import { decisionSentence } from './decisionText';
import { junitText } from './junit';
import { resultOf } from './compareBatch';

const DECISIONS: DecisionReport = {
  stage: 'y', kind: 'class', reason: 'axis class', axes: ['batch', 'frame'], total: 589, differing: 3, nearTies: 1, threshold: null,
  labels: ['no speaker', 'speaker 1'],
  examples: [{ index: [0, 12], actual: 1, golden: 0, margin: 0.25, seconds: 0.5 }],
  causes: [{ stage: 'a', after: null, count: 2, untried: [] }, { stage: 'y', after: 'a', count: 1, untried: ['b'] }],
};
const WRONG = { maxAbs: 0.5, relative: 0.5, maxRelative: 0.5 };
const documentWith = (decisions: readonly DecisionReport[], y = {}) =>
  documentOf({ runs: [{ ...report('wasm', [{ name: 'a' }, { name: 'y', ...y }]), decisions }], failures: [], between: null, notes: [] });

test.each<[Partial<DecisionReport>, string]>([
  [{}, '3 of 589 frames have a different class, 1 of them near ties'],
  [{ differing: 0, nearTies: 0 }, '0 of 589 frames have a different class'],
  [{ differing: 1, nearTies: 1 }, '1 of 589 frames has a different class, a near tie'],
  [{ kind: 'threshold', threshold: 0.5, nearTies: 3 }, '3 of 589 values are on the other side of 0.5, all of them near ties'],
  [{ kind: 'value', nearTies: 0 }, '3 of 589 values differ'],
  [{ kind: 'rank', nearTies: 0 }, '3 of 589 places of the ranking have a different item'],
  [{ axes: [], nearTies: 0 }, '3 of 589 items have a different class'],
  [{ axes: ['batch', 'axis1'], nearTies: 0 }, '3 of 589 rows have a different class'],
])('%j', (changes, text) => {
  expect(decisionSentence([{ ...DECISIONS, ...changes }])).toBe(text);
});

test('the text starts with the decisions and lists their causes and examples', () => {
  const lines = describe(documentWith([DECISIONS], WRONG)).split('\n');
  expect(lines[0]).toContain('model on wasm: 3 of 589 frames have a different class, 1 of them near ties; fail, first divergence y');
  expect(lines.slice(1, 6)).toEqual([
    '  decisions of y (axis class): 3 of 589 frames have a different class, 1 of them near ties',
    '    caused by a: 2',
    '    caused by y: 1, between a and y (not tried: b)',
    '    batch 0, frame 12 (0.500 s): 1 (speaker 1) instead of 0 (no speaker), margin 2.5e-1',
    '    and 2 more',
  ]);
  expect(describe(documentWith([]))).toMatch(/^model on wasm: pass/);
});

test('differing decisions within tolerance are warnings in the text and in JUnit; beyond it, they are failures', () => {
  const [within, outside] = [documentWith([DECISIONS]), documentWith([DECISIONS], WRONG)];
  expect(within.verdict).toBe('pass');
  expect(describe(within)).toContain('warning: they differ although y is within its tolerance');
  const xmlOf = (document: typeof within): string => junitText([resultOf({ bundle: 'a.zip', graph: null }, { ok: true, result: document }, 1)]);
  expect(xmlOf(within)).toContain('tests="3" failures="0"');
  expect(xmlOf(within)).toMatch(/<property name="decisions" value="3 of 589 frames/);
  expect(xmlOf(within)).toMatch(/name="decisions of y">\s*<system-out>.*warning/s);
  expect(xmlOf(outside)).toMatch(/<failure type="decisions" message="3 of 589 frames have a different class/);
});
