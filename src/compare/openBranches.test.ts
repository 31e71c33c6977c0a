import { describe, expect, it } from 'vitest';
import { openNodeSession } from '../../test/compare/nodeSession';
import { build, float, node, subgraph, weight } from '../../test/onnx/build';
import { inlineBranch } from '../onnx/inlineBranch';
import { graphInfo, valueNames } from '../onnx/model';
import { AttributeProto_AttributeType, type ModelProto } from '../onnx/onnx_pb';
import { makeValueInfo } from '../onnx/types';
import { GraphRunner, type GraphTensor, openBranches } from './graphRunner';

const bool = (name: string) => makeValueInfo(name, { dtype: 'bool', shape: [] });

/**
 * z = -y; y = sum(x) > 0 ? (c ? relu(x) * 3 : x) : x + x. The branch has values with the same names as the graph: `r` and
 * `w`.
 */
const NESTED = build({
  input: [float('x', null), bool('c')],
  output: [float('z', null)],
  initializer: [weight('w', [1], [0])],
  node: [
    node('ReduceSum', ['x'], ['s']),
    node('Greater', ['s', 'w'], ['positive']),
    node('Neg', ['x'], ['r']),
    node('If', ['positive'], ['y'], {
      name: 'outer',
      attribute: [
        subgraph('then_branch', {
          name: 'then',
          initializer: [weight('w', [1], [3])],
          node: [
            node('Relu', ['x'], ['r']),
            node('If', ['c'], ['inner_y'], {
              name: 'inner',
              attribute: [
                subgraph('then_branch', { name: 'a', node: [node('Mul', ['r', 'w'], ['product'])], output: [float('product', null)] }),
                subgraph('else_branch', { name: 'b', node: [node('Identity', ['x'], ['same'])], output: [float('same', null)] }),
              ],
            }),
          ],
          output: [float('inner_y', null)],
        }),
        subgraph('else_branch', { name: 'else', node: [node('Add', ['x', 'x'], ['twice'])], output: [float('twice', null)] }),
      ],
    }),
    node('Neg', ['y'], ['z']),
  ],
});

const feeds = (x: number[], c: boolean): Map<string, GraphTensor> =>
  new Map([
    ['x', { shape: [x.length], data: Float32Array.from(x) }],
    ['c', { shape: [], data: Float32Array.of(c ? 1 : 0), dtype: 'bool' }],
  ]);

async function valueOf(model: ModelProto, given: Map<string, GraphTensor>, name: string): Promise<number[]> {
  const runner = new GraphRunner(model, { open: openNodeSession });
  try {
    return [...(await runner.values(given, [name])).get(name)!.data];
  } finally {
    await runner.release();
  }
}

describe('openBranches', () => {
  it.each([
    [[-1, 2], true, ['then_branch', 'then_branch'], 'product', [0, 6]],
    [[-1, 2], false, ['then_branch', 'else_branch'], 'same', [-1, 2]],
    [[-1, -2], true, ['else_branch'], 'twice', [-2, -4]],
  ])('of %j, %s runs %j', async (x, c, branches, inside, values) => {
    const given = feeds(x, c);
    const { model, notes } = await openBranches(NESTED, given, openNodeSession);
    expect(notes.map((note) => /its (\w+)/.exec(note)?.[1])).toEqual(branches);
    expect(graphInfo(model).nodes.some(({ op }) => op === 'If')).toBe(false);
    expect(await valueOf(model, given, inside)).toEqual(values);
    expect(await valueOf(model, given, 'z')).toEqual(await valueOf(NESTED, given, 'z'));
    expect((await valueOf(model, given, 'z')).map((value) => 0 - value)).toEqual(values);
  });

  it('keeps an If whose condition cannot be computed, and notes why', async () => {
    const given = new Map([...feeds([1, 2], true)].filter(([name]) => name === 'x'));
    const { model, notes } = await openBranches(NESTED, given, openNodeSession);
    expect(valueNames(graphInfo(model))).toContain('inner_y');
    expect(notes).toEqual([expect.stringMatching(/outer.*then_branch/), expect.stringMatching(/inner.*is not replaced: .*\bc\b/)]);
  });

  it('keeps an If if the runtime rejects the inlined branch', async () => {
    // `Range` needs scalars. The runtime detects that `limit` is not a scalar only after the branch is inlined.
    const refused = build({
      input: [bool('c')],
      output: [float('y', null)],
      initializer: [weight('start', [], [0]), weight('step', [], [1]), weight('limits', [1], [3])],
      node: [
        node('If', ['c'], ['limit'], {
          name: 'branches',
          attribute: [
            subgraph('then_branch', { name: 'then', node: [node('Identity', ['limits'], ['same'])], output: [makeValueInfo('same', { dtype: 'float32' })] }),
            subgraph('else_branch', { name: 'else', node: [node('Neg', ['limits'], ['negative'])], output: [makeValueInfo('negative', { dtype: 'float32' })] }),
          ],
        }),
        node('Range', ['start', 'limit', 'step'], ['y']),
      ],
    });
    const given = new Map([['c', { shape: [], data: Float32Array.of(1), dtype: 'bool' }]]);
    const { model, notes } = await openBranches(refused, given, openNodeSession);
    expect(notes).toEqual([expect.stringMatching(/branches.*is not replaced.*Range/)]);
    expect(await valueOf(model, given, 'y')).toEqual([0, 1, 2]);
  });

  it('accepts a constant condition', async () => {
    const constant = build({
      input: [float('x', null)],
      output: [float('y', null)],
      initializer: [weight('c', [], [0])],
      node: [
        node('If', ['c'], ['y'], {
          attribute: [
            subgraph('then_branch', { name: 'then', node: [node('Neg', ['x'], ['n'])], output: [float('n', null)] }),
            subgraph('else_branch', { name: 'else', node: [node('Abs', ['x'], ['n'])], output: [float('n', null)] }),
          ],
        }),
      ],
    });
    const given = new Map([['x', { shape: [1], data: Float32Array.of(-5) }]]);
    const { model } = await openBranches(constant, given, openNodeSession);
    expect(await valueOf(model, given, 'y')).toEqual([5]);
  });
});

it('turns the constants of a branch into initializers', () => {
  const attribute = [{ name: 'value', type: AttributeProto_AttributeType.TENSOR, t: weight('', [1], [7]) }];
  const model = build({
    input: [float('x', null), bool('c')],
    output: [float('y', null)],
    node: [
      node('If', ['c'], ['y'], {
        attribute: [
          subgraph('then_branch', {
            name: 'then',
            node: [node('Constant', [], ['seven'], { attribute }), node('Mul', ['x', 'seven'], ['m'])],
            output: [float('m', null)],
          }),
        ],
      }),
    ],
  });
  const inlined = inlineBranch(model, 0, 'then_branch');
  expect(inlined.graph!.initializer.map(({ name }) => name)).toEqual(['seven']);
  expect(inlined.graph!.node.map(({ opType }) => opType)).toEqual(['Mul', 'Identity']);
});

it('renames a value of the branch if the graph has that name', () => {
  const names = valueNames(graphInfo(inlineBranch(NESTED, 3, 'then_branch')));
  expect(names).toEqual(expect.arrayContaining(['r', 'r_branch', 'inner_y', 'y']));
});
