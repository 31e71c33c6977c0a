/** Thorough comparisons of graphs that depend on the batch or on chance. */
import { describe, expect, it } from 'vitest';
import { graphInfo } from '../onnx/model';
import type { ModelProto } from '../onnx/onnx_pb';
import { build, float, int, ints, node } from '../../test/onnx/build';
import type { GoldenBundle } from './files/bundle';
import { GraphRunner } from './graphRunner';
import { makePlan } from './plan';
import type { StageReport } from './report';
import { compareStages } from './run';
import { openNodeSession } from '../../test/compare/nodeSession';

const X = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i + 1));

/** Compares a graph with one stage `y` of its input `x`, (batch, frame, channel). */
async function look(model: ModelProto, golden: Float32Array, thorough: boolean): Promise<StageReport> {
  const axes = ['batch', 'frame', 'channel'];
  const bundle: GoldenBundle = {
    model: 'toy',
    source: {},
    notes: [],
    graph: null,
    inputs: [{ name: 'x', axes, shape: [1, 4, 3], data: X }],
    stages: [{ name: 'y', value: null, axes, shape: [1, 4, 3], data: golden, tolerance: { maxAbs: 0.01, cosine: 0.999 } }],
  };
  const runner = { graph: new GraphRunner(model, { open: openNodeSession }), features: null };
  const plan = makePlan(bundle, graphInfo(model), null);
  const result = await compareStages({ plan, model, runner, variants: runner, thorough, onStep: () => undefined });
  return result.stages[0]!;
}

const model = (nodes: Parameters<typeof build>[0]['node'], batch: number | null = null): ModelProto =>
  build({ node: nodes!, input: [float('x', batch, 4, 3)], output: [float('y', batch, 4, 3)] });

/** Twice subtracts the mean over the batch and adds it again: correct for one item, wrong for several. */
const mixing = model([
  node('ReduceMean', ['x'], ['mean'], { attribute: [ints('axes', 0), int('keepdims', 1)] }),
  node('Sub', ['x', 'mean'], ['centered']),
  node('Add', ['x', 'centered'], ['y']),
]);
const random = model([
  node('RandomNormalLike', ['x'], ['noise']),
  node('Add', ['x', 'noise'], ['y']),
]);

describe('a thorough comparison', () => {
  it('finds a stage that depends on the batch, though it passes', async () => {
    expect(await look(mixing, X, true)).toMatchObject({ verdict: 'pass', causes: [{ id: 'batch-dependent' }] });
    expect(await look(mixing, X, false)).toMatchObject({ verdict: 'pass', causes: [] });
  });

  it('reports nothing for a stage that does not, or for a graph with fixed batch size', async () => {
    const doubled = X.map((value) => 2 * value);
    for (const batch of [null, 1]) {
      expect(await look(model([node('Add', ['x', 'x'], ['y'])], batch), doubled, true)).toMatchObject({ verdict: 'pass', causes: [] });
    }
  });

  it('finds differences between runs, even in a normal comparison if the stage fails', async () => {
    const { verdict, causes } = await look(random, X, false);
    expect(verdict).toBe('fail');
    expect(causes.map(({ id }) => id)).toContain('run-to-run');
  });
});
