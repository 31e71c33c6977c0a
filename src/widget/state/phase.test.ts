import { describe, expect, it } from 'vitest';
import { overallProgress, type StageProgress } from './phase';

const at = (stages: Readonly<Record<string, readonly [number, number, (number | null)?]>>): StageProgress =>
  Object.fromEntries(
    Object.entries(stages).map(([stage, [completed, total, secondsLeft = null]]) => [stage, { stage, completed, total, secondsLeft }]),
  );

describe('one bar for many stages', () => {
  it('shows 0 until the last model has begun', () => {
    expect(overallProgress({})).toMatchObject({ step: 'loading', fraction: 0 });
    expect(overallProgress(at({ decode: [21, 21], segmentation: [16, 21] }))).toMatchObject({ step: 'segmentation', fraction: 0 });
  });

  it('shows the fraction of the slowest stage', () => {
    const { step, fraction } = overallProgress(at({ decode: [21, 21, 0], segmentation: [21, 21, 0], fbank: [20, 21, 0], embedding: [7, 14, 3] }));
    expect(step).toBe('embedding');
    expect(fraction).toBeCloseTo(0.49);
  });

  it('estimates the remaining time once every stage can', () => {
    expect(overallProgress(at({ segmentation: [1, 2, 9], embedding: [1, 4, null] })).secondsLeft).toBeNull();
    expect(overallProgress(at({ segmentation: [1, 2, 9], embedding: [1, 4, 3] })).secondsLeft).toBe(9);
  });

  it('does not reach its end before the result', () => {
    expect(overallProgress(at({ embedding: [4, 4], segmentation: [4, 4], clustering: [0, 1] }))).toMatchObject({ step: 'clustering', fraction: 0.98 });
  });
});
