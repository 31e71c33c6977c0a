import { describe, expect, it } from 'vitest';
import type { LstmNode } from '../../onnx/weights';
import type { LayerWeight } from './context';
import { findCauses } from './findCauses';
import { contextOf, expectCauses, stageNamed, STAGES } from '../../../test/compare/planted';

const weight = (name: string, shape: number[], value: number, nodes: string[]): LayerWeight => ({
  name,
  shape,
  values: new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(value),
  nodes,
});

describe('not-finite', () => {
  it.each(STAGES)('finds one NaN in $name, and its position', async (stage) => {
    const { data, shape } = stage;
    const cause = await expectCauses(contextOf(stage, { data: data.with(data.length - 1, NaN) }), 'not-finite');
    expect(cause.values).toEqual({ side: 'ours', nanCount: 1, infCount: 0, index: shape.map((size) => size - 1) });
  });

  it('counts them, and names the first', async () => {
    const stage = stageNamed('lstm');
    const data = stage.data.with(256 * 3 + 7, -Infinity).with(256 * 4, NaN).with(256 * 5, NaN);
    const cause = await expectCauses(contextOf(stage, { data }), 'not-finite');
    expect(cause.evidence).toContain('the computed output has 2 NaN and 1 infinite of 29440 values');
    expect(cause.evidence).toContain('the first at (batch, frame, channel) = (0, 3, 7)');
  });

  it('counts only those that the other side does not have at the same position', async () => {
    const stage = stageNamed('lstm');
    const masked = stage.data.with(0, -Infinity).with(1, NaN);
    const golden = { shape: stage.shape, data: masked };
    const cause = await expectCauses(contextOf(stage, { data: masked.with(256, Infinity) }, { golden }), 'not-finite');
    expect(cause.values).toMatchObject({ side: 'ours', nanCount: 0, infCount: 1, index: [0, 1, 0] });
    // The error is elsewhere, in finite values.
    expect(await findCauses(contextOf(stage, { data: masked.with(256, 100) }, { golden }))).toEqual([]);
  });

  it('reports a weight that has them, but not a mask of 0 and −∞', async () => {
    const stage = stageNamed('linear1');
    const mask = { ...weight('mask', [2, 2], 0, ['Add']), values: Float32Array.of(0, -Infinity, 0, 0) };
    const broken = { ...weight('w', [2, 2], 0.5, ['MatMul']), values: Float32Array.of(0.5, -Infinity, 0.5, 0.5) };
    const context = contextOf(stage, { data: stage.data.map((_, index) => Math.sin(index % 128)) });
    const cause = await expectCauses({ ...context, layer: { weights: [mask, broken], lstms: [] } }, 'not-finite');
    expect(cause.values).toMatchObject({ side: 'weight', weight: 'w', count: 1 });
    expect(await findCauses({ ...context, layer: { weights: [mask], lstms: [] } })).toEqual([]);
  });

  it('reports that the golden tensor has them', async () => {
    const stage = stageNamed('lstm');
    const golden = { shape: stage.shape, data: stage.data.with(0, NaN) };
    const cause = await expectCauses(contextOf(stage, {}, { golden }), 'not-finite');
    expect(cause.values.side).toBe('golden');
  });
});

describe('all-zeros', () => {
  it.each(STAGES)('finds $name all zero, on either side, and reports no other cause', async (stage) => {
    const zeros = { shape: stage.shape, data: new Float32Array(stage.data.length) };
    expect((await expectCauses(contextOf(stage, zeros), 'all-zeros')).values.side).toBe('ours');
    expect((await expectCauses(contextOf(stage, {}, { golden: zeros }), 'all-zeros')).values.side).toBe('golden');
  });
});

describe('zero-weights', () => {
  const stage = stageNamed('linear1');
  const loaded = weight('linear.0.bias', [128], 0, ['/linear.0/Add']);
  const zero = weight('linear.0.weight', [256, 128], 0, ['/linear.0/MatMul']);

  it('reports the weight and its node, instead of the zeros in the output', async () => {
    const context = contextOf(stage, { data: new Float32Array(stage.data.length) });
    const cause = await expectCauses({ ...context, layer: { weights: [loaded, zero], lstms: [] } }, 'zero-weights');
    expect(cause.evidence).toContain('the weight linear.0.weight (256, 128) of the node /linear.0/MatMul');
    expect(cause.values).toMatchObject({ weight: 'linear.0.weight', node: '/linear.0/MatMul' });
  });

  it('reports it even if a bias makes the output nonzero', async () => {
    const data = stage.data.map((_, index) => Math.sin(index % 128));
    await expectCauses({ ...contextOf(stage, { data }), layer: { weights: [zero], lstms: [] } }, 'zero-weights');
  });

  it('reports it beside the NaN that it may cause', async () => {
    const data = new Float32Array(stage.data.length).fill(NaN);
    const context = { ...contextOf(stage, { data }), layer: { weights: [zero], lstms: [] } };
    await expectCauses(context, 'zero-weights', 'not-finite');
  });

  it('accepts zero biases and a zero initial state of an LSTM', async () => {
    const lstm: LstmNode = { node: 'LSTM', w: 'w', r: 'r', b: 'b', hidden: 2, directions: 2, direction: 'bidirectional' };
    const state = weight('h0', [2, 1, 2], 0, ['LSTM']);
    const weights = [weight('w', [2, 8, 3], 1, ['LSTM']), weight('r', [2, 8, 2], 1, ['LSTM']), state];
    const context = contextOf(stage, { data: new Float32Array(stage.data.length) });
    await expectCauses({ ...context, layer: { weights: [...weights, loaded], lstms: [lstm] } }, 'all-zeros');
    const unloaded = [...weights, weight('r', [2, 8, 2], 0, ['LSTM'])];
    await expectCauses({ ...context, layer: { weights: unloaded, lstms: [lstm] } }, 'zero-weights');
  });

  it('does not report correct zeros if something else explains the error', async () => {
    const data = stage.data.map((value) => 2 * value);
    await expectCauses({ ...contextOf(stage, { data }), layer: { weights: [zero], lstms: [] } }, 'scaled');
  });
});
