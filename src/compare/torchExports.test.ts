import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { openNodeSession } from '../../test/compare/nodeSession';
import { findAmong } from '../onnx/tensors';
import { graphInfo, parseOnnx } from '../onnx/model';
import type { ModelProto } from '../onnx/onnx_pb';
import { replaceWeights } from '../onnx/weights';
import { readBundle, type GoldenBundle } from './files/bundle';
import { countText, coverageOf, mergedCount, outcomeOf } from './verdict';
import { GraphRunner } from './graphRunner';
import { matchValues } from './matchValues';
import { makePlan } from './plan';
import type { Coverage, Outcome, StageReport } from './report';
import { compareStages } from './run';

const FIXTURES = 'src/compare/fixtures';
const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(join(FIXTURES, name)));

interface Compared {
  readonly coverage: Coverage;
  readonly verdict: Outcome;
  readonly firstDivergence: string | null;
  readonly stages: readonly StageReport[];
  readonly valueOf: Readonly<Record<string, string | null>>;
}

/** Compares as in the worker: names first, then the values of a run. */
async function compareWith(bundle: GoldenBundle, model: ModelProto): Promise<Compared> {
  const graph = new GraphRunner(model, { open: openNodeSession });
  const runner = { graph, features: null };
  try {
    const named = makePlan(bundle, graphInfo(model), null);
    const plan = await matchValues(named, graph, named.feeds, () => undefined);
    const result = await compareStages({ plan, model, runner, variants: runner, thorough: false, onStep: () => undefined });
    const coverage = coverageOf(plan);
    const { firstDivergence, stages } = result;
    const valueOf = Object.fromEntries(stages.map(({ name, value }) => [name, value]));
    return { coverage, verdict: outcomeOf(result.verdict, coverage), firstDivergence, stages, valueOf };
  } finally {
    await graph.release();
  }
}

describe('a small network by both exporters of PyTorch', () => {
  const bundle = readBundle(fixture('torch_leaves.zip'));
  const open = (name: string): ModelProto =>
    parseOnnx(fixture(name), name, findAmong([{ name: 'torch_dynamo.onnx.data', bytes: fixture('torch_dynamo.onnx.data') }], name));

  it.each([
    ['torch_script.onnx', { '0': '/0/Gemm_output_0', '1': '/1/Mul_1_output_0', '2': '/2/LayerNormalization_output_0', '3': 'y', output: 'y' }],
    ['torch_dynamo.onnx', { '0': 'linear', '1': 'gelu', '2': 'layer_norm', '3': 'y', output: 'y' }],
  ])('%s: every stage is found by its module', async (name, expected) => {
    const { coverage, verdict, valueOf } = await compareWith(bundle, open(name));
    expect(coverage).toEqual({ compared: 5, total: 5, isOutputCompared: true, uncompared: [] });
    expect(verdict).toBe('pass');
    expect(valueOf).toEqual(expected);
  });

  it('blames the first linear layer of the faulty export', async () => {
    const { verdict, firstDivergence, stages } = await compareWith(bundle, open('torch_script_fault.onnx'));
    expect({ verdict, firstDivergence }).toEqual({ verdict: 'fail', firstDivergence: '0' });
    expect(stages[0]).toMatchObject({ inherited: false, uncomparedBefore: [] });
  });
});

describe('a network of 48 modules by both exporters of PyTorch', () => {
  const exports = unzipSync(fixture('torch_network_exports.zip'));
  const bundle = readBundle(fixture('torch_network.zip'));
  const files = Object.entries(exports).map(([name, bytes]) => ({ name, bytes }));
  const open = (name: string): ModelProto => parseOnnx(exports[name]!, name, findAmong(files, name));
  const MERGED = ['front.0', 'front.3', 'residual.conv1', 'residual.conv2'];

  it.each([
    ['script_unfused.onnx', []],
    // The last state of the GRU, which the network does not use, is not in the graph.
    ['dynamo_unfused.onnx', ['gru@1']],
    ['script.onnx', MERGED],
    ['dynamo.onnx', [...MERGED, 'gru@1']],
  ])('%s: finds all stages that the graph still computes', async (name, missing) => {
    const { coverage, verdict, stages } = await compareWith(bundle, open(name));
    expect(coverage.uncompared.map((stage) => stage.name)).toEqual(missing);
    expect(coverage).toMatchObject({ compared: 49 - missing.length, total: 49, isOutputCompared: true });
    expect(verdict).toBe('pass');
    // The goldens belong to the same module, not to another with similar values.
    expect(Math.max(...stages.map(({ maxAbs }) => maxAbs ?? Infinity))).toBeLessThan(1e-4);
  });

  it.each([
    ['script.onnx', 'front.0', 'front.1'],
    ['dynamo.onnx', 'residual.conv2', 'residual.bn2'],
  ])('%s: a convolution is not compared if its batch norm was merged with it', async (name, convolution, norm) => {
    const { coverage } = await compareWith(bundle, open(name));
    expect(coverage.uncompared).toContainEqual({ name: convolution, mergedWith: norm });
    expect(countText(coverage)).toBe(`${coverage.compared} of 49 stages, and 4 as part of another`);
    expect(coverage.compared + mergedCount(coverage)).toBeGreaterThanOrEqual(0.95 * coverage.total);
  });

  it.each(['script.onnx', 'dynamo.onnx'])('%s: distinguishes the runs of one module', async (name) => {
    const { valueOf } = await compareWith(bundle, open(name));
    expect(valueOf['residual.act']).not.toBe(valueOf['residual.act#2']);
    expect(valueOf.residual).toBe(valueOf['residual.act#2']);
  });

  it.each(['script.onnx', 'dynamo.onnx'])('%s: a fault in a merged convolution ends at the batch norm, with the gap', async (name) => {
    const model = open(name);
    const isConvolution = (op: string): boolean => op === 'Conv';
    const [, second] = graphInfo(model).nodes.filter(({ op }) => isConvolution(op));
    const weights = model.graph!.initializer.find((tensor) => tensor.name === second!.inputs[1])!;
    const values = new Float32Array(new Uint8Array(weights.rawData).buffer).map((value) => -value);
    const { firstDivergence, stages } = await compareWith(bundle, replaceWeights(model, new Map([[weights.name, values]])));
    expect(firstDivergence).toBe('front.4');
    expect(stages.find((stage) => stage.name === 'front.4')?.uncomparedBefore).toEqual(['front.3']);
  });

  it('names the stages between the goldens and a divergence', async () => {
    const model = open('script_unfused.onnx');
    // As in a graph whose exporter wrote no modules: only the ends have names.
    const ends = new Set(['front.2', 'head.1', 'output']);
    const stages = bundle.stages.map((stage) => (ends.has(stage.name) ? stage : { ...stage, name: `unknown ${stage.name}`, data: stage.data.map((value) => value + 1) }));
    const { coverage, verdict, firstDivergence, stages: reports } = await compareWith({ ...bundle, stages }, model);
    expect(coverage).toMatchObject({ compared: 3, total: 49, isOutputCompared: true });
    expect({ verdict, firstDivergence }).toEqual({ verdict: 'incomplete', firstDivergence: null });
    const gap = reports.find(({ name }) => name === 'head.1')!.uncomparedBefore;
    expect(gap[0]).toBe('unknown front.3');
    expect(gap.at(-1)).toBe('unknown head.0');
  });

  it('finds a stage by its values if no name matches', async () => {
    const stages = bundle.stages.map((stage) => (stage.name === 'blocks.1.norm2' ? { ...stage, name: 'second norm' } : stage));
    const { valueOf, stages: reports, coverage } = await compareWith({ ...bundle, stages }, open('dynamo_unfused.onnx'));
    expect(coverage.compared).toBe(48);
    expect(valueOf['second norm']).toBe('layer_norm_3');
    expect(reports.find(({ name }) => name === 'second norm')?.notes.join()).toContain('golden values');
  });
});

it('maps a stage with the name of an output to that output, not to the module of that name', () => {
  const model = parseOnnx(readFileSync('e2e/fixtures/foreign/two_inputs.onnx'), 'two_inputs.onnx');
  const bundle = readBundle(readFileSync('e2e/fixtures/foreign/two_inputs.zip'));
  const { stages } = makePlan(bundle, graphInfo(model), null);
  expect(stages.find(({ golden }) => golden.name === 'scores')).toMatchObject({ value: 'scores', foundBy: 'name' });
});
