import { shapeText, sizeOf, typeOf, type NamedTensor, type Tensor } from './tensor';

/** A golden tensor transposed to the axes of ours. */
interface Aligned {
  readonly tensor: Tensor;
  /** Describes the change for the user; null if the tensor already had this layout. */
  readonly note: string | null;
}

/**
 * Transposes a golden tensor to our layout by axis names. Axes of size 1 that only one side has are dropped or added. If
 * the names do not determine the layout, the tensor stays unchanged, and the comparison then judges its shape.
 *
 * @param axes name of each of our axes
 * @param shape our shape; shows if an axis that the golden tensor lacks has size 1. Other sizes may differ.
 */
export function align(golden: NamedTensor, axes: readonly string[], shape: readonly number[]): Aligned {
  const asItIs = { tensor: { shape: golden.shape, data: golden.data, ...typeOf(golden) }, note: null };
  const sizeOfAxis = (name: string): number | undefined => golden.shape[golden.axes.indexOf(name)];
  if (axes.length === golden.axes.length && axes.every((name, axis) => name === golden.axes[axis])) return asItIs;
  // A name that occurs twice is ambiguous.
  if (hasTwice(axes) || hasTwice(golden.axes)) return asItIs;
  if (golden.axes.some((name) => !axes.includes(name) && sizeOfAxis(name) !== 1)) return asItIs;
  if (axes.some((name, axis) => !golden.axes.includes(name) && shape[axis] !== 1)) return asItIs;

  const order = axes.filter((name) => golden.axes.includes(name)).map((name) => golden.axes.indexOf(name));
  // The position of an axis of size 1 does not change the memory layout: move those to be dropped to the end.
  const dropped = golden.axes.flatMap((name, axis) => (axes.includes(name) ? [] : [axis]));
  const transposed = transpose(golden, [...order, ...dropped]);
  return {
    tensor: { ...transposed, shape: axes.map((name) => sizeOfAxis(name) ?? 1) },
    note: `the golden tensor is (${golden.axes.join(', ')}): ${shapeText(golden.shape)}, treated as (${axes.join(', ')})`,
  };
}

/**
 * Permutes the axes of a tensor; both tensors are row-major. Axis `i` of the result is axis `order[i]` of `tensor`, as in
 * `numpy.transpose(tensor, order)`.
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
    // Advance by one in the result's order, like an odometer.
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
 * Every `order` that transposes a tensor of shape `from` to shape `to`. Axes of size 1 keep their relative order, because
 * their position does not change the memory layout. Includes the identity if it fits.
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

/** All `rank`! axis orders. */
export function everyOrder(rank: number): number[][] {
  const equal = new Array<number>(rank).fill(2);
  return permutationsThatFit(equal, equal);
}

/** For each axis, the number of values from one index to the next. */
export function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}

const hasTwice = (names: readonly string[]): boolean => new Set(names).size < names.length;
