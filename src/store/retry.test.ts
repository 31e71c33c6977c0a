import { describe, expect, test } from 'vitest';
import { backoffMs, retryAfterMs } from './download';

describe('waiting between attempts', () => {
  test('doubles, with jitter between half and all of it', () => {
    for (const numFailures of [1, 2, 3, 4]) {
      expect(backoffMs(numFailures, null, () => 1)).toBe(1000 * 2 ** (numFailures - 1));
      expect(backoffMs(numFailures, null, () => 0)).toBe(500 * 2 ** (numFailures - 1));
    }
  });

  test('is at least what the server requests, and at most a minute', () => {
    expect(backoffMs(1, 5000, () => 1)).toBe(5000);
    expect(backoffMs(4, 5000, () => 1)).toBe(8000);
    expect(backoffMs(1, 3_600_000, () => 1)).toBe(60_000);
    expect(backoffMs(20, null, () => 1)).toBe(60_000);
  });
});

test.each([
  [null, null],
  ['12', 12_000],
  ['0', 0],
  ['soon', null],
  ['Thu, 01 Jan 1970 00:01:40 GMT', 90_000],
  ['Thu, 01 Jan 1970 00:00:01 GMT', 0],
])('Retry-After: %s', (header, milliseconds) => {
  expect(retryAfterMs(header, 10_000)).toBe(milliseconds);
});
