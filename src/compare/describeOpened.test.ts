import { expect, it } from 'vitest';
import { build, float, int, node, weight } from '../../test/onnx/build';
import { graphInfo } from '../onnx/model';
import { describeOpened } from './describeOpened';

it('describes every node of a graph with its inputs, and every weight', () => {
  const model = build({
    input: [float('x', 2, 3)],
    output: [float('y', 2, 2)],
    initializer: [weight('w', [3, 2], [1, 2, 3, 4, 5, 6])],
    // Out of order, and with an omitted optional input.
    node: [
      node('Clip', ['product', '', 'top'], ['y'], { name: 'last' }),
      node('Gemm', ['x', 'w'], ['product'], { name: '/fc/Gemm', attribute: [int('transA', 0)] }),
      node('Constant', [], ['top']),
    ],
  });
  const file = { name: 'm', bytes: 1, sha256: '', isShipped: false, manifest: null, structure: new Map(), streamed: null, bundle: null, goldenFile: '', checkpoint: null };
  const { graph } = describeOpened({ ...file, model, info: graphInfo(model) }, null);
  expect(graph.nodes.map(({ op, inputs }) => [op, inputs])).toEqual([
    ['Gemm', ['x', 'w']],
    ['Constant', []],
    ['Clip', ['product', 'top']],
  ]);
  expect(graph.nodes[0]).toEqual({ name: '/fc/Gemm', op: 'Gemm', module: 'fc', attributes: { transA: '0' }, inputs: ['x', 'w'], outputs: ['product'] });
  expect(graph.weights).toEqual([{ name: 'w', dtype: 'float32', shape: [3, 2] }]);
});
