import { expect, test } from 'vitest';
import { planWorkers } from './backend';

test('every core has an embedding worker, and in a fast run also a segmentation worker', () => {
  expect(planWorkers(2, 'exact', true)).toEqual({ segmentation: { workers: 1, threads: 1 }, embedding: { workers: 2, threads: 1 } });
  expect(planWorkers(2, 'fast', true)).toEqual({ segmentation: { workers: 2, threads: 1 }, embedding: { workers: 2, threads: 1 } });
});

test('above the maximum number of workers, each has several threads if the page is isolated', () => {
  expect(planWorkers(8, 'exact', true).embedding).toEqual({ workers: 8, threads: 1 });
  expect(planWorkers(8, 'exact', true, 4).embedding).toEqual({ workers: 4, threads: 2 });
  expect(planWorkers(8, 'exact', false, 4).embedding).toEqual({ workers: 4, threads: 1 });
});

test('one core has one worker per stage', () => {
  expect(planWorkers(1, 'exact', false)).toEqual(planWorkers(1, 'fast', true));
});
