import { describe, expect, it } from 'vitest';
import { build, float, node } from '../../test/onnx/build';
import type { ProfiledNode } from './events';
import { groupBy, outputStages, stagesOf } from './groups';

const ran = (name: string, op: string, ms = 1): ProfiledNode => ({
  name,
  op,
  inputs: [[2, 3]],
  outputs: [[2, 4]],
  cpuMs: ms,
  gpuMs: 10 * ms,
  kernels: 2,
});

/** x → a → b → c, and in parallel x → d → c: d does not belong to an earlier stage. */
const MODEL = build({
  input: [float('x', 1, 3)],
  output: [float('c', 1, 3)],
  node: [
    node('Abs', ['x'], ['d'], { name: 'D' }),
    node('Relu', ['x'], ['a'], { name: 'A' }),
    node('Neg', ['a'], ['b'], { name: 'B' }),
    node('Add', ['b', 'd'], ['c'], { name: 'C' }),
  ],
});
const STAGES = [
  { name: 'first', value: 'a' },
  { name: 'second', value: 'b' },
  { name: 'last', value: 'c' },
];

describe('stagesOf', () => {
  const stages = (...names: string[]) => stagesOf(names.map((name) => ran(name, 'Relu')), MODEL, STAGES);

  it('assigns a node to the first stage that depends on it, regardless of execution order', () => {
    expect(stages('D', 'A', 'B', 'C')).toEqual(['last', 'first', 'second', 'last']);
  });

  it('recognizes nodes with a changed layout, and assigns added nodes to the stage of the preceding node', () => {
    expect(stages('Transpose_token_3', 'A', 'B_token_7', 'Transpose_token_9', 'C')).toEqual(['?', 'first', 'second', 'second', 'last']);
  });

  it('uses the outputs without a manifest', () => {
    expect(outputStages(MODEL)).toEqual([{ name: 'c', value: 'c' }]);
  });
});

describe('groupBy', () => {
  it('sums times, kernels and work, ordered by first node', () => {
    const groups = groupBy([ran('p', 'MatMul', 2), ran('q', 'Relu', 3), ran('r', 'MatMul', 5)], ({ op }) => op);
    expect(groups).toEqual([
      { name: 'MatMul', numNodes: 2, cpuMs: 7, gpuMs: 70, kernels: 4, multiplyAdds: 48, elementwise: 0 },
      { name: 'Relu', numNodes: 1, cpuMs: 3, gpuMs: 30, kernels: 2, multiplyAdds: 0, elementwise: 8 },
    ]);
  });
});
