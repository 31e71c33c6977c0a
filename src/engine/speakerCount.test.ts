import { describe, expect, test } from 'vitest';
import { speakerCountOf } from './speakerCount';

const COUNTS = [
  { value: 6, score: 0.7 },
  { value: 5, score: 0.2 },
  { value: 8, score: 0.1 },
];
const ANY = { minSpeakers: 1, maxSpeakers: Infinity };

describe('the number of speakers', () => {
  test('has the other likely numbers within the bounds as alternatives', () => {
    expect(speakerCountOf(6, COUNTS, ANY)).toEqual({ value: 6, alternatives: COUNTS.slice(1), unmet: null });
    expect(speakerCountOf(6, COUNTS, { minSpeakers: 6, maxSpeakers: 7 })).toEqual({ value: 6, alternatives: [], unmet: null });
    expect(speakerCountOf(5, COUNTS, ANY).alternatives.map(({ value }) => value)).toEqual([6, 8]);
  });

  test('reports the bounds that it does not meet', () => {
    expect(speakerCountOf(2, [], { minSpeakers: 4, maxSpeakers: Infinity }).unmet).toEqual({ minSpeakers: 4, maxSpeakers: null });
    expect(speakerCountOf(2, [], { minSpeakers: 3, maxSpeakers: 3 }).unmet).toEqual({ minSpeakers: 3, maxSpeakers: 3 });
    expect(speakerCountOf(3, [], { minSpeakers: 1, maxSpeakers: 2 }).unmet).toEqual({ minSpeakers: null, maxSpeakers: 2 });
  });

  test('is 0 for silence, which misses no bound', () => {
    expect(speakerCountOf(0, [], ANY).unmet).toBeNull();
  });
});
