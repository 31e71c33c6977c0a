import { everyOrder, permutationsThatFit, transpose } from '../align';
import { hasShape } from '../measure';
import type { Cause } from '../report';
import { shapeText, type Tensor } from '../tensor';
import type { CauseContext } from './context';
import {
  along,
  type Along,
  axesText,
  correlation,
  countText,
  distance,
  errorText,
  explains,
  leavesText,
  MIN_VALUES,
  spread,
} from './evidence';

/** More axes have too many orders to try: 24 for four, 120 for five. */
const MAX_AXES = 4;

/**
 * Minimum correlation for a layout to count as found if the values differ in other ways too. A tensor with wrong axes
 * barely correlates.
 */
const MIN_CORRELATION = 0.9;

/** A layout that converts the golden tensor to ours. */
interface Layout {
  readonly cause: Cause;
  /** The golden tensor in our layout. */
  readonly golden: Tensor;
  /** True if only the layout is wrong. */
  readonly isAll: boolean;
}

/** Detects axes that are in another order than one side states, or that were reshaped instead of transposed. */
export function permutedAxes(context: CauseContext): Layout | null {
  if (context.golden.data.length !== context.actual.data.length || context.golden.data.length < MIN_VALUES) return null;
  if (!hasShape(context.actual, context.golden.shape)) return ofOtherShape(context);
  return ofSameShape(context);
}

/** Drops axes of size 1, which do not change the memory layout. */
function squeezed({ shape }: Tensor, axes: readonly string[]): { shape: number[]; axes: string[] } {
  const kept = shape.flatMap((size, axis) => (size === 1 ? [] : [axis]));
  return { shape: kept.map((axis) => shape[axis]!), axes: kept.map((axis) => axes[axis] ?? `axis${axis}`) };
}

function ofOtherShape(context: CauseContext): Layout | null {
  const { actual, golden, axes } = context;
  // If both sides have the same number of axes, all can be named, including those of size 1.
  const sameRank = golden.shape.length === actual.shape.length && axes.length === actual.shape.length;
  const ours = sameRank ? { shape: actual.shape, axes } : squeezed(actual, axes);
  const theirs: Tensor = { shape: sameRank ? golden.shape : squeezed(golden, []).shape, data: golden.data };
  const candidates = squeezed(actual, axes).shape.length > MAX_AXES ? [] : permutationsThatFit(theirs.shape, ours.shape);

  const against = `${shapeText(golden.shape)} against the computed ${shapeText(actual.shape)}`;
  const layouts = candidates.filter(isNoIdentity).map((order) => ({
    data: transpose(theirs, order).data,
    order,
    evidence: `the golden output is ${namesText(ours.axes, order)}: ${against}`,
  }));
  layouts.push({
    data: golden.data,
    order: [],
    evidence: `the golden output has the computed values in the same order, but another shape: ${against}`,
  });
  const scored = layouts.map((layout) => ({ ...layout, match: correlation(actual.data, layout.data) }));
  const best = scored.reduce((left, right) => (right.match > left.match || Number.isNaN(left.match) ? right : left));
  if (!(best.match >= MIN_CORRELATION)) return null;

  const left = distance(actual.data, best.data);
  // Values of different shapes have no initial error, so the range of the golden tensor is the bound.
  const isAll = explains(left, spread(golden.data), context);
  const agreement = isAll
    ? `; in this layout, the max abs error is ${errorText(left.maxAbs)}`
    : `; in this layout, the correlation is ${best.match.toFixed(4)}, but the max abs error is still ${errorText(left.maxAbs)}`;
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
    const evidence = `the golden output is ${namesText(names, order)}, the computed output is ${axesText(names)}, both ${shapeText(shape)}`;
    return layoutOf(actual, turned, evidence + leavesText(left, error), order, true);
  }
  for (const order of everyOrder(shape.length).filter(isNoIdentity)) {
    const memory = axesText(order.map((axis) => names[axis]!));
    for (const [holder, source, right, wrong] of [
      ['the golden output has the computed', 'ours', ours, golden] as const,
      ['the computed output has the golden', 'golden', theirs, actual] as const,
    ]) {
      const turned = transpose(right, order).data;
      const left = distance(turned, wrong.data);
      if (!explains(left, error, context)) continue;
      const evidence =
        `${holder} values in the memory order ${memory}, ` +
        `reshaped to ${shapeText(shape)} instead of transposed${leavesText(left, error)}`;
      // The golden tensor with the same mistake applied or reverted: either way it is comparable with ours.
      const comparable = source === 'golden' ? turned : unreshaped(golden.data, shape, order);
      return layoutOf(actual, comparable, evidence, order, true);
    }
  }
  return null;
}

/** Reorders values from the memory order `order` to the shape's own order. */
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

/** Names of the golden axes if axis `order[i]` is our axis `axes[i]`. */
const namesText = (axes: readonly string[], order: readonly number[]): string =>
  axesText(order.map((_, axis) => axes[order.indexOf(axis)]!));

const isNoIdentity = (order: readonly number[]): boolean => order.some((axis, position) => axis !== position);

const FRAME = ['frame'];

/** Maximum shift in frames: this number, or this share of a long stage. */
const MAX_SHIFT = 10;
const MAX_SHIFT_SHARE = 0.1;

/** Rows along the frames that the search compares before it compares all of them. */
const MAX_SEARCHED_ROWS = 32;

/** Minimum correlation of the computed frames with resampled golden frames that indicates stretching. */
const MIN_STRETCHED_CORRELATION = 0.8;

/** Detects golden frames that are ours shifted by some frames. The edges, which only one side has, do not count. */
export function shiftedFrames(context: CauseContext): Cause | null {
  const { actual, golden, axes } = context;
  const view = along(actual, axes, FRAME);
  if (!view) return null;
  const furthest = Math.min(Math.max(MAX_SHIFT, Math.floor(view.size * MAX_SHIFT_SHARE)), view.size - 2);
  const shifts = Array.from({ length: Math.max(0, furthest) }, (_, index) => [index + 1, -index - 1]).flat();
  const searched = thinned(view);
  /** The frames that both sides have, with golden shifted by `shift` frames. */
  const overlap = (rows: Rows, shift: number): [Float32Array, Float32Array] => [
    cut(actual.data, rows, Math.max(0, -shift), view.size - Math.abs(shift)),
    cut(golden.data, rows, Math.max(0, shift), view.size - Math.abs(shift)),
  ];
  const errorPerFrame = (shift: number): number =>
    distance(...overlap(searched, shift)).norm / Math.sqrt(view.size - Math.abs(shift));
  const shift = leastBy(shifts, errorPerFrame);
  if (shift === null) return null;

  const all = rowsOf(view);
  const [ours, theirs] = overlap(all, shift);
  if (ours.length < MIN_VALUES) return null;
  const left = distance(ours, theirs);
  // The error of the same golden frames without the shift.
  const unshifted = cut(actual.data, all, Math.max(0, shift), view.size - Math.abs(shift));
  const error = distance(unshifted, theirs);
  if (!explains(left, error, context)) return null;
  const direction = shift > 0 ? 'later' : 'earlier';
  return {
    id: 'shifted-frames',
    evidence: `the golden output is the computed output, shifted ${countText(Math.abs(shift), 'frame')} ${direction}${leavesText(left, error)}`,
    values: { frames: shift },
  };
}

/** Detects different numbers of frames: a different stride, or frames dropped or added at an end. */
export function frameCount(context: CauseContext): Cause | null {
  const { actual, golden, axes } = context;
  const ours = along(actual, axes, FRAME);
  const theirs = along(golden, axes, FRAME);
  if (!ours || !theirs || ours.size === theirs.size) return null;
  if (golden.shape.some((size, axis) => axis !== ours.axis && size !== actual.shape[axis])) return null;
  const counts = `the computed output has ${countText(ours.size, 'frame')}, the golden output has ${theirs.size}`;
  const values = { ours: ours.size, golden: theirs.size };
  const causeOf = (how: string, more: Cause['values']): Cause => ({
    id: 'frame-count',
    evidence: counts + how,
    values: { ...values, ...more },
  });
  if (Math.min(actual.data.length, golden.data.length) < MIN_VALUES) return causeOf('', {});

  const cropped = bestCrop(actual, ours, golden, theirs);
  const left = distance(cropped.ours, cropped.golden);
  if (explains(left, spread(cropped.golden), context)) {
    const { start } = cropped;
    const [longer, shorter] = ours.size < theirs.size ? ['golden', 'computed'] : ['computed', 'golden'];
    const end = Math.abs(ours.size - theirs.size) - start;
    const ends = `the ${shorter} output is the ${longer} output without its first ${start} and last ${end}`;
    return causeOf(`: ${ends}, max abs error ${errorText(left.maxAbs)}`, { how: 'cut', start });
  }
  const asCut = correlation(cropped.ours, cropped.golden);
  const asStretched = correlation(actual.data, stretched(golden.data, theirs, ours.size));
  const correlations = `correlation ${errorText(asStretched)} stretched, ${errorText(asCut)} cut`;
  if (asStretched >= MIN_STRETCHED_CORRELATION && asStretched > asCut) {
    const how = `: over the same time, so the hop differs (${correlations})`;
    return causeOf(how, { how: 'stretched', correlation: asStretched });
  }
  return causeOf(`: neither cut nor stretched (${correlations})`, {});
}

/** Some positions (block, rest) of a view, each a row along its axis. */
interface Rows extends Along {
  readonly positions: readonly (readonly [block: number, rest: number])[];
}

function rowsOf(view: Along, step = 1): Rows {
  const count = Math.ceil((view.blocks * view.stride) / step);
  const positions = Array.from(
    { length: count },
    (_, row) => [Math.floor((row * step) / view.stride), (row * step) % view.stride] as const,
  );
  return { ...view, positions };
}

/** Enough rows to find a shift; all rows then confirm it. */
const thinned = (view: Along): Rows => rowsOf(view, Math.ceil((view.blocks * view.stride) / MAX_SEARCHED_ROWS));

/** Axes (row, frame): `count` frames, beginning at `start`. */
function cut(data: Float32Array, { positions, size, stride }: Rows, start: number, count: number): Float32Array {
  const result = new Float32Array(positions.length * count);
  for (const [row, [block, rest]] of positions.entries()) {
    for (let frame = 0; frame < count; frame++) {
      result[row * count + frame] = data[(block * size + start + frame) * stride + rest]!;
    }
  }
  return result;
}

/** The part of the longer side that is nearest to the shorter side; both have axes (row, frame). */
function bestCrop(
  actual: Tensor,
  ours: Along,
  golden: Tensor,
  theirs: Along,
): { start: number; ours: Float32Array; golden: Float32Array } {
  const count = Math.min(ours.size, theirs.size);
  const at = (rows: (view: Along) => Rows, start: number): [Float32Array, Float32Array] => [
    cut(actual.data, rows(ours), ours.size > count ? start : 0, count),
    cut(golden.data, rows(theirs), theirs.size > count ? start : 0, count),
  ];
  const starts = Array.from({ length: Math.abs(ours.size - theirs.size) + 1 }, (_, index) => index);
  const start = leastBy(starts, (candidate) => distance(...at(thinned, candidate)).norm) ?? 0;
  const [oursCut, goldenCut] = at(rowsOf, start);
  return { start, ours: oursCut, golden: goldenCut };
}

/** Resamples the tensor linearly to `count` frames over the same time. */
function stretched(data: Float32Array, { blocks, size, stride }: Along, count: number): Float32Array {
  const result = new Float32Array(blocks * count * stride);
  for (let frame = 0; frame < count; frame++) {
    const position = Math.min(Math.max(((frame + 0.5) * size) / count - 0.5, 0), size - 1);
    const before = Math.floor(position);
    const after = Math.min(before + 1, size - 1);
    const share = position - before;
    for (let block = 0; block < blocks; block++) {
      for (let rest = 0; rest < stride; rest++) {
        const early = data[(block * size + before) * stride + rest]!;
        const late = data[(block * size + after) * stride + rest]!;
        result[(block * count + frame) * stride + rest] = early + share * (late - early);
      }
    }
  }
  return result;
}

/** The candidate with the smallest measure; null if no measure is a number. */
function leastBy(candidates: readonly number[], measureOf: (candidate: number) => number): number | null {
  let best: number | null = null;
  let least = Infinity;
  for (const candidate of candidates) {
    const found = measureOf(candidate);
    if (found < least) {
      best = candidate;
      least = found;
    }
  }
  return best;
}

/** Detects that ours equals another golden stage, as if a step between the two was omitted, merged or misnamed. */
export function equalsStage(context: CauseContext): Cause | null {
  const { actual, golden, others } = context;
  if (golden.data.length < MIN_VALUES) return null;
  const error = distance(actual.data, golden.data);
  for (const { name, tensor } of others) {
    if (!hasShape(tensor, golden.shape)) continue;
    const left = distance(actual.data, tensor.data);
    if (!explains(left, error, { ...context, golden: tensor })) continue;
    return {
      id: 'equals-stage',
      evidence: `the computed output has the golden values of the stage ${name}${leavesText(left, error)}`,
      values: { stage: name },
    };
  }
  return null;
}
