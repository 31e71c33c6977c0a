import { shapeText, sizeOf, typeOf, type NamedTensor, type Tensor } from './tensor';

/** A golden tensor along the axes of ours, and what was done to it. */
export interface Aligned {
  readonly tensor: Tensor;
  /** For people; null where it lay that way already. */
  readonly note: string | null;
}

/**
 * Lays a golden tensor out as ours is, by the names of its axes: they are transposed, and axes of size 1 that only one
 * side has are dropped or added. Where the names do not tell how, it is left as it is: its shape is then judged.
 *
 * @param axes name of each axis of ours
 * @param shape of ours; says whether an axis that the golden tensor lacks has size 1. Otherwise the shapes may differ.
 */
export function align(golden: NamedTensor, axes: readonly string[], shape: readonly number[]): Aligned {
  const asItIs = { tensor: { shape: golden.shape, data: golden.data, ...typeOf(golden) }, note: null };
  const sizeOfAxis = (name: string): number | undefined => golden.shape[golden.axes.indexOf(name)];
  if (axes.length === golden.axes.length && axes.every((name, axis) => name === golden.axes[axis])) return asItIs;
  // A name that two axes have does not say which of them is meant.
  if (hasTwice(axes) || hasTwice(golden.axes)) return asItIs;
  if (golden.axes.some((name) => !axes.includes(name) && sizeOfAxis(name) !== 1)) return asItIs;
  if (axes.some((name, axis) => !golden.axes.includes(name) && shape[axis] !== 1)) return asItIs;

  const order = axes.filter((name) => golden.axes.includes(name)).map((name) => golden.axes.indexOf(name));
  // Axes of size 1 are where they please in memory: those to be dropped go last.
  const dropped = golden.axes.flatMap((name, axis) => (axes.includes(name) ? [] : [axis]));
  const transposed = transpose(golden, [...order, ...dropped]);
  return {
    tensor: { ...transposed, shape: axes.map((name) => sizeOfAxis(name) ?? 1) },
    note: `golden is (${golden.axes.join(', ')}): ${shapeText(golden.shape)}, taken as (${axes.join(', ')})`,
  };
}

/**
 * The tensor with its axes in another order, row-major like every tensor. Axis `i` of the result is axis `order[i]` of
 * `tensor`, as `numpy.transpose(tensor, order)` has it.
 */
export function transpose(tensor: Tensor, order: readonly number[]): Tensor {
  const { shape, data, exact } = tensor;
  const strides = stridesOf(shape);
  const newShape = order.map((axis) => shape[axis]!);
  const newStrides = order.map((axis) => strides[axis]!);
  const result = new Float32Array(sizeOf(shape));
  const newExact = exact?.slice();
  if (result.length === 0) return { ...typeOf(tensor), shape: newShape, data: result };
  const rank = order.length;
  const index = new Array<number>(rank).fill(0);
  let source = 0;
  for (let target = 0; target < result.length; target++) {
    result[target] = data[source]!;
    if (exact) newExact![target] = exact[source]!;
    // One step on in the result's order, as an odometer turns.
    for (let axis = rank - 1; axis >= 0; axis--) {
      source += newStrides[axis]!;
      if (++index[axis]! < newShape[axis]!) break;
      source -= newStrides[axis]! * newShape[axis]!;
      index[axis] = 0;
    }
  }
  return { ...typeOf(tensor), shape: newShape, data: result, ...(newExact && { exact: newExact }) };
}

/**
 * Every `order` for which a tensor of shape `from`, transposed by it, has the shape `to`. Axes of size 1 keep their
 * order among themselves: where they stand changes nothing in memory. The identity is among them where it fits.
 */
export function permutationsThatFit(from: readonly number[], to: readonly number[]): number[][] {
  if (from.length !== to.length) return [];
  const found: number[][] = [];
  const extend = (order: readonly number[]): void => {
    if (order.length === to.length) {
      found.push([...order]);
      return;
    }
    let hadOne = false;
    for (const [axis, size] of from.entries()) {
      if (order.includes(axis) || size !== to[order.length]) continue;
      if (size === 1 && hadOne) continue;
      hadOne ||= size === 1;
      extend([...order, axis]);
    }
  };
  extend([]);
  return found;
}

/** Every order of so many axes: `rank` factorial. */
export function everyOrder(rank: number): number[][] {
  const equal = new Array<number>(rank).fill(2);
  return permutationsThatFit(equal, equal);
}

/** Values from one index of an axis to the next, for each axis. */
export function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}

const hasTwice = (names: readonly string[]): boolean => new Set(names).size < names.length;
