import { describe, expect, it } from 'vitest';
import type { LengthFigures } from '../scale/measure';
import { figuresOf } from './scale';

const figures = (minutes: number, changes: Partial<LengthFigures> = {}): LengthFigures => ({
  minutes,
  durationSeconds: 60 * minutes,
  backend: { name: 'wasm', adapter: null, threads: 2 },
  wallSeconds: 6 * minutes,
  stageSeconds: { segmentation: 2 * minutes, embedding: minutes ** 1.2, clustering: minutes ** 2 / 100 },
  der: null,
  numSpeakers: 2,
  memory: { before: 2e8, peak: 9e8, after: 3e8, peakByStage: {} },
  longestTaskMs: 0,
  ...changes,
});

describe('figuresOf', () => {
  it('returns the fastest-growing stage, except clustering, and the worst figures of all lengths', () => {
    const worse = figures(60, { longestTaskMs: 60, memory: { before: 2e8, peak: 11e8, after: 6e8, peakByStage: {} } });
    const values = figuresOf([worse, figures(120)]);
    expect(values['scale-growth']).toBeCloseTo(1.2, 9);
    expect(values).toMatchObject({ 'scale-clustering': 144, 'scale-memory': 1100, 'scale-kept': 400, 'scale-task': 60 });
  });
});
