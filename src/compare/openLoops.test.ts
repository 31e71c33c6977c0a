/** Loops that are replaced by their iterations. */
import { describe, expect, it } from 'vitest';
import { openNodeSession } from '../../test/compare/nodeSession';
import { build, float, node, subgraph, weight } from '../../test/onnx/build';
import { graphInfo, type ModelProto } from '../onnx/model';
import { makeValueInfo } from '../onnx/types';
import type { GoldenStage } from './files/bundle';
import { GraphRunner, type GraphTensor, openBranches } from './graphRunner';
import { makePlan } from './plan';
import { compareStages } from './run';

const bool = (name: string) => makeValueInfo(name, { dtype: 'bool', shape: [] });
const int64 = (name: string) => makeValueInfo(name, { dtype: 'int64', shape: [] });

const stage = (name: string, shape: number[], data: number[]): GoldenStage => ({
  name,
  value: null,
  axes: shape.map((_, axis) => `axis${axis}`),
  shape,
  data: Float32Array.from(data),
  tolerance: { maxAbs: Infinity, rtol: 1e-4, cosine: 0.999 },
});

/**
 * While the sum of s is less than 20, and at most n times: s = 2 · s + b. Outputs are the last s, and relu(s - b) of each
 * iteration. The body has a weight with the same name as one of the graph, and an `If` that does not change s.
 */
const loop = (opset: number): ModelProto =>
  build(
    {
      input: [float('x', 2), int64('n')],
      output: [float('y', null), float('all', null, null)],
      initializer: [weight('b', [1], [1]), weight('w', [1], [-1])],
      node: [
        node('Mul', ['x', 'w'], ['start']),
        node('Loop', ['n', '', 'start'], ['last', 'all'], {
          name: 'loop',
          attribute: [
            subgraph('body', {
              name: 'body',
              input: [int64('i'), bool('go'), float('s', 2)],
              output: [bool('less'), float('s_out', 2), float('positive', 2)],
              initializer: [weight('w', [1], [2]), weight('limit', [], [20])],
              node: [
                node('Mul', ['s', 'w'], ['product']),
                node('Add', ['product', 'b'], ['sum']),
                node('If', ['go'], ['s_out'], {
                  name: 'choice',
                  attribute: [
                    subgraph('then_branch', { name: 'then', node: [node('Identity', ['sum'], ['same'])], output: [float('same', 2)] }),
                    subgraph('else_branch', { name: 'else', node: [node('Neg', ['sum'], ['negative'])], output: [float('negative', 2)] }),
                  ],
                }),
                node('Sub', ['s_out', 'b'], ['less_b']),
                node('Relu', ['less_b'], ['positive']),
                node('ReduceSum', ['s_out'], ['total'], { attribute: [{ name: 'keepdims', type: 2, i: 0n }] }),
                node('Less', ['total', 'limit'], ['less']),
              ],
            }),
          ],
        }),
        node('Neg', ['last'], ['y']),
      ],
    },
    { opsetImport: [{ domain: '', version: BigInt(opset) }] },
  );

const feeds = (numIterations: number): Map<string, GraphTensor> =>
  new Map<string, GraphTensor>([
    ['x', { shape: [2], data: Float32Array.of(-1, -2), dtype: 'float32' }],
    ['n', { shape: [], data: Float32Array.of(numIterations), dtype: 'int64' }],
  ]);

async function valuesOf(model: ModelProto, given: Map<string, GraphTensor>, names: readonly string[]): Promise<number[][]> {
  const runner = new GraphRunner(model, { open: openNodeSession });
  try {
    const values = await runner.values(given, names);
    return names.map((name) => [...values.get(name)!.data]);
  } finally {
    await runner.release();
  }
}

describe('iterations of a Loop', () => {
  it.each([
    [10, 17, 3],
    [2, 17, 2],
    [10, 11, 3],
  ])('limit %d, operator version %d: runs %d', async (most, opset, numIterations) => {
    const given = feeds(most);
    const closed = loop(opset);
    const { model, notes } = await openBranches(closed, given, openNodeSession, new Set(['s_out']));
    expect(notes[0]).toBe(`For these inputs, loop (Loop) runs ${numIterations} iterations, which replace the node in the comparison`);
    expect(graphInfo(model).nodes.filter(({ op }) => op === 'Loop' || op === 'If')).toEqual([]);
    expect(await valuesOf(model, given, ['y', 'all'])).toEqual(await valuesOf(closed, given, ['y', 'all']));
    const steps = [[3, 5], [7, 11], [15, 23]].slice(0, numIterations);
    expect(await valuesOf(model, given, steps.map((_, index) => `s_out[${index}]`))).toEqual(steps);
    // With a first axis for the iterations, because a stage has this name.
    expect(await valuesOf(model, given, ['s_out'])).toEqual([steps.flat()]);
  });

  it('reports the first wrong iteration', async () => {
    const given = feeds(10);
    const golden = [
      stage('s_out[0]', [2], [3, 5]),
      stage('s_out[1]', [2], [7, 12]),
      stage('all', [3, 2], [2, 4, 6, 11, 14, 24]),
    ];
    const { model } = await openBranches(loop(17), given, openNodeSession);
    const inputs = Array.from(given, ([name, tensor]) => ({ ...tensor, name, axes: tensor.shape.map(() => 'axis0') }));
    const plan = makePlan({ model: '', source: {}, inputs, stages: golden, notes: [], graph: null }, graphInfo(model), null);
    const runner = { graph: new GraphRunner(model, { open: openNodeSession }), features: null };
    const { firstDivergence, stages } = await compareStages({ plan, model, runner, variants: runner, thorough: false, onStep: () => undefined });
    await runner.graph.release();
    expect(firstDivergence).toBe('s_out[1]');
    expect(stages.map(({ name, verdict, inherited }) => [name, verdict, inherited])).toEqual([
      ['s_out[0]', 'pass', false],
      ['s_out[1]', 'fail', false],
      ['all', 'fail', true],
    ]);
  });

  it('a loop with many iterations, or with none, is not replaced, with a note', async () => {
    const many = build({
      input: [float('x', 2), int64('n')],
      output: [float('y', 2)],
      node: [
        node('Loop', ['n', '', 'x'], ['y'], {
          name: 'long',
          attribute: [
            subgraph('body', {
              name: 'body',
              input: [int64('i'), bool('go'), float('s', 2)],
              output: [bool('on'), float('t', 2)],
              node: [node('Identity', ['go'], ['on']), node('Abs', ['s'], ['t'])],
            }),
          ],
        }),
      ],
    });
    for (const [count, reason] of [[500, 'it runs 500 iterations, but at most 64 can be compared one by one'], [0, 'it runs no iterations']] as const) {
      const { model, notes } = await openBranches(many, feeds(count), openNodeSession);
      expect(notes).toEqual([`long (Loop) is not replaced: ${reason}`]);
      expect(model).toBe(many);
    }
  });
});
