import { describe, expect, it } from 'vitest';
import type { Tensor } from '../tensor';
import { findCauses } from './findCauses';
import { contextOf, expectCauses, ROUNDING, stageNamed, withNoise } from '../../../test/compare/planted';

const STAGE = stageNamed('linear2');
const { shape, data } = STAGE;
/** An error that no detector recognizes. */
const WRONG: Tensor = { shape, data: withNoise(data, 1) };

const give =
  (tensor: Tensor | null, runs: { count: number } = { count: 0 }) =>
  (): Promise<Tensor> => {
    runs.count++;
    return Promise.resolve(tensor!);
  };

describe('run-to-run', () => {
  it('finds that an equal run returns different values', async () => {
    const cause = await expectCauses(contextOf(STAGE, WRONG, { again: give({ shape, data }) }), 'run-to-run');
    expect(cause.values.maxAbs).toBeCloseTo(1, 2);
    expect(cause.evidence).toMatch(/^a second, equal run differs by up to 1\.?\d*, but rounding explains at most 0\.0\d+$/);
  });

  it('finds it in a stage that passes this time', async () => {
    const [cause] = await findCauses(contextOf(STAGE, {}, { again: give(WRONG) }));
    expect(cause?.id).toBe('run-to-run');
  });

  it('lets runs differ by rounding, and handles runs that return NaN', async () => {
    const rounded = { shape, data: withNoise(WRONG.data, ROUNDING) };
    await expectCauses(contextOf(STAGE, WRONG, { again: give(rounded) }));
    const broken = { shape, data: WRONG.data.with(3, NaN) };
    const cause = await expectCauses(contextOf(STAGE, WRONG, { again: give(broken) }), 'run-to-run');
    expect(cause.evidence).toContain('differs in 1 value that only one of the two has as a number');
    await expectCauses(contextOf(STAGE, broken, { again: give(broken) }), 'not-finite');
  });

  it('makes no other runs on a backend with unstable results', async () => {
    const runs = { count: 0 };
    const lstm = { node: 'n', w: 'w', r: 'r', b: null, hidden: 1, directions: 1, direction: 'forward' };
    const others = { layer: { weights: [], lstms: [lstm] }, otherBatch: give(WRONG, runs), rerun: give(WRONG, runs) };
    await expectCauses(contextOf(STAGE, WRONG, { again: give({ shape, data }), ...others }), 'run-to-run');
    expect(runs.count).toBe(0);
  });
});

describe('batch-dependent', () => {
  it('finds that the batch size changes the first item, and which of the two is right', async () => {
    const cause = await expectCauses(contextOf(STAGE, WRONG, { otherBatch: give({ shape, data }) }), 'batch-dependent');
    expect(cause.evidence).toMatch(/^the first item at another batch size differs by up to 1.*; there it is 0 from golden$/);
  });

  it('compares the first item only', async () => {
    const item = shape.slice(1);
    const golden = { shape: [2, ...item], data: Float32Array.from([...data, ...data]) };
    const actual = { shape: [2, ...item], data: Float32Array.from([...data, ...WRONG.data]) };
    await expectCauses(contextOf(STAGE, actual, { golden, otherBatch: give({ shape, data }) }));
    await expectCauses(contextOf(STAGE, actual, { golden, otherBatch: give(WRONG) }), 'batch-dependent');
  });

  it('finds it in a stage that passes at this size', async () => {
    const [cause] = await findCauses(contextOf(STAGE, {}, { otherBatch: give(WRONG) }));
    expect(cause?.id).toBe('batch-dependent');
  });

  it('is skipped if the stage has no batch or the graph accepts no other size', async () => {
    await expectCauses(contextOf(STAGE, WRONG, { otherBatch: give({ shape, data }), axes: ['channel', 'frame', 'class'] }));
    await expectCauses(contextOf(STAGE, WRONG, { otherBatch: give(null) }));
  });

  it('is skipped if the values already show the cause', async () => {
    const runs = { count: 0 };
    const scaled = { shape, data: data.map((value) => 2 * value) };
    await expectCauses(contextOf(STAGE, scaled, { otherBatch: give(WRONG, runs) }), 'scaled');
    expect(runs.count).toBe(0);
  });
});

it('propagates errors of a run', async () => {
  const lost = new Error('device lost');
  await expect(findCauses(contextOf(STAGE, WRONG, { again: () => Promise.reject(lost) }))).rejects.toBe(lost);
  await expect(findCauses(contextOf(STAGE, WRONG, { otherBatch: () => Promise.reject(lost) }))).rejects.toBe(lost);
});
