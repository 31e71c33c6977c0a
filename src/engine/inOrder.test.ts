import { expect, test } from 'vitest';
import { InOrder } from './modelPool';

/** The deliveries, each with the number of windows so far. */
function collect(): { readonly order: InOrder<Uint8Array>; readonly delivered: [number[], number][] } {
  const delivered: [number[], number][] = [];
  const order = new InOrder<Uint8Array>((values, numWindows, completed) => {
    expect(values.length).toBe(2 * numWindows);
    delivered.push([[...values], completed]);
  });
  return { order, delivered };
}

test('windows are delivered in order and once, regardless of the order of completion', () => {
  const { order, delivered } = collect();
  const first = order.open(Uint8Array.of(0, 1, 2, 3, 4, 5), 3);
  const second = order.open(Uint8Array.of(6, 7, 8, 9), 2);
  second(0);
  first(1);
  expect(delivered).toEqual([]);
  first(0);
  expect(delivered).toEqual([[[0, 1, 2, 3], 2]]);
  // Marking a window twice counts once.
  first(0);
  first(2);
  second(1);
  expect(delivered.slice(1)).toEqual([[[4, 5], 3], [[6, 7], 4], [[8, 9], 5]]);
  expect(order.completed).toBe(5);
});

test('marking a window again after its delivery has no effect', () => {
  const { order, delivered } = collect();
  const mark = order.open(Uint8Array.of(0, 1), 1);
  mark(0);
  mark(0);
  expect(delivered).toHaveLength(1);
  expect(order.completed).toBe(1);
});
