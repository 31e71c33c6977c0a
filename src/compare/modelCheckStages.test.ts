import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SHIPPED_MODELS } from '../store/manifest';
import { readBundle, type GoldenStage } from './files/bundle';
import type { Tolerance } from './compare';
import { embeddingStage, featureStage, selfCheck, scoreStage, type CompareStage, type StageCheck } from './modelCheck';

/** Checks one stage whose backend returns `actual`. */
async function checkOf(stage: GoldenStage, actual: readonly number[]): Promise<StageCheck> {
  const run = (compare: CompareStage): Promise<void> => {
    compare(stage.name, Float32Array.from(actual));
    return Promise.resolve();
  };
  const { stages } = await selfCheck({ model: 'm', backend: 'webgpu' }, 1, run, { stages: [stage] });
  return stages[0]!;
}

const stageWith = (values: readonly number[], tolerance: Tolerance): GoldenStage => ({
  ...scoreStage('classifier', Float32Array.from(values)),
  tolerance,
});

test('an error above the absolute bound fails, even if rounding could explain it', async () => {
  const tolerance = { maxAbs: 0.01, cosine: 0.999, rtol: 1e-4 };
  expect(await checkOf(stageWith([5000, -4000], tolerance), [5000.05, -4000])).toMatchObject({ passed: false });
  expect(await checkOf(stageWith([5000, -4000], tolerance), [5000.005, -4000])).toMatchObject({ passed: true });
});

test.each([
  ['features', featureStage],
  ['scores', scoreStage],
  ['embeddings', embeddingStage],
])('NaN or infinite %s fail, even if the reference has the same values', async (_, stageOf) => {
  for (const value of [NaN, Infinity, -Infinity]) {
    const same = await checkOf(stageOf('stage', Float32Array.of(1, value)), [1, value]);
    expect(same).toMatchObject({ passed: false, maxAbs: NaN });
    expect(await checkOf(stageOf('stage', Float32Array.of(1, 2)), [1, value])).toMatchObject({ passed: false });
    expect(await checkOf(stageOf('stage', Float32Array.of(1, value)), [1, 2])).toMatchObject({ passed: false });
  }
});

test.each(Object.keys(SHIPPED_MODELS))('the golden outputs of %s state an absolute bound for the self-check', (id) => {
  const { stages } = readBundle(readFileSync(`public/goldens/${id}.zip`));
  expect(stages.length).toBeGreaterThan(0);
  for (const { tolerance, data } of stages) {
    expect(tolerance.maxAbs).toBeLessThanOrEqual(0.01);
    expect(tolerance.cosine).toBeGreaterThanOrEqual(0.999);
    expect(data.every(Number.isFinite)).toBe(true);
  }
});
