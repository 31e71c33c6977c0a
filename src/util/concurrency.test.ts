import { expect, test } from 'vitest';
import { Semaphore } from './concurrency';

test('runs a limited number of tasks at a time in order, also if tasks fail', async () => {
  const semaphore = new Semaphore(2);
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const results = [0, 1, 2, 3].map((index) =>
    semaphore.run(() => {
      started.push(index);
      return new Promise<number>((resolve, reject) => {
        ends[index] = () => {
          if (index === 1) reject(new Error('failed'));
          else resolve(index);
        };
      });
    }),
  );
  const outcomes = Promise.allSettled(results);
  const turn = () => new Promise((resolve) => setTimeout(resolve));
  await turn();
  expect(started).toEqual([0, 1]);
  ends[1]!();
  await turn();
  expect(started).toEqual([0, 1, 2]);
  ends[0]!();
  await turn();
  expect(started).toEqual([0, 1, 2, 3]);
  ends[2]!();
  ends[3]!();
  expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  // All semaphore are free again.
  expect(await Promise.all([semaphore.run(() => Promise.resolve(4)), semaphore.run(() => Promise.resolve(5))])).toEqual([4, 5]);
});
