import { expect, test } from 'vitest';
import { addCounts, countsSince } from './meter';

const counts = (dispatches: number, bytesUp = 0) => ({ dispatches, submits: dispatches, bytesUp, bytesBack: 4 * dispatches });

test('counts of several workers are summed by stage', () => {
  expect(addCounts([{ fbank: counts(1) }, { fbank: counts(2, 8), embedding: counts(5) }])).toEqual({
    fbank: counts(3, 8),
    embedding: counts(5),
  });
});

test('earlier counts are not counted again, and idle stages are omitted', () => {
  const before = { segmentation: counts(2), other: counts(1) };
  const now = { segmentation: counts(5, 16), other: counts(1), fbank: counts(1) };
  expect(countsSince(now, before)).toEqual({ segmentation: counts(3, 16), fbank: counts(1) });
});
