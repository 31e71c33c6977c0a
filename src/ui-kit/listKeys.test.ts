import { expect, test } from 'vitest';
import { listMove } from './listKeys';

test('moves by one item, by a page, and to both ends; other keys do not move', () => {
  const keys = ['ArrowDown', 'ArrowUp', 'PageDown', 'PageUp', 'Home', 'End', 'Enter', 'constructor'];
  expect(keys.map((key) => listMove(key, 5, 30, 10))).toEqual([6, 4, 15, -5, 0, 29, null, null]);
});
