/** Bisection with WASM on both sides. The side that represents WebGPU has one node altered. */
import { beforeAll, describe, expect, it } from 'vitest';
import { graphInfo, parseOnnx } from '../onnx/model';
import type { ModelProto } from '../onnx/onnx_pb';
import { build, float, node, weight } from '../../test/onnx/build';
import { readBundle } from './files/bundle';
import { bisect, DEFAULT_TOLERANCE, differ, type BisectResult } from './bisect';
import { GraphRunner } from './graphRunner';
import { findSampleFeeds, sampleInputs } from './sampleInputs';
import type { Tensor } from './tensor';
import { openWithFault as opening, shippedCase } from '../../test/compare/nodeRun';
import { openNodeSession } from '../../test/compare/nodeSession';
import { withNodeFault, type NodeFault } from '../../test/onnx/alterNode';

async function bisectWith(
  model: ModelProto,
  feeds: ReadonlyMap<string, Tensor>,
  fault?: NodeFault,
  tolerance = DEFAULT_TOLERANCE,
): Promise<BisectResult> {
  const wasm = new GraphRunner(model, { open: openNodeSession });
  const webgpu = new GraphRunner(model, { open: opening(fault) });
  try {
    return await bisect({ model, modelName: 'm', adapter: null, feeds, wasm, webgpu, tolerance, onStep: () => undefined });
  } finally {
    await wasm.release();
    await webgpu.release();
  }
}

describe('bisect', () => {
  const { model, bundle } = shippedCase('segmentation-3.0');
  const feeds = new Map([['waveform', bundle.inputs[0]!]]);
  // The first node of each operator, and one after two thirds of the graph.
  const nodes = ['/conv1d.0/Conv', '/pool1d.0/MaxPool', '/LeakyRelu', '/lstm/LSTM', '/lstm/LSTM_3', '/linear.0/MatMul', '/Log'];

  it.each(nodes)('finds %s', async (name) => {
    const { report, bugReport } = await bisectWith(model, feeds, { node: name, factor: 1.05 });
    expect(report).toMatchObject({ verdict: 'fail', node: { name }, alone: { verdict: 'fail' } });
    const { graph, inputs, stages } = readBundle(bugReport!);
    const minimal = graphInfo(parseOnnx(graph!, 'minimal'));
    expect(minimal.nodes.filter(({ op }) => op !== 'Constant').map((found) => found.name)).toEqual([name]);

    // The minimal graph shows the same: equal without the fault, different with it.
    const own = new Map(inputs.map((input) => [input.name, input]));
    const parsed = parseOnnx(graph!, 'minimal');
    const values = stages.map((stage) => stage.name);
    const right = await new GraphRunner(parsed, { open: openNodeSession }).values(own, values);
    const wrong = await new GraphRunner(parsed, { open: opening({ node: name, factor: 1.05 }) }).values(own, values);
    expect(differ(right.get(values[0]!)!, stages[0]!, DEFAULT_TOLERANCE)).toBe(false);
    expect(differ(wrong.get(values[0]!)!, stages[0]!, DEFAULT_TOLERANCE)).toBe(true);
  }, 60_000);

  it('finds nothing if both sides agree', async () => {
    const { report, bugReport } = await bisectWith(model, feeds);
    expect(report).toMatchObject({ verdict: 'pass', node: null, difference: null, alone: null });
    expect(bugReport).toBeNull();
  });

  it('does not pass a graph that returns only NaN on both sides', async () => {
    const broken = build({ node: [node('Log', ['x'], ['y'])], input: [float('x', 2)], output: [float('y', 2)] });
    const negative = new Map([['x', { shape: [2], data: Float32Array.of(-1, -2) }]]);
    await expect(bisectWith(broken, negative)).rejects.toMatchObject({ code: 'options', problem: expect.stringMatching(/all outputs are NaN/) as string });
  });

  it('needs few probes for many nodes', async () => {
    const { report } = await bisectWith(model, feeds, { node: '/classifier/MatMul', factor: 1.05 });
    // 71 nodes: at most three rounds of eight positions, and a sweep in pieces of 16.
    expect(report.numProbes).toBeLessThanOrEqual(3 + 5);
  });

  it('reports the range in which small differences accumulate, and no node', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `n${index}`);
    const chain = build({
      node: names.map((name, index) => node('Relu', [index === 0 ? 'x' : `v${index - 1}`], [index === 11 ? 'y' : `v${index}`], { name })),
      input: [float('x', 2)],
      output: [float('y', 2)],
    });
    const x = new Map([['x', { shape: [2], data: Float32Array.of(0.5, 1) }]]);
    // Three of these are below the tolerance of 1e-3, and four above: for nodes 2 to 7, the difference first appears at n5.
    const faults = names.slice(2, 8).map((name): NodeFault => ({ node: name, factor: 1.0003 }));
    const open = (bytes: Uint8Array) => openNodeSession(faults.reduce((altered, fault) => withNodeFault(altered, fault), bytes));
    const wasm = new GraphRunner(chain, { open: openNodeSession });
    const webgpu = new GraphRunner(chain, { open });
    const { report, bugReport } = await bisect({ model: chain, modelName: 'm', adapter: null, feeds: x, wasm, webgpu, tolerance: 1e-3, onStep: () => undefined });
    expect(report).toMatchObject({ verdict: 'fail', node: null, alone: null, range: { first: 'n2', last: 'n5', numNodes: 4 } });
    expect(report.difference!.maxAbs).toBeCloseTo(1.0003 ** 4 - 1, 5);
    const { graph, inputs, stages } = readBundle(bugReport!);
    expect(graphInfo(parseOnnx(graph!, 'range')).nodes.map(({ name }) => name)).toEqual(['n2', 'n3', 'n4', 'n5']);
    expect([...inputs, ...stages].map(({ name }) => name)).toEqual(['v1', 'v5']);
  });

  it('finds the first of two faults, even across branches that join again', async () => {
    const branches = build({
      node: [
        node('Relu', ['x'], ['left'], { name: 'left' }),
        node('Tanh', ['x'], ['right'], { name: 'right' }),
        node('Exp', ['right'], ['far'], { name: 'far' }),
        node('Add', ['left', 'far'], ['y'], { name: 'sum' }),
        node('MatMul', ['y', 'w'], ['z'], { name: 'product' }),
      ],
      initializer: [weight('w', [2, 2], [1, 2, 3, 4])],
      input: [float('x', 1, 2)],
      output: [float('z', 1, 2)],
    });
    const x = new Map([['x', { shape: [1, 2], data: Float32Array.of(0.5, -0.25) }]]);
    for (const name of ['left', 'right', 'far', 'sum', 'product']) {
      const { report } = await bisectWith(branches, x, { node: name, factor: 1.5 });
      expect(report.node?.name).toBe(name);
    }
  });
});

describe('differ', () => {
  const tensor = (...values: number[]): Tensor => ({ shape: [values.length], data: Float32Array.from(values) });

  it('is relative to the greatest expected value', () => {
    expect(differ(tensor(100, 0.05), tensor(100, 0), 1e-3)).toBe(false);
    expect(differ(tensor(100, 0.2), tensor(100, 0), 1e-3)).toBe(true);
    expect(differ(tensor(0, 1e-9), tensor(0, 0), 1e-3)).toBe(true);
  });

  it('treats NaN and infinities as equal only if both sides have them', () => {
    expect(differ(tensor(NaN, 1), tensor(NaN, 1), 0)).toBe(false);
    expect(differ(tensor(1, 1), tensor(NaN, 1), 1)).toBe(true);
    expect(differ(tensor(NaN, 1), tensor(1, 1), 1)).toBe(true);
    expect(differ(tensor(Infinity), tensor(Infinity), 0)).toBe(false);
    expect(differ(tensor(-Infinity), tensor(Infinity), 1)).toBe(true);
    expect(differ(tensor(1), tensor(1, 2), 1)).toBe(true);
  });
});

describe('sample inputs', () => {
  const conv = build({
    node: [node('Conv', ['x', 'w'], ['y'])],
    initializer: [weight('w', [1, 1, 400], Array.from({ length: 400 }, () => 1))],
    input: [float('x', null, 1, null)],
    output: [float('y', null, 1, null)],
  });
  let feeds: ReadonlyMap<string, Tensor>;
  beforeAll(async () => {
    feeds = await findSampleFeeds(graphInfo(conv), [], new GraphRunner(conv, { open: openNodeSession }));
  });

  it('are as long as the graph requires, and deterministic', () => {
    expect(feeds.get('x')?.shape).toEqual([1, 1, 1600]);
    expect(sampleInputs(graphInfo(conv), 1600)).toEqual(new Map(feeds));
  });

  it('are replaced by given inputs', async () => {
    const given = { name: 'other', axes: ['axis0'], shape: [1], data: Float32Array.of(1) };
    const runner = new GraphRunner(conv, { open: openNodeSession });
    expect([...(await findSampleFeeds(graphInfo(conv), [given], runner))]).toEqual([['x', given]]);
  });
});
