import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { alterNode } from '../../test/onnx/alterNode';
import { extract, isolateNode } from './cut';
import { graphInfo } from './model';
import { build, float, node, subgraph, weight } from '../../test/onnx/build';
import { runModel, valuesOf } from '../../test/onnx/run';
import { makeValueInfo } from './types';

const X = { data: Float32Array.of(-1, 0, 1, 2), shape: [4] };

describe('subgraphs', () => {
  /** y = c ? relu(x) * w : relu(x) + x, each branch reading values of the outer graph. */
  const BRANCHES = build({
    input: [float('x', null), makeValueInfo('c', { dtype: 'bool', shape: [] })],
    output: [float('z', null)],
    initializer: [weight('w', [1], [3])],
    node: [
      node('Relu', ['x'], ['r']),
      node('If', ['c'], ['y'], {
        attribute: [
          subgraph('then_branch', { name: 'then', node: [node('Mul', ['r', 'w'], ['t'])], output: [float('t', null)] }),
          subgraph('else_branch', { name: 'else', node: [node('Add', ['r', 'x'], ['e'])], output: [float('e', null)] }),
        ],
      }),
      node('Neg', ['y'], ['z']),
    ],
  });
  const condition = (value: boolean): ort.Tensor => new ort.Tensor('bool', [value], []);

  it('count captured values as read', async () => {
    const { model, inputs } = extract(BRANCHES, { inputs: ['r'], outputs: ['y'] });
    expect(inputs).toEqual(['r', 'x', 'c']);
    expect(model.graph!.initializer.map(({ name }) => name)).toEqual(['w']);
    const r = { data: Float32Array.of(10, 20, 30, 40), shape: [4] };
    expect(valuesOf((await runModel(model, { r, x: X, c: condition(true) })).y)).toEqual([30, 60, 90, 120]);
    expect(valuesOf((await runModel(model, { r, x: X, c: condition(false) })).y)).toEqual([9, 20, 31, 42]);
  });

  it('are kept complete in an isolated node', () => {
    const { model, inputs } = isolateNode(BRANCHES, 'If_1');
    expect(inputs).toEqual(['c', 'r', 'x']);
    expect(graphInfo(model).nodes.map(({ op }) => op)).toEqual(['If']);
    expect(model.graph!.initializer.map(({ name }) => name)).toEqual(['w']);
  });

  it('read the output of a changed node', async () => {
    const altered = alterNode(BRANCHES, 'Relu_0', 10);
    const results = await runModel(altered, { x: X, c: condition(true) });
    expect(valuesOf(results.z).map(Math.abs)).toEqual([0, 0, 30, 60]);
  });
});
