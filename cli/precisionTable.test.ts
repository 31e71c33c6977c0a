import { expect, test } from 'vitest';
import type { PrecisionHead, PrecisionRow } from '../src/compare/precisionReport';
import { PrecisionKeeper } from './precisionTable';

const HEAD: PrecisionHead = {
  model: 'net', backend: 'wasm', adapter: null, numRows: 3, left: { numRows: 2, megabytes: 0.01 },
  outputs: [{ name: 'y', kind: 'class', reason: 'axis class', decisions: 589 }],
  total: { megabytes: 6, float16: { lost: 0, relative: 1e-4, savedMegabytes: 3 }, int8: { lost: 9, relative: 0.02, savedMegabytes: 4.4 } },
};
const row = (name: string, lost: number, relative: number, saved = 1.5): PrecisionRow => ({
  nodes: [name], ops: ['MatMul'], module: null, weights: [`${name}.weight`], megabytes: 2,
  float16: { lost: 0, relative: relative / 100, savedMegabytes: 1 }, int8: { lost, relative, savedMegabytes: saved },
});

test('the table starts with the best node to round: fewest decisions lost per megabyte, then the smallest error', () => {
  const kept = new PrecisionKeeper();
  for (const one of [row('a', 3, 0.01), row('b', 0, 0.02), row('c', 0, 0.01)]) kept.keep(one, HEAD);
  const lines = kept.text().split('\n');
  expect(lines[0]).toBe('net on wasm: 589 decisions of y (axis class); 6.000 MB of float32 weights');
  expect(lines[1]).toBe('2 smaller nodes (0.010 MB) were not tried one by one (see --limit)');
  const start = lines.findIndex((line) => line.startsWith('int8'));
  expect(lines.slice(start + 1, start + 6)).toEqual([
    '  lost  lost/MB  saved MB  relative  node',
    '     0        0     1.500    1.0e-2  MatMul c',
    '     0        0     1.500    2.0e-2  MatMul b',
    '     3        2     1.500    1.0e-2  MatMul a',
    '     9     2.05     4.400    2.0e-2  all weights together',
  ]);
});

test('nodes tried before an interruption are in the text and in the JSON', () => {
  const kept = new PrecisionKeeper();
  expect(kept.text()).toBe('');
  expect(kept.document()).toMatchObject({ error: { code: 'cancelled' } });
  kept.keep(row('a', 3, 0.01), HEAD);
  expect(kept.text()).toContain('interrupted: 1 of 3 nodes were tried');
  expect(kept.document()).toMatchObject({ isComplete: false, model: 'net', rows: [{ nodes: ['a'] }], ranking: { int8: ['a'], float16: ['a'] } });
  kept.finish({ ok: true, result: { ...HEAD, numRows: 1, rows: [row('a', 3, 0.01)] } });
  expect(kept.document()).toMatchObject({ isComplete: true });
});

test('without decisions, the table ranks by the relative error and states this', () => {
  const kept = new PrecisionKeeper();
  const none = { lost: null, relative: 0.5, savedMegabytes: 1 };
  kept.keep({ ...row('a', 0, 0), int8: none }, { ...HEAD, outputs: [] });
  expect(kept.text()).toContain('no decisions: ranked by the relative error');
  expect(kept.text()).toMatch(/relative {2}relative\/MB {2}saved MB {2}node\n {4}5.0e-1 {10}0.5 {5}1.000 {2}MatMul a/);
});
