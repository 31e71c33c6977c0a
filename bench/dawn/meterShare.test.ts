import { expect, it } from 'vitest';
import { addCounts, newCounts, takeCounts } from './meterShare';

it('adds counts of a stage from any thread, and takes them once', () => {
  const counts = newCounts();
  addCounts(counts, 'segmentation', { batches: 1, dispatches: 20, bytesUp: 2 ** 40 });
  addCounts(counts, 'segmentation', { dispatches: 20 });
  addCounts(counts, 'embedding', { submits: 3, bytesBack: 7 });
  const none = { batches: 0, dispatches: 0, submits: 0, bytesUp: 0, bytesBack: 0 };
  expect(takeCounts(counts)).toEqual({
    fbank: none,
    segmentation: { ...none, batches: 1, dispatches: 40, bytesUp: 2 ** 40 },
    embedding: { ...none, submits: 3, bytesBack: 7 },
  });
  expect(takeCounts(counts).segmentation).toEqual(none);
});
