import { expect, test } from 'vitest';
import { planWorkers } from './backend';

test('every core has an embedder, and in a fast run a segmenter too', () => {
  expect(planWorkers(2, 'exact', true)).toEqual({ segmentation: { workers: 1, threads: 1 }, embedding: { workers: 2, threads: 1 } });
  expect(planWorkers(2, 'fast', true)).toEqual({ segmentation: { workers: 2, threads: 1 }, embedding: { workers: 2, threads: 1 } });
});

test('beyond the most workers there are threads in each, where the page is isolated', () => {
  expect(planWorkers(8, 'exact', true).embedding).toEqual({ workers: 8, threads: 1 });
  expect(planWorkers(8, 'exact', true, 4).embedding).toEqual({ workers: 4, threads: 2 });
  expect(planWorkers(8, 'exact', false, 4).embedding).toEqual({ workers: 4, threads: 1 });
});

test('one core has one worker of each', () => {
  expect(planWorkers(1, 'exact', false)).toEqual(planWorkers(1, 'fast', true));
});
