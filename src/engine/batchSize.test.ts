import { describe, expect, test } from 'vitest';
import { findBatchSize, halvedToFit, windowsThatFit } from './backend';
import { MAX_WINDOWS } from './optionSchema';

describe('windows that fit', () => {
  const limits = (maxStorageBufferBindingSize: number, maxBufferSize: number) => ({ maxStorageBufferBindingSize, maxBufferSize });

  test('use the smaller limit, at least one and at most the maximum', () => {
    expect(windowsThatFit(limits(1000, 500), 100)).toBe(5);
    expect(windowsThatFit(limits(500, 1000), 100)).toBe(5);
    expect(windowsThatFit(limits(50, 50), 100)).toBe(1);
    expect(windowsThatFit(limits(2 ** 31, 2 ** 31), 100)).toBe(MAX_WINDOWS);
  });
});

describe('batch size', () => {
  const secondsWith = (fixed: number, perWindow: number, tried: number[] = []) => (size: number) => {
    tried.push(size);
    return Promise.resolve(fixed + perWindow * size);
  };

  test('grows while a window becomes cheaper', async () => {
    expect(await findBatchSize(32, secondsWith(0.1, 0.001))).toBe(32);
    expect(await findBatchSize(8, secondsWith(0.1, 0.001))).toBe(8);
  });

  test('stops at the size where doubling no longer pays', async () => {
    // Seconds per window at 1, 2, 4, 8: 0.32, 0.26, 0.23, 0.215; the last doubling gains 7 %.
    expect(await findBatchSize(32, secondsWith(0.01, 0.1))).toBe(1);
    expect(await findBatchSize(32, secondsWith(0.12, 0.2))).toBe(4);
  });

  test('a slow adapter is measured only once', async () => {
    const tried: number[] = [];
    expect(await findBatchSize(32, secondsWith(0, 9, tried))).toBe(1);
    expect(tried).toEqual([1]);
  });
});

describe('halving', () => {
  const isMemoryError = (error: unknown) => error === 'memory';

  test.each([1, 2, 3, 5, 8])('with room for %i, every window is computed once and in order', async (fits) => {
    const size = { current: 8 };
    const done: number[] = [];
    await halvedToFit(11, size, isMemoryError, (from, to) => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- represents an error of the GPU
      if (to - from > fits) return Promise.reject('memory');
      for (let window = from; window < to; window++) done.push(window);
      return Promise.resolve();
    });
    expect(done).toEqual(Array.from({ length: 11 }, (_, i) => i));
    expect(size.current).toBeLessThanOrEqual(fits);
  });

  test('throws for a single window that does not fit, and for other errors', async () => {
    const other = () => halvedToFit(4, { current: 4 }, isMemoryError, () => Promise.reject(new Error('other')));
    await expect(other()).rejects.toThrow('other');
    const always = () => halvedToFit(2, { current: 2 }, () => true, () => Promise.reject(new Error('full')));
    await expect(always()).rejects.toThrow('full');
  });
});
