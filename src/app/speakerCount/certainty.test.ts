import { describe, expect, test } from 'vitest';
import { countWithAlternatives, unmetBounds } from './text';

const unmet = null;

describe('the number of speakers in words', () => {
  test('includes only likely alternatives', () => {
    const alternatives = [{ value: 5, score: 0.3 }, { value: 7, score: 0.02 }];
    expect(countWithAlternatives({ value: 6, alternatives, unmet })).toBe('6 speakers, possibly 5');
    expect(countWithAlternatives({ value: 1, alternatives: [], unmet })).toBe('1 speaker');
    const many = [5, 7, 8].map((value) => ({ value, score: 0.2 }));
    expect(countWithAlternatives({ value: 6, alternatives: many, unmet })).toBe('6 speakers, possibly 5 or 7');
  });

  test('states which bound was not met', () => {
    const count = { value: 2, alternatives: [] };
    expect(unmetBounds({ ...count, unmet: null })).toBeNull();
    expect(unmetBounds({ ...count, unmet: { minSpeakers: 4, maxSpeakers: null } })).toBe('Requested at least 4, found 2.');
    expect(unmetBounds({ ...count, unmet: { minSpeakers: 3, maxSpeakers: 3 } })).toBe('Requested 3, found 2.');
    expect(unmetBounds({ ...count, unmet: { minSpeakers: null, maxSpeakers: 1 } })).toBe('Requested at most 1, found 2.');
  });
});
