import type { StagePicture } from '../../src/compare/picture';
import type { BackendName, Cause, ComparisonReport, StageReport } from '../../src/compare/report';
import { decide } from '../../src/compare/verdict';
import type { Opened } from '../../src/pipeline/comparatorTypes';

/** What a test says of a stage; the rest is that of a stage without error. */
export type StageSketch = Partial<StageReport> & { readonly name: string };

/** Seconds of the worst value of every sketched stage. */
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

/** A report with the verdicts that its measures give. */
export function report(backend: BackendName, sketches: readonly StageSketch[]): ComparisonReport {
  // Each is computed from all those before it.
  const stages = sketches.map((sketch, index) => ({ ...stageReport(sketch), upstream: sketches.slice(0, index).map(({ name }) => name) }));
  return {
    model: 'model',
    backend,
    adapter: backend === 'webgpu' ? 'an adapter' : null,
    seconds: 1,
    coverage: { compared: stages.length, total: stages.length, isOutputCompared: true, uncompared: [] },
    ...decide(stages),
  };
}

export const cause = (id: Cause['id'], evidence = `evidence of ${id}`): Cause => ({ id, evidence, values: {} });

/** A graph with golden outputs for these stages. */
export function opened(...stages: readonly string[]): Opened {
  const { axes, goldenShape, tolerance } = stageReport({ name: '' });
  return {
    model: 'model.onnx',
    isShipped: false,
    graph: {
      bytes: 100,
      sha256: 'ab'.repeat(32),
      producer: 'a test',
      opset: 17,
      numNodes: 2,
      inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 3] }],
      values: stages.map((name) => ({ name, op: 'Add' })),
    },
    goldens: {
      file: 'goldens.zip',
      stages: stages.map((name) => ({ name, value: name, axes, goldenShape, tolerance, isMapped: true })),
      source: {},
      notes: [],
    },
    waveform: null,
    checkpoint: null,
  };
}

/** A picture of 3 rows and 4 columns, worst in column 2. */
export const PICTURE: StagePicture = {
  heat: Float32Array.from([0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]),
  rows: 3,
  columns: 4,
  rowAxis: 'channel',
  columnAxis: 'frame',
  rowSize: 3,
  columnSize: 4,
  maxError: 2,
  histogram: { counts: new Uint32Array(), minExponent: 0, maxExponent: 0, zeros: 12 },
  slice: { column: 2, left: new Float32Array(3), right: new Float32Array(3) },
  time: { startSeconds: 0.1, stepSeconds: 0.2 },
};
