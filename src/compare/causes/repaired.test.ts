/** Faults in nodes and weights of small graphs, each found by running the repaired graph. */
import { describe, expect, it } from 'vitest';
import { runCase } from '../../../test/compare/caseRun';
import { contextOf, expectCauses } from '../../../test/compare/planted';
import { expectPlanted } from '../../../test/compare/plantedGraph';
import { build, float, int, node, text, weight } from '../../../test/onnx/build';
import { noise } from '../../../test/onnx/run';
import { AttributeProto_AttributeType, type ModelProto } from '../../onnx/onnx_pb';
import type { GoldenStage } from '../files/bundle';

const causesOf = async (name: string, graph?: string): Promise<string[][]> =>
  (await runCase(name, graph)).run.stages.map(({ causes }) => causes.map(({ id }) => id));

const floatAttribute = (name: string, f: number) => ({ name, type: AttributeProto_AttributeType.FLOAT, f });

const SQUARE = noise(8, 8);
const X = { ...noise(5, 8), data: noise(5, 8).data.map((value) => 3 * value) };

/** A graph with one input of any shape and one output. */
const graphOf = (nodes: Parameters<typeof build>[0]['node'], initializer: ReturnType<typeof weight>[] = []): ModelProto =>
  build({ input: [float('x', null, null)], output: [float('y', null, null)], initializer, node: nodes ?? [] }, { opsetImport: [{ domain: '', version: 20n }] });

describe('collected cases', () => {
  it.each([
    ['weight_transposed', ['weight-transposed'], []],
    ['bias_zero', ['missing-bias']],
    ['fp16_overflow', ['float16-overflow'], ['float16-overflow']],
    ['ln_eps', ['epsilon']],
    ['ln_eps_small_var', ['epsilon']],
    ['ln_eps_strict', ['epsilon']],
    ['gelu_tanh', ['activation']],
  ])('%s', async (name, ...causes) => {
    expect(await causesOf(name)).toEqual(causes);
  });

  it('does not blame a mask of minus infinity or a zero initial state', async () => {
    expect((await causesOf('mask_false_cause')).flat()).not.toContain('not-finite');
    expect((await causesOf('gru_zero_state', 'gru_zero_state_fault.onnx')).flat()).not.toContain('zero-weights');
  });

  it('names the bias that is zero', async () => {
    const { run } = await runCase('bias_zero');
    expect(run.stages[0]!.causes[0]!.evidence).toContain('all 8 values of the bias b');
  });
});

describe('weight-transposed', () => {
  const w = weight('w', [8, 8], [...SQUARE.data]);

  it('finds it in Gemm', async () => {
    const gemm = (transB: number): ModelProto => graphOf([node('Gemm', ['x', 'w'], ['y'], { attribute: [int('transB', transB)] })], [w]);
    await expectPlanted({ right: gemm(1), faulty: gemm(0) }, X, 'weight-transposed');
  });

  it('finds the one of two', async () => {
    const chain = (isTransposed: boolean): ModelProto => {
      const other = weight('v', [8, 8], [...noise(8, 8).data.map((value, index) => value + Math.cos(index))]);
      const nodes = [
        node('MatMul', ['x', 'v'], ['h'], { name: 'first' }),
        node('Transpose', ['w'], ['wt'], { name: 'turn' }),
        node('MatMul', ['h', isTransposed ? 'wt' : 'w'], ['y'], { name: 'second' }),
      ];
      return graphOf(nodes, [w, other]);
    };
    const cause = await expectPlanted({ right: chain(false), faulty: chain(true) }, X, 'weight-transposed');
    expect(cause.values.nodes).toBe('second');
  });
});

describe('epsilon', () => {
  const small = { ...X, data: X.data.map((value) => 0.01 * value) };

  it('finds it in an RMS norm of single operators', async () => {
    const rms = (epsilon: number): ModelProto =>
      graphOf(
        [
          node('Mul', ['x', 'x'], ['square']),
          node('ReduceMean', ['square', 'axes'], ['mean']),
          node('Add', ['mean', 'epsilon'], ['sum'], { name: 'plus' }),
          node('Sqrt', ['sum'], ['root']),
          node('Div', ['x', 'root'], ['y']),
          ],
        [weight('epsilon', [], [epsilon])],
      );
    const withAxes = (model: ModelProto): ModelProto => {
      model.graph!.node.unshift(...build({ node: [node('Constant', [], ['axes'], { attribute: [{ name: 'value_ints', type: AttributeProto_AttributeType.INTS, ints: [-1n] }] })] }).graph!.node);
      return model;
    };
    const cause = await expectPlanted({ right: withAxes(rms(1e-6)), faulty: withAxes(rms(1e-5)) }, small, 'epsilon');
    expect(cause.values).toMatchObject({ epsilon: 1e-6, nodes: 'plus' });
    // With 1e-5 in place of 1e-2, less than a thousandth of the error remains.
    const far = await expectPlanted({ right: withAxes(rms(1e-6)), faulty: withAxes(rms(1e-2)) }, X, 'epsilon');
    expect(far.values).toMatchObject({ epsilon: 1e-6, nodes: 'plus' });
  });

  it('finds it in a batch norm, rather than the resulting scale of each channel', async () => {
    const names = ['scale', 'bias', 'mean', 'variance'];
    const values = [[1, 2, 3, 4, 5, 6, 7, 8], [1, 0, 1, 0, 1, 0, 1, 0], [0, 0, 0, 0, 0, 0, 0, 0], [1e-4, 2e-4, 1e-3, 1e-5, 1e-4, 3e-4, 1e-4, 1e-5]];
    const norm = (epsilon: number): ModelProto =>
      graphOf(
        [node('BatchNormalization', ['x', ...names], ['y'], { attribute: [floatAttribute('epsilon', epsilon)] })],
        names.map((name, index) => weight(name, [8], values[index]!)),
      );
    const cause = await expectPlanted({ right: norm(1e-3), faulty: norm(1e-5) }, { ...noise(20, 8) }, 'epsilon', ['batch', 'channel']);
    expect(cause.values.epsilon).toBe(1e-3);
  });

  it('finds it in a layer norm, and its value', async () => {
    const norm = (epsilon: number): ModelProto =>
      graphOf(
        [node('LayerNormalization', ['x', 'scale'], ['y'], { name: 'norm', attribute: [floatAttribute('epsilon', epsilon)] })],
        [weight('scale', [8], [1, 2, 3, 4, 5, 6, 7, 8])],
      );
    const cause = await expectPlanted({ right: norm(1e-12), faulty: norm(1e-5) }, small, 'epsilon');
    expect(cause.values).toMatchObject({ epsilon: 1e-12, nodes: 'norm' });
  });
});

describe('activation', () => {
  it('leaves activations of another kind as they are', async () => {
    const net = (op: string): ModelProto => graphOf([node('Sigmoid', ['x'], ['h'], { name: 'one' }), node(op, ['h'], ['y'], { name: 'two' })]);
    const cause = await expectPlanted({ right: net('Sigmoid'), faulty: net('HardSigmoid') }, X, 'activation');
    expect(cause.evidence).toMatch(/^Sigmoid in place of HardSigmoid in two gives/);
  });

  const gelu = (approximate: string): ModelProto => graphOf([node('Gelu', ['x'], ['y'], { name: 'act', attribute: [text('approximate', approximate)] })]);
  const scalars = [weight('half', [], [0.5]), weight('one', [], [1]), weight('root', [], [Math.SQRT2])];
  const erf = graphOf(
    [
      node('Div', ['x', 'root'], ['scaled']),
      node('Erf', ['scaled'], ['erf']),
      node('Add', ['erf', 'one'], ['gate']),
      node('Mul', ['x', 'gate'], ['product']),
      node('Mul', ['product', 'half'], ['y'], { name: 'act' }),
    ],
    scalars,
  );
  const tanh = graphOf(
    [
      node('Mul', ['x', 'x'], ['square']),
      node('Mul', ['square', 'x'], ['cube']),
      node('Mul', ['cube', 'small'], ['term']),
      node('Add', ['x', 'term'], ['sum']),
      node('Mul', ['sum', 'factor'], ['scaled']),
      node('Tanh', ['scaled'], ['tanh']),
      node('Add', ['tanh', 'one'], ['gate']),
      node('Mul', ['x', 'half'], ['halved']),
      node('Mul', ['halved', 'gate'], ['y'], { name: 'act' }),
    ],
    [...scalars, weight('small', [], [0.044715]), weight('factor', [], [Math.sqrt(2 / Math.PI)])],
  );
  const relu = graphOf([node('Relu', ['x'], ['y'], { name: 'act' })]);
  const silu = graphOf([node('Sigmoid', ['x'], ['gate']), node('Mul', ['x', 'gate'], ['y'], { name: 'act' })]);

  it.each([
    ['GELU by tanh in place of erf', gelu('none'), gelu('tanh'), 'GELU (erf)'],
    ['GELU of single operators by tanh', erf, tanh, 'GELU (erf)'],
    ['GELU of single operators by erf', tanh, erf, 'GELU (tanh)'],
    ['ReLU in place of SiLU', silu, relu, 'SiLU'],
    ['SiLU in place of ReLU', relu, silu, 'ReLU'],
  ])('finds %s', async (_name, right, faulty, activation) => {
    const cause = await expectPlanted({ right, faulty }, X, 'activation');
    expect(cause.values).toEqual({ activation, nodes: 'act' });
  });

  it('finds that one is missing at the end of a stage', async () => {
    const w = weight('w', [8, 3], [...noise(8, 3).data]);
    const right = graphOf([node('MatMul', ['x', 'w'], ['h'], { name: 'linear' }), node('Relu', ['h'], ['y'])], [w]);
    const faulty = graphOf([node('MatMul', ['x', 'w'], ['y'], { name: 'linear' })], [w]);
    const cause = await expectPlanted({ right, faulty }, X, 'activation');
    expect(cause.evidence).toMatch(/^ReLU after the node linear gives the golden values/);
  });
});

it('softmax-axis', async () => {
  const softmax = (axis: number): ModelProto => graphOf([node('Softmax', ['x'], ['y'], { attribute: [int('axis', axis)] })]);
  const cause = await expectPlanted({ right: softmax(0), faulty: softmax(-1) }, X, 'softmax-axis');
  expect(cause.values.axis).toBe(-2);
});

describe('causes that the values alone prove', () => {
  const scale = weight('scale', [8], [1, 2, 0.5, 3, 1.5, 0.7, 1.1, 2.5]);
  const wide = { ...noise(20, 8) };

  it('channel-scale', async () => {
    const right = graphOf([node('Mul', ['x', 'scale'], ['h']), node('Mul', ['h', 'scale'], ['y'])], [scale]);
    const faulty = graphOf([node('Mul', ['x', 'scale'], ['y'])], [scale]);
    const cause = await expectPlanted({ right, faulty }, wide, 'channel-scale', ['batch', 'channel']);
    expect(cause.values.greatest).toBeCloseTo(3, 4);
  });

  it('missing-bias of a layer without one', async () => {
    const w = weight('w', [8, 8], [...SQUARE.data]);
    const right = graphOf([node('MatMul', ['x', 'w'], ['h']), node('Add', ['h', 'scale'], ['y'])], [w, scale]);
    await expectPlanted({ right, faulty: graphOf([node('MatMul', ['x', 'w'], ['y'])], [w]) }, wide, 'missing-bias');
  });

  it('equals-stage: a normalization was left out', async () => {
    const outputs = { input: [float('x', null, null)], output: [float('h', null, null), float('y', null, null)] };
    const w = weight('w', [8, 8], [...SQUARE.data]);
    const chain = (last: ReturnType<typeof node>): ModelProto =>
      build({ ...outputs, initializer: [w], node: [node('MatMul', ['x', 'w'], ['h']), last] });
    const cause = await expectPlanted({ right: chain(node('Sin', ['h'], ['y'])), faulty: chain(node('Identity', ['h'], ['y'])) }, wide, 'equals-stage');
    expect(cause.values.stage).toBe('h');
  });

  it('equals-stage does not hide other causes: a factor was left out', async () => {
    const actual = noise(20, 8);
    const golden: GoldenStage = {
      name: 'y', value: 'y', axes: ['batch', 'channel'], shape: actual.shape, data: actual.data.map((value) => 2 * value), tolerance: { maxAbs: Infinity, cosine: -1, rtol: 1e-4 },
    };
    await expectCauses(contextOf(golden, actual, { others: [{ name: 'h', tensor: actual }] }), 'equals-stage', 'scaled');
  });
});
