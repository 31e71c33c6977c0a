import { expect, test } from 'vitest';
import { hasGrown, size, type SizingInput } from './sizing';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const INPUT: SizingInput = { preset: 'campplus', hasModelFile: false, cores: 8, availableBytes: 64 * GIB, backend: 'wasm', gpuBytes: null, files: 500, longestSeconds: 3600 };

test.each([
  ['cores', {}, 8, 1, '8 cores'],
  ['memory', { availableBytes: 2 * GIB }, 2, 4, '2.1 GB of free memory'],
  ['files', { files: 3 }, 3, 2, '3 files'],
  ['GPU memory', { backend: 'webgpu', gpuBytes: 8 * GIB }, 2, 4, '8.6 GB of free GPU memory'],
  ['a GPU of unknown memory', { backend: 'webgpu' }, 1, 8, 'a GPU of unknown memory'],
] as const)('%s can limit the number of workers', (_, change, workers, threads, reason) => {
  const sizing = size({ ...INPUT, ...change });
  expect(sizing).toMatchObject({ workers, threads, batch: undefined });
  expect(sizing.reason).toContain(reason);
});

test('a single worker takes one window at a time if memory is short', () => {
  expect(size({ ...INPUT, availableBytes: 300 * MIB })).toMatchObject({ workers: 1, batch: 1 });
});

test('nemotron needs 1.6 GB per worker for any length, 2 GB with a file, and never a batch', () => {
  const workers = (change: Partial<SizingInput>): Partial<ReturnType<typeof size>> => size({ ...INPUT, preset: 'nemotron', ...change });
  expect(workers({ availableBytes: 10e9 })).toMatchObject({ workers: 5, batch: undefined, workerLimitBytes: 1.8e9 });
  expect(workers({ availableBytes: 10e9, longestSeconds: 36_000 })).toMatchObject({ workers: 5 });
  expect(workers({ availableBytes: 10e9, hasModelFile: true })).toMatchObject({ workers: 4 });
  // The file of a preset with windows is small.
  expect(size({ ...INPUT, availableBytes: 10e9, hasModelFile: true }).workers).toBe(size({ ...INPUT, availableBytes: 10e9 }).workers);
  expect(workers({ availableBytes: 300 * MIB })).toMatchObject({ workers: 1, batch: undefined });
  // Its model has one thread in Node, however many cores a worker has.
  expect(workers({ files: 2 })).toMatchObject({ workers: 2, threads: 1 });
});

test('long recordings and large batches need more memory per worker', () => {
  const workers = (change: Partial<SizingInput>): number => size({ ...INPUT, availableBytes: 6 * GIB, ...change }).workers;
  expect(workers({ longestSeconds: 10 * 3600 })).toBeLessThan(workers({ longestSeconds: 60 }));
  expect(workers({ batch: 32 })).toBeLessThan(workers({ batch: 4 }));
});

test('--workers and --batch override the choice', () => {
  expect(size({ ...INPUT, workers: 3, batch: 2 })).toMatchObject({ workers: 3, threads: 2, batch: 2, reason: '--workers' });
});

test('a worker is replaced above its share of the memory, or if it has doubled since its first files', () => {
  const first = [300, 310, 320, 320, 320].map((value) => value * MIB);
  expect(hasGrown([...first, 400 * MIB], 2 * GIB)).toBe(false);
  expect(hasGrown([...first, 640 * MIB], 2 * GIB)).toBe(false);
  expect(hasGrown([...first, 900 * MIB], 2 * GIB)).toBe(true);
  expect(hasGrown([300 * MIB, 900 * MIB], 2 * GIB)).toBe(false);
  expect(hasGrown([2.1 * GIB], 2 * GIB)).toBe(true);
  expect(hasGrown([], 2 * GIB)).toBe(false);
});
