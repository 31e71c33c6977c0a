/** Zeroed weights of one layer in the bundled models. */
import { describe, expect, it } from 'vitest';
import { StageGraph } from '../../../test/compare/stageGraph';
import { BUNDLES, expectCauses, stageNamed, waveformTensorOf } from '../../../test/compare/planted';

const [SEGMENTATION, CAMPPLUS] = BUNDLES;
const stage = (model: string, name: string, before: string): StageGraph =>
  new StageGraph(model, name, stageNamed(name), { name: before, tensor: stageNamed(before) });

const waveform = { name: 'waveform', tensor: waveformTensorOf(SEGMENTATION) };
const linear2 = { name: 'linear2', tensor: stageNamed('linear2') };
const features = { name: 'features', tensor: stageNamed('fbank') };

const GRAPHS = {
  sincnet: new StageGraph(SEGMENTATION, 'sincnet', stageNamed('sincnet'), waveform),
  linear1: stage(SEGMENTATION, 'linear1', 'lstm'),
  classifier: new StageGraph(SEGMENTATION, 'scores', stageNamed('classifier'), linear2),
  head: new StageGraph(CAMPPLUS, 'head', stageNamed('head'), features),
  tdnn: stage(CAMPPLUS, 'tdnn', 'head'),
};

describe.each(Object.entries(GRAPHS))('%s', (name, graph) => {
  it('returns the golden values with its own weights, and no cause', async () => {
    const { actual, golden, tolerance } = await graph.planted(new Map());
    expect(actual.shape).toEqual(golden.shape);
    expect(actual.data.every((value, index) => Math.abs(value - golden.data[index]!) <= tolerance.maxAbs)).toBe(true);
  });

  const matrices = [...graph.weights.values()].filter(({ shape, values }) => shape.length > 1 && values.length > 1);

  it(`has weights to zero`, () => {
    expect(matrices.length, name).toBeGreaterThan(0);
  });

  it.each(matrices.slice(0, 4))('names $name', async ({ name: weight, values, nodes }) => {
    const context = await graph.planted(new Map([[weight, new Float32Array(values.length)]]));
    const cause = await expectCauses(context, 'zero-weights');
    expect(cause.values).toMatchObject({ weight, node: nodes[0] });
  });
});
