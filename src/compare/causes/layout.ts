import { everyOrder, permutationsThatFit, transpose } from '../align';
import { hasShape } from '../measure';
import type { Cause } from '../report';
import { shapeText, type Tensor } from '../tensor';
import type { CauseContext } from './context';
import { axesText, correlation, distance, errorText, explains, leavesText, MIN_VALUES, spread } from './proof';

/** Of more axes there are too many orders to try: 24 of four, 120 of five. */
const MAX_AXES = 4;

/**
 * Least correlation by which a layout counts as found though the values differ otherwise too: a tensor whose axes are
 * mixed up has next to none with its right layout.
 */
const MIN_CORRELATION = 0.9;

/** A layout of the golden tensor that is ours. */
export interface Layout {
  readonly cause: Cause;
  /** The golden tensor in our layout. */
  readonly golden: Tensor;
  /** Whether the layout is all that is wrong. */
  readonly isAll: boolean;
}

/** The axes of one side are in another order than they claim, or were reshaped where they should be transposed. */
export function permutedAxes(context: CauseContext): Layout | null {
  if (context.golden.data.length !== context.actual.data.length || context.golden.data.length < MIN_VALUES) return null;
  if (!hasShape(context.actual, context.golden.shape)) return ofOtherShape(context);
  return ofSameShape(context);
}

/** Drops axes of size 1: they change nothing in memory. */
function squeezed({ shape }: Tensor, axes: readonly string[]): { shape: number[]; axes: string[] } {
  const kept = shape.flatMap((size, axis) => (size === 1 ? [] : [axis]));
  return { shape: kept.map((axis) => shape[axis]!), axes: kept.map((axis) => axes[axis] ?? `axis${axis}`) };
}

function ofOtherShape(context: CauseContext): Layout | null {
  const { actual, golden, axes } = context;
  // With as many axes on both sides they can all be named, those of size 1 too.
  const sameRank = golden.shape.length === actual.shape.length && axes.length === actual.shape.length;
  const ours = sameRank ? { shape: actual.shape, axes } : squeezed(actual, axes);
  const theirs: Tensor = { shape: sameRank ? golden.shape : squeezed(golden, []).shape, data: golden.data };
  const candidates = squeezed(actual, axes).shape.length > MAX_AXES ? [] : permutationsThatFit(theirs.shape, ours.shape);

  const against = `${shapeText(golden.shape)} against ours ${shapeText(actual.shape)}`;
  const layouts = candidates.filter(isNoIdentity).map((order) => ({
    data: transpose(theirs, order).data,
    order,
    evidence: `golden is ${namesText(ours.axes, order)}: ${against}`,
  }));
  layouts.push({
    data: golden.data,
    order: [],
    evidence: `golden has ours' values in the same order under another shape: ${against}`,
  });
  const scored = layouts.map((layout) => ({ ...layout, match: correlation(actual.data, layout.data) }));
  const best = scored.reduce((left, right) => (right.match > left.match || Number.isNaN(left.match) ? right : left));
  if (!(best.match >= MIN_CORRELATION)) return null;

  const left = distance(actual.data, best.data);
  // Values of two shapes have no error to begin with: what counts is what the golden tensor itself spans.
  const isAll = explains(left, spread(golden.data), context);
  const agreement = isAll
    ? `; so laid out the max abs error is ${errorText(left.maxAbs)}`
    : `; so laid out the correlation is ${best.match.toFixed(4)}, the max abs error still ${errorText(left.maxAbs)}`;
  return layoutOf(actual, best.data, best.evidence + agreement, best.order, isAll);
}

function ofSameShape(context: CauseContext): Layout | null {
  const { actual, golden, axes } = context;
  const { shape, axes: names } = squeezed(actual, axes);
  if (shape.length < 2 || shape.length > MAX_AXES) return null;
  const error = distance(actual.data, golden.data);
  const ours: Tensor = { shape, data: actual.data };
  const theirs: Tensor = { shape, data: golden.data };
  for (const order of permutationsThatFit(shape, shape).filter(isNoIdentity)) {
    const turned = transpose(theirs, order).data;
    const left = distance(actual.data, turned);
    if (!explains(left, error, context)) continue;
    const evidence = `golden is ${namesText(names, order)} where ours is ${axesText(names)}, both ${shapeText(shape)}`;
    return layoutOf(actual, turned, evidence + leavesText(left, error), order, true);
  }
  for (const order of everyOrder(shape.length).filter(isNoIdentity)) {
    const memory = axesText(order.map((axis) => names[axis]!));
    for (const [holder, source, right, wrong] of [
      ['golden holds our', 'ours', ours, golden] as const,
      ['ours holds the golden', 'golden', theirs, actual] as const,
    ]) {
      const turned = transpose(right, order).data;
      const left = distance(turned, wrong.data);
      if (!explains(left, error, context)) continue;
      const evidence =
        `${holder} values in the memory order ${memory}, ` +
        `reshaped to ${shapeText(shape)} instead of transposed${leavesText(left, error)}`;
      // The golden tensor with the same mistake made, or unmade: either way it is comparable with ours.
      const comparable = source === 'golden' ? turned : unreshaped(golden.data, shape, order);
      return layoutOf(actual, comparable, evidence, order, true);
    }
  }
  return null;
}

/** Values that lie in the memory order `order` of a tensor of this shape, in the shape's own order. */
function unreshaped(data: Float32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  const inverse = order.map((_, axis) => order.indexOf(axis));
  return transpose({ shape: order.map((axis) => shape[axis]!), data }, inverse).data;
}

const layoutOf = (
  { shape }: Tensor,
  data: Float32Array,
  evidence: string,
  order: readonly number[],
  isAll: boolean,
): Layout => ({ cause: { id: 'permuted-axes', evidence, values: { order } }, golden: { shape, data }, isAll });

/** Names of the golden axes of which the axis `order[i]` is ours called `axes[i]`. */
const namesText = (axes: readonly string[], order: readonly number[]): string =>
  axesText(order.map((_, axis) => axes[order.indexOf(axis)]!));

const isNoIdentity = (order: readonly number[]): boolean => order.some((axis, position) => axis !== position);
