import type { StagePicture } from '../../src/compare/picture';
import type { Cause } from '../../src/compare/report';
import type { Opened } from '../../src/engine/comparator';
import { stageReport } from '../compare/reports';

export const cause = (id: Cause['id'], evidence = `evidence of ${id}`): Cause => ({ id, evidence, values: {} });

/** An opened graph with golden outputs for these stages. */
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
      nodes: [],
      weights: [],
    },
    goldens: {
      file: 'goldens.zip',
      stages: stages.map((name) => ({ name, value: name, axes, goldenShape, tolerance, isMapped: true })),
      source: {},
      notes: [],
    },
    hasKernels: false,
    steps: null,
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
