import { expect, test } from 'vitest';
import { openNodeSession } from '../test/compare/nodeSession';
import { build, float, int, node, weight } from '../test/onnx/build';
import { GraphRunner } from '../src/compare/graphRunner';
import { listValues } from '../src/compare/matchValues';
import { findSampleFeeds } from '../src/compare/sampleInputs';
import { listText } from './listGraph';

const MODEL = build({
  initializer: [weight('w', [3, 2], [1, 2, 3, 4, 5, 6])],
  node: [
    node('MatMul', ['x', 'w'], ['/head/0/MatMul_output_0']),
    node('Relu', ['/head/0/MatMul_output_0'], ['/head/1/Relu_output_0']),
    node('SequenceConstruct', ['/head/1/Relu_output_0'], ['pieces']),
    node('ConcatFromSequence', ['pieces'], ['y'], { attribute: [int('axis', 0)] }),
  ],
  input: [float('x', 4, 3)],
  output: [float('y', null, 2)],
});

async function textOf(isRun: boolean): Promise<string> {
  const graph = new GraphRunner(MODEL, { open: openNodeSession });
  try {
    const feeds = isRun ? await findSampleFeeds(graph.info, [], graph) : null;
    return listText({ model: 'net.onnx', inputs: graph.info.inputs.map((input) => ({ ...input, shape: input.shape ?? [] })), values: await listValues(graph, feeds, () => undefined) });
  } finally {
    await graph.release();
  }
}

test('lists each tensor under its module with the shape from a run', async () => {
  expect((await textOf(true)).split('\n')).toEqual([
    'net.onnx: 3 values, inputs x: float32 (4, 3)',
    'layer head.0',
    '  /head/0/MatMul_output_0  MatMul, float32 (4, 2)',
    'layer head.1',
    '  /head/1/Relu_output_0    Relu, float32 (4, 2)',
    'no known layer',
    '  y                        ConcatFromSequence, float32 (4, 2)',
    '',
  ]);
});

test('without a run, shapes come from the file', async () => {
  const text = await textOf(false);
  expect(text).toMatch(/MatMul_output_0 +MatMul, \? unknown shape/);
  expect(text).toMatch(/\n {2}y +ConcatFromSequence, float32 \(.+, 2\)/);
});
