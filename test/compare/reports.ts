import type { BackendName, ComparisonReport, StageReport } from '../../src/compare/report';
import { decide } from '../../src/compare/verdict';

/** Fields of a stage set by a test. The other fields describe a stage without errors. */
export type StageSketch = Partial<StageReport> & { readonly name: string };

/** Time of the worst value of every sketched stage, in seconds. */
export const WORST_SECONDS = 0.5;

export function stageReport({ name, ...others }: StageSketch): StageReport {
  return {
    name,
    value: name,
    axes: ['batch', 'frame', 'channel'],
    shape: [1, 4, 3],
    goldenShape: [1, 4, 3],
    shapesFit: true,
    tolerance: { maxAbs: 0.01, cosine: 0.999 },
    verdict: 'pass',
    forced: null,
    inherited: false,
    upstream: [],
    notes: [],
    uncomparedBefore: [],
    causes: [],
    maxAbs: 1e-6,
    maxRelative: 1e-6,
    goldenRms: 1,
    quantiles: { median: 1e-7, p90: 5e-7, p99: 9e-7 },
    meanAbs: 1e-7,
    relative: 1e-6,
    cosine: 1,
    snrDb: 120,
    argmaxAgreement: null,
    nanCount: 0,
    infCount: 0,
    zeroCount: 0,
    worst: { index: [0, 2, 1], actual: 1, golden: 1.000001, seconds: WORST_SECONDS },
    ...others,
  };
}

/** A report with verdicts derived from its measures. */
export function report(backend: BackendName, sketches: readonly StageSketch[]): ComparisonReport {
  // Each stage depends on all previous stages.
  const stages = sketches.map((sketch, index) => ({ ...stageReport(sketch), upstream: sketches.slice(0, index).map(({ name }) => name) }));
  return {
    decisions: [],
    model: 'model',
    backend,
    adapter: backend === 'webgpu' ? 'an adapter' : null,
    seconds: 1,
    coverage: { compared: stages.length, total: stages.length, isOutputCompared: true, uncompared: [] },
    ...decide(stages),
  };
}
