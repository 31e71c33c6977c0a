import { describe, expect, it } from 'vitest';
import { exponentsOf, missedBounds } from './bounds';
import type { LengthFigures } from './measure';

/** Figures at the limits. */
const figures = (minutes: number, changes: Partial<LengthFigures> = {}): LengthFigures => ({
  minutes,
  durationSeconds: 60 * minutes,
  backend: { name: 'wasm', adapter: null, threads: 2 },
  wallSeconds: 6 * minutes,
  stageSeconds: { decode: minutes, segmentation: 2 * minutes, embedding: 3 * minutes, clustering: 60 },
  der: null,
  numSpeakers: 2,
  memory: { before: 2e8, peak: 15e8, after: 5e8, peakByStage: {} },
  longestTaskMs: 50,
  ...changes,
});
const stageSeconds = (minutes: number, changes: LengthFigures['stageSeconds']): Partial<LengthFigures> => ({
  stageSeconds: { ...figures(minutes).stageSeconds, ...changes },
});

describe('exponentsOf', () => {
  it('contains each stage and the total, and null for idle stages', () => {
    const exponents = exponentsOf([figures(3), figures(30)]);
    expect(exponents.embedding).toBeCloseTo(1, 9);
    expect(exponents.clustering).toBeCloseTo(0, 9);
    expect(exponents.wall).toBeCloseTo(1, 9);
    expect(exponents.fbank).toBeNull();
  });
});

describe('missedBounds', () => {
  it('accepts figures at the limits', () => {
    expect(missedBounds([figures(3), figures(30), figures(180)])).toEqual([]);
  });

  it('reports nonlinear stages except clustering', () => {
    const squared = [3, 30].map((minutes) => figures(minutes, stageSeconds(minutes, { embedding: minutes ** 2, clustering: minutes ** 2 / 100 })));
    expect(missedBounds(squared)).toEqual([expect.stringMatching(/^embedding: .* 2\.00/)]);
    const slow = [3, 30].map((minutes) => figures(minutes, { wallSeconds: minutes ** 1.2 }));
    expect(missedBounds(slow)).toEqual([expect.stringMatching(/^wall: .* 1\.20/)]);
  });

  it.each([
    [stageSeconds(10, { clustering: 61 }), 'clustering took 61 s'],
    [{ memory: { before: 2e8, peak: 16e8, after: 5e8, peakByStage: {} } }, 'memory rose to 1600 MB'],
    [{ memory: { before: 2e8, peak: 15e8, after: 6e8, peakByStage: {} } }, 'memory kept after the run 400 MB'],
    [{ longestTaskMs: 51 }, "a task of the page's thread took 51 ms"],
  ])('reports the length and the exceeded limit: %j', (changes, line) => {
    const missed = missedBounds([figures(3), figures(10, changes)]);
    expect(missed).toHaveLength(1);
    expect(missed[0]).toContain(`10 min: ${line}`);
  });
});
