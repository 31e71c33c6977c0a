import { expect, it } from 'vitest';
import { errorQuantiles } from './measure';

it('returns the error of a single value', () => {
  expect(errorQuantiles(Float32Array.of(3), Float32Array.of(1))).toEqual({ median: 2, p90: 2, p99: 2 });
});

it('samples a tensor of millions evenly', () => {
  const size = 3_000_000;
  const actual = Float32Array.from({ length: size }, (_, index) => (index < size / 2 ? 0 : 1));
  expect(errorQuantiles(actual, new Float32Array(size))).toEqual({ median: 0, p90: 1, p99: 1 });
});
