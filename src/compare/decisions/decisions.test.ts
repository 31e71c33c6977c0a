/** Decisions of a small network: how many differ, which are near ties, and which stage causes them. */
import { expect, it } from 'vitest';
import { runBundle } from '../../../test/compare/caseRun';
import { build, float, int, ints, node, weight } from '../../../test/onnx/build';
import { noise, runModel } from '../../../test/onnx/run';
import { encodeOnnx, graphInfo } from '../../onnx/model';
import type { ModelProto } from '../../onnx/onnx_pb';
import { makeValueInfo } from '../../onnx/types';
import type { GoldenBundle } from '../files/bundle';
import type { DecisionReport } from '../report';
import { stageTolerance } from '../stageTolerance';
import { choicesOf, deciderOf, type DecisionRule } from './rule';
import { compareDecisions } from './findDecisions';

const FRAMES = 24;
const CHANNELS = 4;
const x = noise(1, FRAMES, CHANNELS);
const STAGES = ['s0', 's1', 's2', 's3', 's4', 's5', 'y'];

/** Adds a bias six times for each frame and channel, then chooses a channel. */
function network(biases: ReadonlyMap<string, readonly number[]>): ModelProto {
  const names = STAGES.slice(0, -1);
  return build({
    input: [float('x', 1, FRAMES, CHANNELS)],
    output: [float('y', 1, FRAMES, CHANNELS)],
    initializer: names.map((name) => weight(`bias.${name}`, [1, FRAMES, CHANNELS], biases.get(name) ?? zeros())),
    node: [...names.map((name, index) => node('Add', [names[index - 1] ?? 'x', `bias.${name}`], [name])), node('LogSoftmax', ['s5'], ['y'])],
  });
}

const zeros = (): number[] => new Array<number>(FRAMES * CHANNELS).fill(0);

/** A bias that makes channel 0 by far the greatest in some frames. */
const biasIn = (frames: readonly number[]): number[] => zeros().map((_, index) => (index % CHANNELS === 0 && frames.includes(index / CHANNELS) ? 5 : 0));

async function goldens(axes = ['batch', 'frame', 'channel']): Promise<GoldenBundle> {
  const model = network(new Map());
  const outputs = STAGES.map((name) => float(name, 1, FRAMES, CHANNELS));
  model.graph!.output = outputs;
  const results = await runModel(model, { x });
  const tolerance = { maxAbs: Infinity, cosine: -1, rtol: 1e-4 };
  return {
    model: '', source: {}, notes: [], graph: null,
    inputs: [{ name: 'x', axes, ...x }],
    stages: STAGES.map((name) => ({ name, value: name, axes, shape: results[name]!.dims, data: results[name]!.data as Float32Array, tolerance })),
  };
}

async function decisionsOf(model: ModelProto, bundle: GoldenBundle, rule?: DecisionRule): Promise<readonly DecisionReport[]> {
  return (await runBundle(bundle, encodeOnnx(model), rule && { decisions: rule })).run.decisions;
}

/** Frames whose golden class is not 0, so a fault in them is visible. */
async function framesToSpoil(): Promise<number[]> {
  const y = (await goldens()).stages.at(-1)!;
  const choices = choicesOf(y, { kind: 'class', reason: '', axis: 2, threshold: 0, top: 1 });
  return choices.flatMap((choice, frame) => (choice === '0' ? [] : [frame]));
}

it('counts the frames with another class and traces each to the first stage that causes it', async () => {
  const [a, b, c, d, e] = await framesToSpoil();
  const faulty = network(new Map([['s1', biasIn([a!, b!, c!])], ['s4', biasIn([d!])], ['s5', biasIn([e!])]]));
  const [decisions, ...others] = await decisionsOf(faulty, await goldens());
  expect(others).toEqual([]);
  expect(decisions).toMatchObject({
    stage: 'y', kind: 'class', reason: 'output of LogSoftmax', axes: ['batch', 'frame'], total: FRAMES, differing: 5, nearTies: 0,
    causes: [
      { stage: 's1', after: null, count: 3, untried: [] },
      { stage: 's4', after: 's1', count: 1, untried: [] },
      { stage: 's5', after: 's4', count: 1, untried: [] },
    ],
  });
  expect(decisions!.examples).toHaveLength(5);
  expect(decisions!.examples[0]).toMatchObject({ index: [0, a], actual: 0 });
});

it('does not suspect a stage within tolerance if another one is wrong on its own', async () => {
  const [a] = await framesToSpoil();
  const bundle = await goldens();
  // A difference of 1e-6 in the preceding stage decides what the wrong stage does with this frame.
  const y = bundle.stages.at(-1)!.data.slice(a! * CHANNELS, (a! + 1) * CHANNELS);
  const tie = zeros();
  tie[a! * CHANNELS] = Math.max(...y) - y[0]! - 1e-6;
  const rounding = zeros();
  rounding[a! * CHANNELS] = 4e-6;
  const [decisions] = await decisionsOf(network(new Map([['s1', rounding], ['s3', tie]])), bundle);
  expect(decisions).toMatchObject({ differing: 1, causes: [{ stage: 's3', count: 1, untried: [] }] });
});

it('does not report a stage that the output does not depend on', async () => {
  const [a] = await framesToSpoil();
  const bundle = await goldens();
  const faulty = network(new Map([['s3', biasIn([a!])]]));
  faulty.graph!.node.push(...build({ node: [node('Neg', ['s0'], ['beside'])] }).graph!.node);
  const s0 = bundle.stages[0]!;
  const beside = { ...s0, name: 'beside', value: 'beside', data: s0.data.map((value) => -value) };
  const stages = [...bundle.stages.slice(0, 2), beside, ...bundle.stages.slice(2)];
  const [decisions] = await decisionsOf(faulty, { ...bundle, stages });
  expect(decisions!.causes).toEqual([{ stage: 's3', after: null, count: 1, untried: [] }]);
});

it('reports the stages around a cause if some are not in the bundle, and the output itself', async () => {
  const [a, b] = await framesToSpoil();
  const whole = await goldens();
  const few = { ...whole, stages: whole.stages.filter(({ name }) => name === 's0' || name === 's3' || name === 'y') };
  const faulty = network(new Map([['s2', biasIn([a!])], ['s5', biasIn([b!])]]));
  const [decisions] = await decisionsOf(faulty, few);
  expect(decisions!.causes).toEqual([
    { stage: 's3', after: null, count: 1, untried: [] },
    { stage: 'y', after: 's3', count: 1, untried: [] },
  ]);
});

it('reports a decision that differs within tolerance as a near tie', async () => {
  const bundle = await goldens();
  const y = bundle.stages.at(-1)!;
  // The two greatest values of a frame are made equal up to 1e-6, in the opposite order of the graph's output.
  const [frame] = await framesToSpoil();
  const row = [...y.data.slice(frame! * CHANNELS, (frame! + 1) * CHANNELS)];
  const best = row.indexOf(Math.max(...row));
  const bias = zeros();
  bias[frame! * CHANNELS] = row[best]! - row[0]! - 2e-6;
  const nearly = network(new Map([['s5', bias]]));
  const [golden] = Object.values(await runModel(nearly, { x }));
  const tied = { ...bundle, stages: [{ ...y, data: golden!.data as Float32Array }] };
  bias[frame! * CHANNELS]! += 4e-6;
  const { run } = await runBundle(tied, encodeOnnx(network(new Map([['s5', bias]]))));
  expect(run.verdict).toBe('pass');
  expect(run.decisions).toMatchObject([{ differing: 1, nearTies: 1, total: FRAMES, examples: [{ index: [0, frame], actual: 0, golden: best }] }]);
});

it('finds no differing decision in the correct graph, and no decisions at all if so stated', async () => {
  expect(await decisionsOf(network(new Map()), await goldens())).toMatchObject([{ differing: 0, causes: [], examples: [] }]);
  expect(await decisionsOf(network(new Map()), await goldens(), { kind: 'none' })).toEqual([]);
});

const info = (opType: string, outputs: string[], attributes: Parameters<typeof node>[3] = {}, version = 17n) =>
  graphInfo(build({ node: [node(opType, ['x'], outputs, attributes)], input: [float('x', 2, 3, 4)], output: outputs.map((name) => makeValueInfo(name, { dtype: 'float32', shape: [] })) }, { opsetImport: [{ domain: '', version }] }));
const SHAPE = [2, 3, 4];
const AXES = ['batch', 'frame', 'channel'];

it.each<[string, ReturnType<typeof info>, string, string, DecisionRule | undefined, object | null]>([
  ['Softmax along its axis', info('Softmax', ['y'], { attribute: [int('axis', 1)] }), 'y', 'float32', undefined, { kind: 'class', axis: 1 }],
  ['Softmax of old versions along several axes', info('Softmax', ['y'], { attribute: [int('axis', 1)] }, 11n), 'y', 'float32', undefined, null],
  ['Sigmoid', info('Sigmoid', ['y']), 'y', 'float32', undefined, { kind: 'threshold', threshold: 0.5 }],
  ['ArgMax', info('ArgMax', ['y']), 'y', 'int64', undefined, { kind: 'class', axis: null }],
  ['indices of TopK', info('TopK', ['v', 'y']), 'y', 'int64', undefined, { kind: 'rank', axis: null }],
  ['other integers', info('Shape', ['y']), 'y', 'int64', undefined, { kind: 'value' }],
  ['an operator that decides nothing', info('Relu', ['y']), 'y', 'float32', undefined, null],
  ['stated, overriding the graph', info('Sigmoid', ['y']), 'y', 'float32', { kind: 'argmax' }, { kind: 'class', axis: 2 }],
  ['a stated threshold', info('Relu', ['y']), 'y', 'float32', { kind: 'threshold', threshold: 0 }, { kind: 'threshold', threshold: 0 }],
  ['a stated ranking', info('Relu', ['y']), 'y', 'float32', { kind: 'ranking', top: 2 }, { kind: 'rank', axis: 2, top: 2 }],
])('%s', (_, graph, value, dtype, rule, expected) => {
  const decider = deciderOf(value, { shape: SHAPE, dtype }, AXES, graph, rule);
  if (expected) expect(decider).toMatchObject(expected);
  else expect(decider).toBeNull();
});

it('follows a softmax through a transpose, and uses an axis named class', () => {
  const chain = graphInfo(build({
    node: [node('Softmax', ['x'], ['s'], { attribute: [int('axis', 1)] }), node('Transpose', ['s'], ['y'], { attribute: [ints('perm', 0, 2, 1)] })],
    input: [float('x', 2, 3, 4)],
    output: [float('y', 2, 4, 3)],
  }));
  expect(deciderOf('y', { shape: [2, 4, 3], dtype: 'float32' }, AXES, chain)).toMatchObject({ kind: 'class', axis: 2 });
  expect(deciderOf('y', { shape: SHAPE }, ['batch', 'class', 'frame'], info('Relu', ['y']))).toMatchObject({ kind: 'class', axis: 1, reason: 'axis class' });
});

it('chooses classes, sides of a threshold, integers and places of a ranking', () => {
  const common = { reason: '', threshold: 0.5, top: 2 };
  const data = Float32Array.of(0.1, 0.9, 0.9, NaN, 0.5, 2);
  const tensor = { shape: [2, 3], data };
  expect(choicesOf(tensor, { ...common, kind: 'class', axis: 1 })).toEqual(['1', 'NaN']);
  expect(choicesOf(tensor, { ...common, kind: 'threshold', axis: null })).toEqual(['0', '1', '1', 'NaN', '0', '1']);
  expect(choicesOf(tensor, { ...common, kind: 'rank', axis: 1 })).toEqual(['1', '2', 'NaN', 'NaN']);
  expect(choicesOf({ shape: [1], data: Float32Array.of(2 ** 53), exact: BigInt64Array.of(2n ** 53n + 1n) }, { ...common, kind: 'value', axis: null })).toEqual(['9007199254740993']);
});

it('measures near ties by the spread of the values, not by a common offset of all classes', () => {
  // Margins of 0.05, while the classes of a row span 2: no tolerance explains them.
  const golden = { shape: [3, 2], data: Float32Array.of(1000.05, 1000, 1001, 999, 1000, 1002) };
  const actual = { shape: [3, 2], data: Float32Array.of(1000, 1000.05, 1001, 999, 1000, 1002), dtype: 'float32' };
  const planned = { axes: ['batch', 'class'], clock: null, value: 'y', golden: { name: 'y' } };
  const own = { planned, actual, golden } as unknown as Parameters<typeof compareDecisions>[0];
  const tolerance = stageTolerance({ maxAbs: Infinity, cosine: 0.999 }, ['float32']);
  expect(compareDecisions(own, { nodes: [], opset: 17 }, tolerance)?.report).toMatchObject({ differing: 1, nearTies: 0 });
});
