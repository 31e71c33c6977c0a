import { describe, expect, it } from 'vitest';
import { openNodeSession } from '../../test/compare/nodeSession';
import { build, float, int, node, weight } from '../../test/onnx/build';
import { encodeOnnx, graphInfo, parseOnnx } from '../onnx/model';
import type { ModelProto } from '../onnx/onnx_pb';
import type { GoldenBundle } from './files/bundle';
import { coverageOf } from './verdict';
import { unknownValues } from './findValue';
import { GraphRunner } from './graphRunner';
import { matchValues } from './matchValues';
import { makePlan } from './plan';
import { compareStages } from './run';
import type { Tensor } from './tensor';

const INPUT: Tensor = { shape: [1, 1, 4], data: Float32Array.of(1, -2, 3, 0.5) };
const TOLERANCE = { maxAbs: Infinity, cosine: 0.999 };

/** A bundle whose stages have the values of the graph. @param value graph value stated in the manifest */
async function goldensOf(model: ModelProto, stages: Readonly<Record<string, string | Tensor>>, inputs: Readonly<Record<string, Tensor>> = { x: INPUT }, value: string | null = null): Promise<GoldenBundle> {
  const graph = new GraphRunner(model, { open: openNodeSession });
  const names = Object.values(stages).filter((entry) => typeof entry === 'string');
  const values = names.length === 0 ? new Map<string, Tensor>() : await graph.values(new Map(Object.entries(inputs)), [...new Set(names)]);
  await graph.release();
  const named = (name: string, { shape, data }: Tensor) => ({ name, shape, data, axes: shape.map((_, axis) => `axis${axis}`) });
  return {
    model: '',
    source: {},
    notes: [],
    graph: null,
    inputs: Object.entries(inputs).map(([name, tensor]) => named(name, tensor)),
    stages: Object.entries(stages).map(([name, entry]) => ({ ...named(name, typeof entry === 'string' ? values.get(entry)! : entry), tolerance: TOLERANCE, value })),
  };
}

async function compare(bundle: GoldenBundle, given: ModelProto) {
  const model = parseOnnx(encodeOnnx(given), 'net.onnx');
  const graph = new GraphRunner(model, { open: openNodeSession });
  const runner = { graph, features: null };
  const named = makePlan(bundle, graphInfo(model), null);
  const plan = await matchValues(named, graph, named.feeds, () => undefined);
  const { verdict, firstDivergence, stages } = await compareStages({ plan, model, runner, variants: runner, thorough: false, onStep: () => undefined });
  await graph.release();
  const { uncompared } = coverageOf(plan);
  return { verdict, firstDivergence, stages, uncompared, values: Object.fromEntries(stages.map(({ name, value }) => [name, value])) };
}

const named = (name: string, ...attribute: ReturnType<typeof int>[]) => ({ name, attribute });
const scoped = (name: string, scopes: string, ...attribute: ReturnType<typeof int>[]) => ({
  name,
  attribute,
  metadataProps: [{ key: 'pkg.torch.onnx.name_scopes', value: scopes }],
});
const ramp = (size: number): number[] => Array.from({ length: size }, (_, index) => Math.sin(index + 1));

describe('a recurrent layer whose last state alone is used', () => {
  const lstm = (shapes: boolean): ModelProto =>
    build({
      node: [
        node('LSTM', ['x', 'w', 'r'], ['/r/LSTM_output_0', '/r/LSTM_output_1'], named('/r/LSTM', int('hidden_size', 2))),
        node('Mul', ['/r/LSTM_output_1', 'two'], ['y'], named('/o/Mul')),
      ],
      initializer: [weight('w', [1, 8, 4], ramp(32)), weight('r', [1, 8, 2], ramp(16)), weight('two', [1], [2])],
      input: [float('x', null, 1, 4)],
      // As declared by PyTorch's newer exporter: the state has one axis too many.
      valueInfo: shapes ? [float('/r/LSTM_output_1', 1, 1, 1, 2)] : [],
      output: [float('y', 1, 1, 2)],
    });
  const x = { shape: [3, 1, 4], data: Float32Array.from(ramp(12)) };
  const sequence = { shape: [1, 3, 2], data: Float32Array.from(ramp(6)) };

  it('does not confuse the state with the sequence', async () => {
    const bundle = await goldensOf(lstm(false), { r: sequence, 'r@1.0': '/r/LSTM_output_1', o: 'y' }, { x });
    const { verdict, uncompared, values } = await compare(bundle, lstm(false));
    expect({ verdict, values }).toEqual({ verdict: 'pass', values: { 'r@1.0': '/r/LSTM_output_1', o: 'y' } });
    expect(uncompared).toEqual([{ name: 'r', mergedWith: null }]);
  });

  it('runs without declared shapes if they contradict the operator', async () => {
    const bundle = await goldensOf(lstm(false), { 'r@1.0': '/r/LSTM_output_1', o: 'y' }, { x });
    expect(await compare(bundle, lstm(true))).toMatchObject({ verdict: 'pass', uncompared: [], stages: [{ notes: [expect.stringContaining('golden values')] }, { notes: [], forced: { verdict: 'pass' } }] });
  });
});

it('does not confuse the padding with a convolution that is merged with its batch norm', async () => {
  const net = (factor: number): ModelProto =>
    build({
      node: [
        node('Pad', ['x', 'pads'], ['pad'], scoped('pad', "['', 'c', 'pad']")),
        node('Conv', ['pad', 'c.weight'], ['getitem'], scoped('conv', "['', 'b', 'batch_norm']")),
        node('Mul', ['getitem', 'factor'], ['y'], scoped('mul', "['', 'o', 'mul']")),
      ],
      initializer: [
        { ...weight('pads', [6], []), dataType: 7, rawData: new Uint8Array(BigInt64Array.from([0n, 0n, 1n, 0n, 0n, 1n]).buffer) },
        weight('c.weight', [2, 1, 3], ramp(6).map((value) => value * factor)),
        weight('factor', [1], [2]),
      ],
      input: [float('x', 1, 1, 4)],
      output: [float('y', 1, 2, 4)],
    });
  const bundle = await goldensOf(net(1), { c: { shape: [1, 2, 4], data: Float32Array.from(ramp(8)) }, b: 'getitem', o: 'y' });
  const clean = await compare(bundle, net(1));
  expect(clean).toMatchObject({ verdict: 'pass', uncompared: [{ name: 'c', mergedWith: 'b' }], values: { b: 'getitem', o: 'y' } });
  expect(await compare(bundle, net(1.1))).toMatchObject({ verdict: 'fail', firstDivergence: 'b' });
});

it('prefers the module to an output with its name if the values say so', async () => {
  const net = build({
    node: [node('Tanh', ['x'], ['/fc/Tanh_output_0'], named('/fc/Tanh')), node('Exp', ['/fc/Tanh_output_0'], ['fc'], named('/head/Exp'))],
    input: [float('x', 1, 1, 4)],
    output: [float('fc', 1, 1, 4)],
  });
  const bundle = await goldensOf(net, { fc: '/fc/Tanh_output_0', head: 'fc', output: 'fc' });
  expect(await compare(bundle, net)).toMatchObject({ verdict: 'pass', values: { fc: '/fc/Tanh_output_0', head: 'fc', output: 'fc' } });
  // A stage that the user named like the output.
  expect((await compare(await goldensOf(net, { fc: 'fc' }), net)).values).toEqual({ fc: 'fc' });
});

it('feeds an input that has an initializer if the goldens include it', async () => {
  const net = build({
    node: [node('Mul', ['x', 's'], ['y'])],
    initializer: [weight('s', [1], [3])],
    input: [float('x', 1, 1, 4), float('s', 1)],
    output: [float('y', 1, 1, 4)],
  });
  const y = { shape: INPUT.shape, data: INPUT.data.map((value) => 2 * value) };
  const s = { shape: [1], data: Float32Array.of(2) };
  expect(await compare(await goldensOf(net, { y }, { x: INPUT, s }), net)).toMatchObject({ verdict: 'pass' });
  expect(await compare(await goldensOf(net, { y }), net)).toMatchObject({ verdict: 'fail' });
});

it('does not replace a value that the bundle states and the graph lacks', async () => {
  const net = build({
    node: [node('Tanh', ['x'], ['hidden']), node('Exp', ['hidden'], ['y'])],
    input: [float('x', 1, 1, 4)],
    output: [float('y', 1, 1, 4)],
  });
  const bundle = await goldensOf(net, { hidden: 'hidden' }, { x: INPUT }, 'hiden');
  const plan = makePlan(bundle, graphInfo(net), null);
  expect(plan.unmapped.map(({ name }) => name)).toEqual(['hidden']);
  expect(unknownValues(bundle.stages, graphInfo(net))).toEqual(['hidden: the bundle states the value hiden, which no node of the graph outputs. The closest are hidden, y']);
});

describe('limits of the runtime and of bundles', () => {
  it('rejects the name of a value that the runtime loses', async () => {
    const model = build({ node: [node('Tanh', ['x'], ['__proto__']), node('Exp', ['__proto__'], ['y'])], input: [float('x', 1, 1, 4)], output: [float('y', 1, 1, 4)] });
    const bundle = await goldensOf(model, { y: 'y' });
    const stages = [{ ...bundle.stages[0]!, name: '__proto__' }, ...bundle.stages];
    await expect(compare({ ...bundle, stages }, model)).rejects.toMatchObject({ code: 'model-output', problem: 'The runtime returned no value named __proto__' });
  });

  it('notes why an agreement of classes cannot be measured', async () => {
    const model = build({ node: [node('Tanh', ['x'], ['y'])], input: [float('x', 1, 1, 4)], output: [float('y', 1, 1, 4)] });
    const bundle = await goldensOf(model, { y: 'y' });
    const stages = bundle.stages.map((stage) => ({ ...stage, tolerance: { ...TOLERANCE, argmaxAgreement: 1 } }));
    const { stages: [y] } = await compare({ ...bundle, stages }, model);
    expect(y).toMatchObject({ verdict: 'fail', notes: [expect.stringMatching(/argmax_agreement.*no axis is named class/) as string] });
  });

  it('does not inject golden values that the type of a value cannot hold', async () => {
    const model = build({
      node: [node('Cast', ['x'], ['q'], { attribute: [int('to', 2)] }), node('Cast', ['q'], ['y'], { attribute: [int('to', 1)] })],
      input: [float('x', 1, 1, 4)],
      output: [float('y', 1, 1, 4)],
    });
    const input = { shape: [1, 1, 4], data: Float32Array.of(1, 2, 3, 4) };
    const bundle = await goldensOf(model, { q: { ...input, data: Float32Array.of(-1, 2, 3, 4) }, y: 'y' }, { x: input });
    const { stages: [, y] } = await compare(bundle, model);
    expect(y).toMatchObject({ forced: null, notes: [expect.stringMatching(/q cannot be injected/) as string] });
  });
});

describe('the outputs of a network that returns a dict', () => {
  const net = (axis: number, names: readonly [string, string] = ['tags', 'sentence']): ModelProto =>
    build({
      node: [node('Mul', ['x', 'two'], [names[0]], named('/Mul')), node('Softmax', ['x'], [names[1]], named('/Softmax', int('axis', axis)))],
      initializer: [weight('two', [1], [2])],
      input: [float('x', 1, 1, 4)],
      output: [float(names[0], 1, 1, 4), float(names[1], 1, 1, 4)],
    });

  it('are compared in graph order although one is wrong', async () => {
    const bundle = await goldensOf(net(-1), { output: 'tags', 'output@sentence': 'sentence' });
    const { verdict, firstDivergence, uncompared, values } = await compare(bundle, net(1));
    expect({ verdict, firstDivergence, uncompared }).toEqual({ verdict: 'fail', firstDivergence: 'output@sentence', uncompared: [] });
    expect(values).toEqual({ output: 'tags', 'output@sentence': 'sentence' });
  });

  it('are found by name if the graph has only some of them', async () => {
    const bundle = await goldensOf(net(-1), { output: 'tags', 'output@mean': { shape: [1], data: Float32Array.of(1) }, 'output@head.sentence': 'sentence' });
    const { verdict, values } = await compare(bundle, net(1));
    expect({ verdict, values }).toEqual({ verdict: 'fail', values: { output: 'tags', 'output@head.sentence': 'sentence' } });
  });

  it('are not confused with one named output', async () => {
    const names = ['hidden', 'output'] as const;
    const bundle = await goldensOf(net(-1, names), { output: 'hidden', 'output@output': 'output' });
    expect(await compare(bundle, net(-1, names))).toMatchObject({ verdict: 'pass', values: { output: 'hidden', 'output@output': 'output' } });
    expect(await compare(bundle, net(1, names))).toMatchObject({ verdict: 'fail', firstDivergence: 'output@output' });
  });
});

it('does not confuse a container named output with the output of the network', async () => {
  const net = (factor: number): ModelProto =>
    build({
      node: [node('Mul', ['x', 'two'], ['/output/output.0/Mul_output_0'], named('/output/output.0/Mul')), node('Sub', ['/output/output.0/Mul_output_0', 'f'], ['y'], named('/Sub'))],
      initializer: [weight('two', [1], [2]), weight('f', [1], [factor])],
      input: [float('x', 1, 1, 4)],
      output: [float('y', 1, 1, 4)],
    });
  const bundle = await goldensOf(net(1), { 'output.0': '/output/output.0/Mul_output_0', output: 'y' });
  expect(await compare(bundle, net(1))).toMatchObject({ verdict: 'pass', values: { output: 'y' } });
  expect(await compare(bundle, net(1.1))).toMatchObject({ verdict: 'fail', firstDivergence: 'output' });
});

it('lets a stage inherit from an earlier one with the same value', async () => {
  const net = (factor: number): ModelProto =>
    build({
      node: [node('Abs', ['x'], ['/in/Abs_output_0'], named('/in/Abs')), node('Mul', ['/in/Abs_output_0', 'f'], ['/fc/Mul_output_0'], named('/fc/Mul')), node('Neg', ['/fc/Mul_output_0'], ['y'], named('/Neg'))],
      initializer: [weight('f', [1], [factor])],
      input: [float('x', 1, 1, 4)],
      output: [float('y', 1, 1, 4)],
    });
  const bundle = await goldensOf(net(1), { in: '/in/Abs_output_0', fc: '/fc/Mul_output_0', drop: '/fc/Mul_output_0', output: 'y' });
  const { stages, firstDivergence } = await compare(bundle, net(2));
  expect(firstDivergence).toBe('fc');
  expect(stages.map(({ name, verdict, inherited }) => [name, verdict, inherited])).toEqual([['in', 'pass', false], ['fc', 'fail', false], ['drop', 'fail', true], ['output', 'fail', true]]);
});

it('does not use an earlier run of a module for one that the graph does not have', async () => {
  const mul = (from: string, path: string): ReturnType<typeof node> => node('Mul', [from, 'f'], [`/${path}/Mul_output_0`], named(`/${path}/Mul`));
  const net = (paths: readonly string[]): ModelProto =>
    build({
      node: [...paths.map((path, index) => mul(index === 0 ? 'x' : `/${paths[index - 1]!}/Mul_output_0`, path)), node('Neg', [`/${paths.at(-1)!}/Mul_output_0`], ['y'], named('/Neg'))],
      initializer: [weight('f', [1], [3])],
      input: [float('x', 1, 1, 4)],
      output: [float('y', 1, 1, 4)],
    });
  const right = net(['act', 'act_1', 'act_2']);
  const bundle = await goldensOf(right, { act: '/act/Mul_output_0', 'act#2': '/act_1/Mul_output_0', 'act#3': '/act_2/Mul_output_0', output: 'y' });
  expect(await compare(bundle, right)).toMatchObject({ verdict: 'pass', uncompared: [] });
  const { firstDivergence, uncompared } = await compare(bundle, net(['act', 'act_1']));
  expect({ firstDivergence, uncompared }).toEqual({ firstDivergence: 'output', uncompared: [{ name: 'act#3', mergedWith: null }] });
});

it('does not blame declared shapes if the graph contradicts itself', async () => {
  const net = (...shape: bigint[]): ModelProto =>
    build({
      node: [node('Reshape', ['x', 'shape'], ['y'])],
      initializer: [{ name: 'shape', dims: [2n], dataType: 7, rawData: new Uint8Array(BigInt64Array.from(shape).buffer) }],
      input: [float('x', 1, 1, 4)],
      output: [float('y', null, null)],
    });
  const bundle = await goldensOf(net(1n, 4n), { y: 'y' });
  await expect(compare(bundle, net(3n, -1n))).rejects.toThrow('an operator of the graph does not accept its input shapes');
});
