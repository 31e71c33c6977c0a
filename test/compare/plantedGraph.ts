/** Faults planted in small graphs. The golden values come from the correct graph. */
import { expect } from 'vitest';
import type { GoldenBundle, GoldenStage } from '../../src/compare/files/bundle';
import type { Cause, CauseId } from '../../src/compare/report';
import { encodeOnnx, graphOf } from '../../src/onnx/model';
import type { ModelProto } from '../../src/onnx/onnx_pb';
import { runModel, type Floats } from '../onnx/run';
import { runBundle } from './caseRun';

/** Expected outputs of the graph, as a bundle with these axis names. */
async function goldensOf(right: ModelProto, x: Floats, axes: readonly string[]): Promise<GoldenBundle> {
  const results = await runModel(right, { x });
  const stages = graphOf(right).output.map(({ name }): GoldenStage => {
    const { dims, data } = results[name]!;
    return {
      name,
      value: name,
      shape: dims,
      data: data as Float32Array,
      axes: dims.map((_, axis) => axes[axis] ?? `axis${axis}`),
      tolerance: { maxAbs: Infinity, cosine: -1 },
    };
  });
  const inputs = [{ name: 'x', ...x, axes: x.shape.map((_, axis) => `axis${axis}`) }];
  return { model: '', source: {}, inputs, stages, notes: [], graph: null };
}

/**
 * Compares a faulty graph with the golden values of the correct one and expects one cause in one stage. The correct graph
 * must have no causes.
 *
 * @param graphs both have one input, `x`, and the same outputs
 */
export async function expectPlanted(
  graphs: { readonly right: ModelProto; readonly faulty: ModelProto },
  x: Floats,
  id: CauseId,
  axes: readonly string[] = [],
): Promise<Cause> {
  const bundle = await goldensOf(graphs.right, x, axes);
  const clean = await runBundle(bundle, encodeOnnx(graphs.right));
  expect(clean.run.stages.map(({ verdict, causes }) => [verdict, causes])).toEqual(bundle.stages.map(() => ['pass', []]));
  const { run } = await runBundle(bundle, encodeOnnx(graphs.faulty));
  const causes = run.stages.filter(({ verdict, inherited }) => verdict === 'fail' && !inherited).flatMap((stage) => stage.causes);
  expect(causes.map((cause) => cause.id), causes.map(({ evidence }) => evidence).join('; ')).toEqual([id]);
  return causes[0]!;
}
