import { describe, expect, it } from 'vitest';
import { report } from '../../../test/compare/reports';
import { opened } from '../../../test/app/compareReports';
import { neighborhoodOf, type GraphNode } from './neighborhood';
import { INITIAL_STATE, type State } from '../state';

const graphNode = (op: string, inputs: readonly string[], output: string): GraphNode => ({
  name: `${op}_${output}`,
  op,
  module: null,
  attributes: op === 'Gemm' ? { transB: '1' } : {},
  inputs,
  outputs: [output],
});

/** `first` and `side` are computed from `x`, `sum` from both through two nodes, and `last` from `sum`. */
const NODES = [
  graphNode('Gemm', ['x', 'weight'], 'first'),
  graphNode('Relu', ['x'], 'side'),
  graphNode('Mul', ['first', 'first'], 'square'),
  graphNode('Constant', [], 'one'),
  graphNode('Sub', ['square', 'one'], 'less'),
  graphNode('Add', ['less', 'side'], 'sum'),
  graphNode('Relu', ['sum'], 'last'),
];

function stateOf(...stages: readonly string[]): State {
  const { graph, ...others } = opened(...stages);
  return {
    ...INITIAL_STATE,
    opened: { ...others, graph: { ...graph, nodes: NODES, weights: [{ name: 'weight', dtype: 'float32', shape: [3, 3] }] } },
    reports: { wasm: report('wasm', stages.map((name) => ({ name }))), webgpu: null },
  };
}

describe('the neighborhood of a stage', () => {
  it('contains the node with its attributes, its inputs and the nodes that compute them', () => {
    const first = neighborhoodOf(stateOf('first', 'sum', 'last'), 'first');
    expect(first?.node).toMatchObject({ op: 'Gemm', attributes: { transB: '1' } });
    expect(first?.inputs).toEqual([
      { name: 'x', from: null, stage: null, type: { isWeight: false, dtype: 'float32', shape: ['batch', 3] } },
      { name: 'weight', from: null, stage: null, type: { isWeight: true, dtype: 'float32', shape: [3, 3] } },
    ]);
    expect(first?.readers.map(({ op }) => op)).toEqual(['Mul']);
    const sum = neighborhoodOf(stateOf('first', 'sum', 'last'), 'sum');
    expect(sum?.inputs.map(({ name, from, stage }) => [name, from?.op, stage])).toEqual([
      ['less', 'Sub', null],
      ['side', 'Relu', null],
    ]);
  });

  it('contains the nearest preceding stages and the number of nodes since then', () => {
    const names = (stages: readonly string[], stage: string): unknown => {
      const { before, ops } = neighborhoodOf(stateOf(...stages), stage)!;
      return [before, Object.fromEntries(ops)];
    };
    expect(names(['first', 'sum', 'last'], 'sum')).toEqual([['first'], { Add: 1, Sub: 1, Mul: 1, Relu: 1 }]);
    expect(names(['first', 'side', 'sum', 'last'], 'sum')).toEqual([['first', 'side'], { Add: 1, Sub: 1, Mul: 1 }]);
    expect(names(['first', 'side', 'sum', 'last'], 'last')).toEqual([['sum'], { Relu: 1 }]);
    expect(names(['last'], 'last')).toEqual([[], { Relu: 2, Add: 1, Sub: 1, Mul: 1, Gemm: 1 }]);
  });

  it('is null for a stage that no node computes', () => {
    expect(neighborhoodOf(stateOf('first', 'x'), 'x')).toBeNull();
    expect(neighborhoodOf(stateOf('first'), 'other')).toBeNull();
    expect(neighborhoodOf(INITIAL_STATE, 'first')).toBeNull();
  });
});
