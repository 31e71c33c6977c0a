import { expect, test } from 'vitest';
import { InOrder } from './modelPool';

/** What was delivered, one entry a delivery, with the count of windows so far. */
function collect(): { readonly order: InOrder<Uint8Array>; readonly delivered: [number[], number][] } {
  const delivered: [number[], number][] = [];
  const order = new InOrder<Uint8Array>((values, numWindows, completed) => {
    expect(values.length).toBe(2 * numWindows);
    delivered.push([[...values], completed]);
  });
  return { order, delivered };
}

test('windows are delivered in order, each once, in whatever order they are done', () => {
  const { order, delivered } = collect();
  const first = order.open(Uint8Array.of(0, 1, 2, 3, 4, 5), 3);
  const second = order.open(Uint8Array.of(6, 7, 8, 9), 2);
  second(0);
  first(1);
  expect(delivered).toEqual([]);
  first(0);
  expect(delivered).toEqual([[[0, 1, 2, 3], 2]]);
  // Done twice counts once.
  first(0);
  first(2);
  second(1);
  expect(delivered.slice(1)).toEqual([[[4, 5], 3], [[6, 7], 4], [[8, 9], 5]]);
  expect(order.completed).toBe(5);
});

test('a window that is marked again after its block was delivered changes nothing', () => {
  const { order, delivered } = collect();
  const mark = order.open(Uint8Array.of(0, 1), 1);
  mark(0);
  mark(0);
  expect(delivered).toHaveLength(1);
  expect(order.completed).toBe(1);
});
