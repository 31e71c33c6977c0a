import { expect, test } from 'vitest';
import { report, type StageSketch } from '../test/compare/reports';
import { outcomeOf } from '../src/compare/verdict';
import type { BackendName, ComparisonReport, Coverage } from '../src/compare/report';
import { describe, documentOf, exitStatusOf, uncomparedLines, type Document } from './compareReport';

const WRONG = { maxAbs: 0.5, relative: 0.5, maxRelative: 0.5 };

/** A report of `stages`; the stages in `uncompared` were not compared. */
function reportOf(stages: readonly StageSketch[], uncompared: Coverage['uncompared'] = [], isOutputCompared = true, backend: BackendName = 'wasm'): ComparisonReport {
  const whole = report(backend, stages);
  const coverage: Coverage = { compared: stages.length, total: stages.length + uncompared.length, isOutputCompared, uncompared };
  return { ...whole, coverage, verdict: outcomeOf(whole.verdict === 'fail' ? 'fail' : 'pass', coverage) };
}

const single = (run: ComparisonReport): Document => documentOf({ runs: [run], failures: [], between: null, notes: [] });
const missing = (...names: string[]): Coverage['uncompared'] => names.map((name) => ({ name, mergedWith: null }));

test.each<[string, ComparisonReport, number, string]>([
  ['all stages compared and correct', reportOf([{ name: 'a' }, { name: 'y' }]), 0, 'pass'],
  ['all stages compared, one wrong', reportOf([{ name: 'a' }, { name: 'y', ...WRONG }]), 1, 'fail'],
  ['half of the stages compared', reportOf([{ name: 'y' }], missing('a')), 0, 'pass'],
  ['half of the stages compared, one wrong', reportOf([{ name: 'y', ...WRONG }], missing('a')), 1, 'fail'],
  ['fewer than half compared', reportOf([{ name: 'y' }], missing('a', 'b')), 2, 'incomplete'],
  ['fewer than half compared, one wrong', reportOf([{ name: 'y', ...WRONG }], missing('a', 'b')), 2, 'fail'],
  ['no output compared', reportOf([{ name: 'a' }, { name: 'b' }], missing('y'), false), 2, 'incomplete'],
  ['no output compared, one stage wrong', reportOf([{ name: 'a', ...WRONG }, { name: 'b' }], missing('y'), false), 2, 'fail'],
])('exit status and verdict: %s', (_, run, status, verdict) => {
  const document = single(run);
  expect([exitStatusOf(document), document.verdict]).toEqual([status, verdict]);
  expect(describe(document)).toContain(`model on wasm: ${verdict}`);
});

test('if one of two backends could not run, a pass becomes 2 and a failure stays 1', () => {
  const failures = [{ backend: 'webgpu', error: { code: 'gpu-lost', problem: 'lost' } }] as const;
  const withFailure = (run: ComparisonReport): Document => documentOf({ runs: [run], failures, between: null, notes: [] });
  expect(exitStatusOf(withFailure(reportOf([{ name: 'y' }])))).toBe(2);
  expect(exitStatusOf(withFailure(reportOf([{ name: 'y', ...WRONG }])))).toBe(1);
});

test('two backends are merged into one document with the worse result of each stage', () => {
  const [wasm, webgpu] = [reportOf([{ name: 'a' }, { name: 'y' }]), reportOf([{ name: 'a' }, { name: 'y', ...WRONG }], [], true, 'webgpu')];
  const both = documentOf({ runs: [wasm, webgpu], failures: [], between: [], notes: [] });
  expect(both).toMatchObject({ backend: 'both', verdict: 'fail', firstDivergence: 'y' });
  expect(both.stages.map(({ verdict }) => verdict)).toEqual(['pass', 'fail']);
  expect(exitStatusOf(both)).toBe(1);
});

test('if only the kernels fail, the comparison fails and the text lists their stages', () => {
  const wrong = reportOf([{ name: 'a' }, { name: 'y', ...WRONG }], [], true, 'kernels');
  const withKernels = (wasm: ComparisonReport, kernels: ComparisonReport): Document => documentOf({ runs: [wasm], failures: [], between: null, kernels, notes: [] });
  const alone = withKernels(reportOf([{ name: 'a' }, { name: 'y' }]), wrong);
  expect([exitStatusOf(alone), alone.verdict, alone.firstDivergence]).toEqual([1, 'fail', 'y']);
  expect(describe(alone)).toMatch(/pass a .*\n {2}pass y .*\nown kernels \(WASM\): fail, first divergence y\n {2}pass a .*\n {2}fail y /);
  const both = describe(withKernels(reportOf([{ name: 'a' }, { name: 'y', ...WRONG }]), wrong));
  expect(both).toMatch(/fail y [^]*\nown kernels \(WASM\): fail, first divergence y\n$/);
});

test('the text lists uncompared stages and an earlier possible position of the first divergence', () => {
  const stages = [{ name: 'a' }, { name: 'y', ...WRONG, uncomparedBefore: ['b', 'c'] }];
  const text = describe(single(reportOf(stages, missing('b', 'c'))));
  expect(text).toContain('fail, first divergence y, compared 2 of 4 stages');
  expect(text).toContain('the first divergence may be earlier: not compared before y are b, c');
  expect(describe(single(reportOf([{ name: 'a' }], missing('y'), false)))).toContain('no output of the graph was compared');
});

test('uncompared stages are listed with the reason, at most 12 by name', () => {
  const names = Array.from({ length: 14 }, (_, index) => `s${index}`);
  const { coverage } = reportOf([{ name: 'bn' }], [...missing(...names), { name: 'conv', mergedWith: 'bn' }]);
  const [unknown, merged, ...others] = uncomparedLines(coverage);
  expect(unknown).toMatch(/--map.*s0, .*s11 and 2 more$/);
  expect(merged).toMatch(/merged.*: conv \(with bn\)$/);
  expect(others).toEqual([]);
});

test('stages that pass only because of atol are marked', () => {
  const whole = reportOf([{ name: 'y', maxAbs: 1e-8, relative: 0.5, maxRelative: 0.5 }, { name: 'z' }]);
  const stages = whole.stages.map((stage) => ({ ...stage, verdict: 'pass' as const, tolerance: { ...stage.tolerance, rtol: 1e-4, atol: 2 ** -23 } }));
  expect(describe(single({ ...whole, stages }))).toMatch(/pass y .*, passes by atol 1\.2e-7\n {2}pass z [^,]*,[^,]*,[^,]*\n/);
});
