import { describe, expect, it } from 'vitest';
import { report, stageReport } from '../../test/compare/reports';
import type { Measures, StageReport } from './report';
import { decide, rejudge } from './verdict';

const measures = (maxAbs: number | null): Partial<Measures> => ({
  maxAbs,
  meanAbs: maxAbs,
  relative: maxAbs,
  maxRelative: maxAbs,
  cosine: maxAbs === null ? null : 1,
});

/** A stage with its error on computed input and, if given, on golden input. */
const stage = (name: string, maxAbs: number | null, forced?: number | null, shapesFit = true): StageReport =>
  stageReport({
    name,
    ...measures(maxAbs),
    shapesFit,
    forced: forced === undefined ? null : stageReport({ name, ...measures(forced) }),
  });

/** First divergence and verdicts of stages that are each computed from all preceding stages. */
const summary = (stages: StageReport[]): [string | null, string[]] => {
  const { firstDivergence, stages: judged } = report('wasm', stages);
  return [firstDivergence, judged.map(({ verdict, inherited }) => (verdict === 'pass' ? 'pass' : inherited ? 'inherits' : 'wrong'))];
};

describe('decide', () => {
  it('passes stages within tolerance', () => {
    expect(decide([stage('a', 0.01), stage('b', 0)])).toMatchObject({ verdict: 'pass', firstDivergence: null });
  });

  it('clears a stage that is correct on golden input', () => {
    expect(summary([stage('a', 0), stage('b', 1, 1), stage('c', 1, 0)])).toEqual(['b', ['pass', 'wrong', 'inherits']]);
  });

  it('blames a second stage that is wrong on golden input too', () => {
    expect(summary([stage('a', 1), stage('b', 1, 0), stage('c', 1, 1)])).toEqual(['a', ['wrong', 'inherits', 'wrong']]);
  });

  it('does not blame a stage that is correct on its own for a wrong golden tensor before it', () => {
    expect(summary([stage('a', 1), stage('b', 0, 1)])).toEqual(['a', ['wrong', 'pass']]);
  });

  it('neither clears nor blames if nothing could be injected: the stage inherits an earlier failure', () => {
    expect(summary([stage('a', null, undefined, false), stage('b', 1)])).toEqual(['a', ['wrong', 'inherits']]);
    expect(summary([stage('a', 0), stage('b', 1)])).toEqual(['b', ['pass', 'wrong']]);
  });

  it('reports the first stage if all are correct on golden input', () => {
    expect(summary([stage('a', 0), stage('b', 0.02, 0.005), stage('c', 0.03, 0.005)])).toEqual(['b', ['pass', 'wrong', 'inherits']]);
  });

  it('lets a stage inherit only from a failing stage upstream of it', () => {
    const branches = [stage('a', 1), stage('b', 1), { ...stage('c', 1), upstream: ['a', 'b'] }];
    expect(decide(branches).stages.map(({ inherited }) => inherited)).toEqual([false, false, true]);
    const apart = [stage('a', 1), { ...stage('b', 1, 0), upstream: [] }];
    expect(decide(apart).stages.map(({ inherited }) => inherited)).toEqual([false, false]);
  });

  it('prefers the first that is wrong on golden input to one whose errors only accumulate', () => {
    expect(summary([stage('a', 1, 0), stage('b', 1, 1)])).toEqual(['b', ['wrong', 'wrong']]);
  });

  it('fails a different shape, and non-finite values', () => {
    expect(summary([stage('a', 0, undefined, false)])).toEqual(['a', ['wrong']]);
    expect(summary([stage('a', null)])).toEqual(['a', ['wrong']]);
  });
});

describe('rejudge', () => {
  const original = report('wasm', [stage('a', 0.02), stage('b', 0.03, 0.03)]);

  it('judges by other tolerances and keeps the rest', () => {
    expect(original.firstDivergence).toBe('a');
    const looser = rejudge(original, new Map([['a', { maxAbs: 0.1, cosine: 0 }]]));
    expect(looser.firstDivergence).toBe('b');
    expect(looser.stages[1]!.tolerance).toEqual(original.stages[1]!.tolerance);
    expect(looser.stages[0]!.maxAbs).toBe(0.02);
    expect(rejudge(looser, new Map([['a', original.stages[0]!.tolerance]]))).toEqual(original);
  });
});
