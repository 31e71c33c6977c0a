import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { beforeAll, describe, expect, it } from 'vitest';
import { build, float, node } from '../../test/onnx/build';
import { encodeOnnx } from '../onnx/model';
import { VoxlaneError } from '../util/errors';
import { KNOWN_MODELS } from '../store/manifest';
import { Comparison } from './comparison';
import { writeBundle, writeNpy } from './files/write';

/** Manifests of the known models, without a server. */
const models = Object.fromEntries(
  Object.keys(KNOWN_MODELS).map((id) => [
    `${id}/manifest.json`,
    `data:application/json,${encodeURIComponent(readFileSync(`models/${id}/manifest.json`, 'utf8'))}`,
  ]),
);
const tensor = (name: string) => ({ name, axes: ['frame'], shape: [2], data: Float32Array.of(1, 2) });
const graph = encodeOnnx(
  build({
    node: [node('Relu', ['x'], ['/encoder/act/Relu_output_0']), node('Tanh', ['/encoder/act/Relu_output_0'], ['/head/Tanh_output_0']), node('Exp', ['/head/Tanh_output_0'], ['scores'])],
    input: [float('x', 2)],
    output: [float('scores', 2)],
  }),
);
const goldens = writeBundle({
  model: 'foreign',
  source: {},
  inputs: [tensor('x')],
  stages: [tensor('hidden'), tensor('scores')],
  tolerance: { maxAbs: 0.01, cosine: 0.999 },
});

describe('mapStage, the --map of the command', () => {
  const comparison = new Comparison({ models, goldens: {}, runtime: {}, threads: 1 });
  beforeAll(async () => {
    await comparison.open([{ name: 'net.onnx', bytes: graph }, { name: 'net.zip', bytes: goldens }]);
  });

  it.each([
    ['hidden', '/head/tanh_output', 'The graph has no value /head/tanh_output', /^The closest are \/head\/Tanh_output_0, .*; compare --list prints all of them/],
    ['hidden', 'score', 'The graph has no value score', /^The closest are scores, /],
    ['hiden', 'scores', 'The goldens have no stage hiden', /^The closest are hidden, /],
  ])('suggests corrections for %s=%s', async (stage, value, problem, remedy) => {
    await expect(comparison.mapStage(stage, value)).rejects.toMatchObject({ code: 'options', problem, remedy: expect.stringMatching(remedy) as string });
  });

  it('accepts a value of the graph', async () => {
    const { goldens: opened } = await comparison.mapStage('hidden', '/head/Tanh_output_0');
    expect(opened?.stages.map(({ name, value }) => [name, value])).toEqual([['hidden', '/head/Tanh_output_0'], ['scores', 'scores']]);
  });
});

it.each([
  ['tensors without the names of the graph', { name: 'a.npz', bytes: zipSync({ 'arr_0.npy': writeNpy(tensor('x')) }) }, /^a\.npz was treated as a checkpoint/],
  ['a bundle without stages', { name: 'a.zip', bytes: writeBundle({ model: 'foreign', source: {}, inputs: [tensor('x')], stages: [], tolerance: { maxAbs: 1, cosine: 0 } }) }, /^The golden bundle has no stages/],
])('explains why %s cannot be compared', async (_, file, problem) => {
  const comparison = new Comparison({ models, goldens: {}, runtime: {}, threads: 1 });
  await comparison.open([{ name: 'net.onnx', bytes: graph }, file]);
  await expect(comparison.compare('wasm', { thorough: false }, () => undefined)).rejects.toMatchObject({ code: 'options', problem: expect.stringMatching(problem) as string });
});

it('keeps the open files if opening other files is canceled', async () => {
  const comparison = new Comparison({ models, goldens: {}, runtime: {}, threads: 1 });
  await comparison.open([{ name: 'net.onnx', bytes: graph }, { name: 'net.zip', bytes: goldens }]);
  const cancelled = new VoxlaneError({ code: 'cancelled', problem: 'Cancelled' });
  const other = encodeOnnx(build({ node: [node('Neg', ['x'], ['scores'])], input: [float('x', 2)], output: [float('scores', 2)] }));
  await expect(comparison.open([{ name: 'other.onnx', bytes: other }], () => Promise.reject(cancelled))).rejects.toBe(cancelled);
  const { goldens: opened } = await comparison.mapStage('hidden', '/head/Tanh_output_0');
  expect(opened?.stages).toHaveLength(2);
});
