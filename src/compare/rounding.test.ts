import { expect, it } from 'vitest';
import { toBfloat16, toFloat16, toInt8 } from './precision';

it('rounds to float16 as in IEEE 754: to even, down to subnormal numbers, up to infinity', () => {
  const pairs = [[0.1, 0.0999755859375], [1 + 2 ** -11, 1], [1 + 3 * 2 ** -11, 1 + 2 ** -9], [65_519, 65_504], [65_520, Infinity], [-7e4, -Infinity], [6e-8, 2 ** -24], [2e-8, 0]] as const;
  expect([...toFloat16(Float32Array.from(pairs, ([value]) => value))]).toEqual(pairs.map(([, rounded]) => rounded));
  expect([...toBfloat16(Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, 1e30))]).toEqual([1, 1 + 2 ** -6, (202 / 128) * 2 ** 99]);
});

it('rounds each channel to 127 steps of its greatest value', () => {
  // Rows (1, 3): the second row has a scale of 1.
  const rounded = toInt8(Float32Array.of(1, 0.5, -0.1, 127, 2.5, -3.5), { stride: 3, count: 2 });
  expect([...rounded].slice(3)).toEqual([127, 2, -4]);
  expect([...rounded].slice(0, 3).map((value) => Math.round(value * 127))).toEqual([127, 64, -13]);
  expect([...toInt8(Float32Array.of(1, 127, 0.3, 2.5), { stride: 1, count: 2 })].slice(1)).toEqual([127, Math.fround(38 / 127), 2]);
  expect([...toInt8(new Float32Array(4), { stride: 1, count: 1 })]).toEqual([0, 0, 0, 0]);
});
