/** Bundles that were once misjudged, and others whose verdict must not change, on the WASM runtime in Node. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ALL_CASES, NO_CASES, CASES, runBundle, runCase, type Case } from '../../test/compare/caseRun';
import { failureOf } from '../../test/compare/failure';

import { graphInfo, parseOnnx } from '../onnx/model';
import { readGoldens } from './files/goldenFiles';
import { sortFiles } from './openModel';
import { itUnless } from '../../test/skips';

/** Name and verdict of each stage, or `inherits`. */
const stagesOf = ({ run }: Case): string[] =>
  run.stages.map(({ name, verdict, inherited }) => `${name} ${inherited ? 'inherits' : verdict}`);

describe('errors are judged at the scale of the stage', () => {
  itUnless(NO_CASES)(`passes values of a million that differ by rounding`, async () => {
    const large = await runCase('large_values', undefined, ALL_CASES);
    expect(large.run.stages.at(-1)!.maxAbs).toBeGreaterThan(1);
    expect(stagesOf(large)).toEqual(['a pass', 'b pass', 'y pass']);
  });

  it('fails values of a thousandth that are all wrong, at the first stage', async () => {
    const small = await runCase('small_values', 'small_values_fault.onnx');
    expect(small.run.stages[0]!.maxAbs).toBeLessThan(0.01);
    expect(small.run.firstDivergence).toBe('a');
    expect(stagesOf(small)).toEqual(['a fail', 'r inherits', 'y inherits']);
    expect(small.run.stages.flatMap(({ causes }) => causes.map(({ id }) => id))).not.toContain('accumulated');
  });

  it.each(['ln_eps', 'ln_eps_small_var', 'ln_eps_strict', 'gelu_tanh'])('fails %s, whose error is small but not rounding', async (name) => {
    expect(stagesOf(await runCase(name))).toEqual(['y fail']);
  });

  it('treats equal infinities as equal, and injects them', async () => {
    const masked = await runCase('neginf');
    expect(stagesOf(masked)).toEqual(['a pass', 'y pass']);
    expect(masked.run.stages[0]!.infCount).toBe(6);
    expect(masked.run.stages[1]).toMatchObject({ forced: { verdict: 'pass' }, notes: [] });
  });
});

it('blames each of two branches that are wrong', async () => {
  const parallel = await runCase('parallel');
  expect(stagesOf(parallel)).toEqual(['a fail', 'b fail']);
  expect(parallel.run.firstDivergence).toBe('a');
});

it.each([
  ['ok', 'gather.onnx', ['e pass', 'y pass']],
  ['loop', undefined, ['w pass', 'l pass', 'y pass']],
  ['function', undefined, ['u pass', 'y pass']],
  ['contrib', undefined, ['u pass', 'y pass']],
  ['random', undefined, ['y fail']],
  ['swapped_inputs', undefined, ['y fail']],
  ['stage_is_input', undefined, ['y pass']],
  ['extra_input', undefined, ['y pass']],
])('keeps %s right', async (name, graph, stages) => {
  expect(stagesOf(await runCase(name, graph))).toEqual(stages);
});

describe('values keep their type', () => {
  it.each([
    ['hash_ids', ['b pass', 'y pass']],
    ['double_threshold', ['c pass', 'y pass']],
    ['empty_past', ['present pass', 'y pass']],
  ])('in %s', async (name, stages) => {
    const { run, bundle } = await runCase(name);
    expect(run.stages.map((stage) => `${stage.name} ${stage.verdict}`)).toEqual(stages);
    expect(bundle.notes).toEqual([]);
  });

  it.each([
    ['big_ids', /1099511627776/],
    ['float_ids', /input ids is int64.*whole numbers/],
    ['range_ids', /10/],
  ])('and a value that the graph cannot accept ends %s with its name', async (name, problem) => {
    const error = await runCase(name, 'gather.onnx').catch((cause: unknown) => cause);
    expect(String(error)).toMatch(problem);
  });
});

it('reports a stage that is a sequence, and compares the others', async () => {
  const sequence = await runCase('sequence_stage');
  expect(stagesOf(sequence)).toEqual(['y pass']);
  expect(sequence.plan.skipped).toMatchObject([{ golden: { name: 'sq' }, kind: 'a sequence' }]);
});

it('rejects an archive of text goldens with a reason', () => {
  const file = { name: 'text.npz', bytes: new Uint8Array(readFileSync(join(CASES, 'text.npz'))) };
  const { goldens } = sortFiles([file], (name) => name === 'y');
  const error = failureOf(() => readGoldens(goldens, []));
  expect(error.code).toBe('format');
  expect(error.problem).toMatch(/text/);
});

it.each(['ok.npz', 'ok.safetensors'])('reads %s', async (file) => {
  const graph = readFileSync(join(CASES, 'gather.onnx'));
  const inputs = graphInfo(parseOnnx(graph, 'gather.onnx')).inputs.map(({ name }) => name);
  const bundle = readGoldens([{ name: file, bytes: readFileSync(join(CASES, file)) }], [], inputs);
  expect(stagesOf(await runBundle(bundle, graph))).toEqual(['e pass', 'y pass']);
});

it.each([
  ['missing_input', 'gather.onnx', /ids/],
  ['wrong_shape_in', 'gather.onnx', /ids|shape|rank/i],
  ['unknown_op', undefined, /operator/],
])('rejects %s with the reason', async (name, graph, reason) => {
  await expect(runCase(name, graph)).rejects.toMatchObject({ name: 'VoxlaneError', problem: expect.stringMatching(reason) as string });
});

it.each([
  ['broken.onnx', /broken\.onnx/],
  ['html.onnx', /html\.onnx.*(HTML|web page)/i],
  ['lfs.onnx', /lfs\.onnx.*(LFS|pointer)/i],
])('rejects %s and describes it', (file, problem) => {
  expect(failureOf(() => parseOnnx(readFileSync(join(CASES, file)), file)).problem).toMatch(problem);
});

itUnless(NO_CASES)(`passes a convolution of silero-vad that WebGPU computes wrongly`, async () => {
  expect(stagesOf(await runCase('silero_conv_webgpu', undefined, ALL_CASES)).every((stage) => stage.endsWith(' pass'))).toBe(true);
});
