import { describe, expect, it } from 'vitest';
import { align, everyOrder, permutationsThatFit, transpose } from './align';
import { sizeOf, type NamedTensor, type Tensor } from './tensor';

/** Values that show their index: 0, 1, 2 … in row-major order. */
const counted = (...shape: number[]): Tensor => ({ shape, data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => i) });
const named = (axes: string[], ...shape: number[]): NamedTensor => ({ name: 'stage', axes, ...counted(...shape) });

describe('transpose', () => {
  it('moves the values of a matrix', () => {
    expect(transpose(counted(2, 3), [1, 0])).toEqual({ shape: [3, 2], data: Float32Array.of(0, 3, 1, 4, 2, 5) });
  });

  it.each(everyOrder(4))('moves the value of every index in order %i %i %i %i', (...order) => {
    const source = counted(2, 3, 4, 5);
    const { shape, data } = transpose(source, order);
    expect(shape).toEqual(order.map((axis) => source.shape[axis]));
    for (const [flat, value] of data.entries()) {
      const index = shape.map((size, axis) => Math.floor(flat / sizeOf(shape.slice(axis + 1))) % size);
      const from = source.shape.map((_, axis) => index[order.indexOf(axis)]!);
      expect(value).toBe(from.reduce((sum, position, axis) => sum * source.shape[axis]! + position, 0));
    }
  });

  it('is reverted by the inverse order', () => {
    const source = counted(3, 1, 4, 2);
    for (const order of everyOrder(4)) {
      expect(transpose(transpose(source, order), order.map((_, axis) => order.indexOf(axis)))).toEqual(source);
    }
  });

  it('accepts empty tensors and single numbers', () => {
    expect(transpose(counted(0, 3), [1, 0])).toEqual({ shape: [3, 0], data: new Float32Array() });
    expect(transpose(counted(), [])).toEqual({ shape: [], data: Float32Array.of(0) });
  });
});

describe('permutationsThatFit', () => {
  it('finds every order that produces the shape', () => {
    expect(permutationsThatFit([1, 589, 60], [1, 60, 589])).toEqual([[0, 2, 1]]);
    expect(permutationsThatFit([2, 3], [2, 3])).toEqual([[0, 1]]);
    expect(permutationsThatFit([4, 4], [4, 4])).toEqual([[0, 1], [1, 0]]);
    expect(permutationsThatFit([2, 3], [3, 3])).toEqual([]);
    expect(permutationsThatFit([6], [2, 3])).toEqual([]);
    expect(permutationsThatFit([], [])).toEqual([[]]);
  });

  it('treats axes of size 1 as equal', () => {
    expect(permutationsThatFit([1, 1, 5], [5, 1, 1])).toEqual([[2, 0, 1]]);
    expect(permutationsThatFit(new Array<number>(12).fill(1), new Array<number>(12).fill(1))).toHaveLength(1);
  });

  it('returns orders that transpose to the shape', () => {
    const orders = permutationsThatFit([2, 3, 2, 4], [2, 4, 3, 2]);
    expect(orders).toHaveLength(2);
    for (const order of orders) expect(transpose(counted(2, 3, 2, 4), order).shape).toEqual([2, 4, 3, 2]);
  });
});

it('everyOrder has each order once', () => {
  const orders = everyOrder(4).map((order) => order.join(''));
  expect(new Set(orders).size).toBe(24);
  expect(orders[0]).toBe('0123');
});

describe('align', () => {
  it('transposes to our axes, and adds a note', () => {
    const golden = named(['batch', 'frame', 'channel'], 1, 2, 3);
    const { tensor, note } = align(golden, ['batch', 'channel', 'frame'], [1, 3, 2]);
    expect(tensor).toEqual({ shape: [1, 3, 2], data: Float32Array.of(0, 3, 1, 4, 2, 5) });
    expect(note).toBe('the golden tensor is (batch, frame, channel): (1, 2, 3), treated as (batch, channel, frame)');
  });

  it('aligns by names even if the shapes then differ', () => {
    const { tensor } = align(named(['frame', 'channel'], 589, 60), ['channel', 'frame'], [60, 560]);
    expect(tensor.shape).toEqual([60, 589]);
  });

  it('adds and drops axes of size 1', () => {
    const added = align(named(['frame', 'class'], 4, 7), ['batch', 'class', 'frame'], [1, 7, 4]);
    expect(added.tensor.shape).toEqual([1, 7, 4]);
    expect([...added.tensor.data.subarray(0, 4)]).toEqual([0, 7, 14, 21]);
    const dropped = align(named(['batch', 'frame', 'class'], 1, 4, 7), ['frame', 'class'], [4, 7]);
    expect(dropped.tensor).toEqual(counted(4, 7));
    expect(dropped.note).toContain('treated as (frame, class)');
  });

  it.each([
    ['the same axes', ['batch', 'frame'], [2, 3], ['batch', 'frame'], [3, 2]],
    ['an axis of more than one that ours lacks', ['batch', 'frame'], [2, 3], ['frame'], [3]],
    ['an axis of more than one that golden lacks', ['frame'], [3], ['batch', 'frame'], [2, 3]],
    ['other names', ['axis0', 'axis1'], [2, 3], ['frame', 'mel'], [3, 2]],
    ['a name twice', ['frame', 'frame'], [2, 3], ['frame', 'batch'], [2, 1]],
  ])('leaves %s as it is', (_, goldenAxes, goldenShape, axes, shape) => {
    const golden = named(goldenAxes, ...goldenShape);
    expect(align(golden, axes, shape)).toEqual({ tensor: counted(...goldenShape), note: null });
  });
});
