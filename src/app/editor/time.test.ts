import { expect, it } from 'vitest';
import { clock } from '../../ui-kit/format';
import { parseTime } from './inputs';

it.each([
  ['83.5', 83.5],
  ['83,5', 83.5],
  ['1:23.5', 83.5],
  ['1:02:03', 3723],
  [' 0:07.25 ', 7.25],
  ['90:00', 5400],
])('parses %s', (text, seconds) => {
  expect(parseTime(text)).toBe(seconds);
});

it.each(['', 'abc', '1:60', '1:2:3:4', '-3', '1:', '1.5:20', 'Infinity', '1e3'])('rejects “%s”', (text) => {
  expect(parseTime(text)).toBeNull();
});

it('parses the format that the page shows', () => {
  for (const seconds of [0, 0.01, 59.99, 3599.5, 10_799.25]) expect(parseTime(clock(seconds, 2))).toBeCloseTo(seconds, 9);
});
