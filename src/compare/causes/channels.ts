import type { Cause } from '../report';
import { sizeOf, type Tensor } from '../tensor';
import type { CauseContext } from './context';
import {
  along,
  type Along,
  axesText,
  distance,
  type Distance,
  errorText,
  explains,
  fittedText,
  leavesText,
  MIN_VALUES,
} from './evidence';

/** Axes along which a layer has separate weights. An export may change their order or scale. */
const CHANNELS: readonly string[] = ['channel', 'class', 'mel'];

/** Axes that are never channels, whatever their size. */
const NO_CHANNELS: readonly string[] = ['batch', 'frame', 'sample'];

/** All pairs are compared: four million for this many channels. */
const MAX_CHANNELS = 2048;

/** Random-sign sums that represent a channel's values. This many preserve the distances between channels. */
const NUM_PROJECTIONS = 24;

/**
 * Minimum number of values per channel to distinguish channels. With fewer, as in an embedding with one each, every channel
 * has some neighbor by chance.
 */
const MIN_VALUES_PER_CHANNEL = 8;

/** Maximum error of a match, as a share of the distance from a golden channel to its nearest neighbor. */
const MAX_SHARE_OF_GAP = 0.05;

/** Maximum number of channels in the evidence text. */
const MAX_LISTED = 8;

/** Detects reordered channels. For an order without a name, `order[i]` is our channel that matches golden channel `i`. */
export function channelOrder(context: CauseContext): Cause | null {
  for (const name of channelAxes(context)) {
    const cause = orderAlong(context, name);
    if (cause) return cause;
  }
  return null;
}

/** Axes with a channel name; if there are none, axes whose size equals an axis of the layer's weights. */
function channelAxes({ actual: { shape }, axes, layer }: CauseContext): readonly string[] {
  const named = CHANNELS.filter((name) => axes.includes(name));
  if (named.length > 0) return named.slice(0, 1);
  const sizes = new Set(layer?.weights.flatMap((weight) => weight.shape));
  return axes.filter((name, axis) => !NO_CHANNELS.includes(name) && axes.indexOf(name) === axis && sizes.has(shape[axis]!));
}

function orderAlong(context: CauseContext, name: string): Cause | null {
  const { actual, golden, axes } = context;
  const view = along(actual, axes, [name]);
  if (!view || view.size < 2) return null;
  const error = distance(actual.data, golden.data);
  const proven = (order: readonly number[]): Distance | null => {
    const left = distanceOf(context, view, order);
    return explains(left, error, context) ? left : null;
  };
  const matched = view.size <= MAX_CHANNELS ? match(actual.data, golden.data, view) : null;
  // Named orders first: if channels are alike, such as dead ones, the match confuses them.
  for (const { text, kind, order } of namedOrders(view.size, matched)) {
    const left = proven(order);
    if (!left) continue;
    return { id: 'channel-order', evidence: `the golden output is the computed output ${text(name)}${leavesText(left, error)}`, values: { kind } };
  }
  if (!matched || !isClear(matched, view)) return null;
  const order = matched.order;
  const left = proven(order);
  if (!left) return null;
  const moved = order.flatMap((ours, theirs) => (ours === theirs ? [] : [`${theirs} ← ${ours}`]));
  const listed = moved.slice(0, MAX_LISTED).join(', ') + (moved.length > MAX_LISTED ? ' …' : '');
  return {
    id: 'channel-order',
    evidence:
      `the golden output is the computed output in another order along ${name}: ${moved.length} of ${view.size} moved ` +
      `(golden ← computed: ${listed})${leavesText(left, error)}`,
    values: { kind: 'permuted', order },
  };
}

/** How well golden matches ours with the channel halves swapped, like the directions of an LSTM; null if it does not. */
export function halvesSwapped(context: CauseContext): { left: Distance; error: Distance; axis: string } | null {
  const { actual, golden, axes } = context;
  const view = along(actual, axes, CHANNELS);
  if (!view || view.size < 2 || view.size % 2 !== 0) return null;
  const error = distance(actual.data, golden.data);
  const left = distanceOf(context, view, rotation(view.size, view.size / 2));
  return explains(left, error, context) ? { left, error, axis: axes[view.axis]! } : null;
}

interface NamedOrder {
  readonly kind: 'reversed' | 'halves-swapped' | 'rotated' | 'interleaved';
  readonly text: (axis: string) => string;
  readonly order: readonly number[];
}

function namedOrders(size: number, matched: Match | null): NamedOrder[] {
  const every = Array.from({ length: size }, (_, index) => index);
  const orders: NamedOrder[] = [
    { kind: 'reversed', text: (axis) => `reversed along ${axis}`, order: every.toReversed() },
  ];
  if (size % 2 === 0) {
    const half = size / 2;
    const evenFirst = every.map((index) => (index < half ? 2 * index : 2 * (index - half) + 1));
    orders.push(
      {
        kind: 'halves-swapped',
        text: (axis) => `with the halves along ${axis} swapped`,
        order: rotation(size, half),
      },
      {
        kind: 'interleaved',
        text: (axis) => `de-interleaved along ${axis}: the even ones first`,
        order: evenFirst,
      },
      {
        kind: 'interleaved',
        text: (axis) => `interleaved along ${axis}: the halves one by one`,
        order: every.map((index) => evenFirst.indexOf(index)),
      },
    );
  }
  const by = matched ? mostCommon(matched.order.map((ours, theirs) => (ours - theirs + size) % size)) : 0;
  if (by !== 0) {
    orders.push({ kind: 'rotated', text: (axis) => `rotated by ${by} along ${axis}`, order: rotation(size, by) });
  }
  return orders;
}

const rotation = (size: number, by: number): number[] => Array.from({ length: size }, (_, index) => (index + by) % size);

/** Distance between golden and ours with the channels in this order. */
function distanceOf({ actual, golden }: CauseContext, { size, stride }: Along, order: readonly number[]): Distance {
  return distance(actual.data, golden.data, (_, index) => {
    const channel = Math.floor(index / stride) % size;
    return actual.data[index + (order[channel]! - channel) * stride]!;
  });
}

/** Our channel for each golden channel, and the sketches that were matched. */
interface Match {
  readonly order: readonly number[];
  readonly ours: Sketch;
  readonly golden: Sketch;
}

/** Assigns to each golden channel the nearest of our free channels. */
function match(actual: Float32Array, goldenData: Float32Array, view: Along): Match {
  const ours = sketch(actual, view);
  const golden = sketch(goldenData, view);
  const isTaken = new Uint8Array(view.size);
  const order = Array.from({ length: view.size }, (_, channel) => {
    let nearest = -1;
    let least = Infinity;
    for (let other = 0; other < view.size; other++) {
      if (isTaken[other]) continue;
      const found = squaredDistance(golden, channel, ours, other);
      // Falls back to the first channel if no distance is a number.
      if (found < least || nearest < 0) {
        nearest = other;
        least = found;
      }
    }
    isTaken[nearest] = 1;
    return nearest;
  });
  return { order, ours, golden };
}

/** A match of channels with few values counts only if it is much nearer than any alternative. */
function isClear({ order, ours, golden }: Match, { blocks, stride }: Along): boolean {
  if (blocks * stride >= MIN_VALUES_PER_CHANNEL) return true;
  const total = order.reduce((sum, our, channel) => sum + squaredDistance(golden, channel, ours, our), 0);
  const gaps = order.map((_, channel) => {
    let gap = Infinity;
    for (let other = 0; other < order.length; other++) {
      const found = squaredDistance(golden, channel, golden, other);
      // Identical channels, such as dead ones, are interchangeable.
      if (found > 0) gap = Math.min(gap, found);
    }
    return gap;
  });
  const median = gaps.sort((left, right) => left - right)[Math.floor(gaps.length / 2)]!;
  return Math.sqrt(total / order.length) <= MAX_SHARE_OF_GAP * Math.sqrt(median);
}

/** Axes (channel, projection). */
interface Sketch {
  readonly data: Float64Array;
  readonly width: number;
}

function squaredDistance(left: Sketch, leftChannel: number, right: Sketch, rightChannel: number): number {
  const { width } = left;
  let sum = 0;
  for (let k = 0; k < width; k++) {
    sum += (left.data[leftChannel * width + k]! - right.data[rightChannel * width + k]!) ** 2;
  }
  return sum;
}

/** The values of each channel, or random-sign sums of them if there are many. */
function sketch(data: Float32Array, { blocks, size, stride }: Along): Sketch {
  const numValues = blocks * stride;
  const width = Math.min(numValues, NUM_PROJECTIONS);
  const result = new Float64Array(size * width);
  const signs = numValues > width ? randomSigns(numValues) : null;
  for (let channel = 0; channel < size; channel++) {
    for (let position = 0; position < numValues; position++) {
      const value = data[(Math.floor(position / stride) * size + channel) * stride + (position % stride)]!;
      if (!signs) {
        result[channel * width + position] = value;
        continue;
      }
      const bits = signs[position]!;
      for (let k = 0; k < width; k++) result[channel * width + k]! += (bits >> k) & 1 ? value : -value;
    }
  }
  return { data: result, width };
}

/** One bit per projection, the same on every call (xorshift). */
function randomSigns(count: number): Uint32Array {
  let state = 0x9e3779b9;
  return Uint32Array.from({ length: count }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  });
}

function mostCommon(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best), [0, 0])[0];
}

/** Maximum remaining error, as a share of the golden range within a channel. */
const MAX_LEFT_OF_SPREAD = 0.1;

/**
 * Maximum share of the squared error in channels that the explanation does not cover. It equals what an explanation may
 * leave.
 */
const MAX_UNMET = 0.02 ** 2;

/** Detects a factor per channel, with or without an offset per channel. */
export function channelScale(context: CauseContext): Cause | null {
  for (const view of channelViews(context)) {
    for (const hasOffset of [false, true]) {
      // A fit of two numbers per channel needs twice as many values.
      if (hasOffset && countOf(view) < 2 * MIN_VALUES) continue;
      const { factors, offsets } = fitLines(context, view, hasOffset);
      const cause = proven(context, view, (value, channel) => factors[channel]! * value + offsets[channel]!);
      if (!cause) continue;
      const least = factors.reduce((low, factor) => Math.min(low, factor), Infinity);
      const greatest = factors.reduce((high, factor) => Math.max(high, factor), -Infinity);
      // Three digits cannot distinguish 0.9997 and 1.0002.
      const factorText = Math.max(Math.abs(least - 1), Math.abs(greatest - 1)) < 0.01 ? fittedText : errorText;
      return {
        id: 'channel-scale',
        evidence:
          `the golden output is the computed output times one factor for each ${cause.axis}, ${factorText(least)} to ${factorText(greatest)}` +
          `${hasOffset ? ', plus one number for each' : ''}${cause.leaves}`,
        values: { least, greatest },
      };
    }
  }
  return null;
}

/** A tensor along a channel axis. */
interface View extends Along {
  readonly name: string;
}

/**
 * The tensor along each possible channel axis, by its name or because a weight of the layer has an axis of the same size.
 * Each channel has enough values.
 */
export function channelViews({ actual: { shape, data }, axes, layer }: CauseContext): View[] {
  const sizes = new Set(layer?.weights.flatMap((weight) => weight.shape) ?? []);
  return shape.flatMap((size, axis) => {
    const name = axes[axis] ?? '';
    const isChannel = CHANNELS.includes(name) || (!NO_CHANNELS.includes(name) && sizes.has(size));
    if (!isChannel || size < 2 || data.length / size < MIN_VALUES) return [];
    return [{ name: `channel along ${name || axesText([String(axis)])}`, blocks: sizeOf(shape.slice(0, axis)), size, stride: sizeOf(shape.slice(axis + 1)) }];
  });
}

const countOf = ({ blocks, stride }: Along): number => blocks * stride;

const channelOf = ({ size, stride }: Along, index: number): number => Math.floor(index / stride) % size;

/** Sum of each channel, in float64. */
function sums({ data }: Tensor, view: Along, valueAt = (index: number): number => data[index]!): Float64Array {
  const result = new Float64Array(view.size);
  for (let index = 0; index < data.length; index++) result[channelOf(view, index)]! += valueAt(index);
  return result;
}

/** Mean of each channel. */
export const means = (tensor: Tensor, view: Along): Float64Array => sums(tensor, view).map((sum) => sum / countOf(view));

/** Least-squares fit in each channel. */
function fitLines({ actual, golden }: CauseContext, view: Along, hasOffset: boolean): { factors: Float64Array; offsets: Float64Array } {
  const zeros = new Float64Array(view.size);
  const ours = hasOffset ? means(actual, view) : zeros;
  const theirs = hasOffset ? means(golden, view) : zeros;
  const centered = (data: Float32Array, mean: Float64Array, index: number): number => data[index]! - mean[channelOf(view, index)]!;
  const products = sums(actual, view, (index) => centered(actual.data, ours, index) * centered(golden.data, theirs, index));
  const squares = sums(actual, view, (index) => centered(actual.data, ours, index) ** 2);
  // A constant channel, such as a dead one, has no factor.
  const factors = products.map((product, channel) => (squares[channel]! > 0 ? product / squares[channel]! : 1));
  return { factors, offsets: theirs.map((mean, channel) => mean - factors[channel]! * ours[channel]!) };
}

/**
 * The error that remains after a transformation of each channel, if the transformation explains the error.
 *
 * @param minWrong minimum number of wrong channels
 */
export function proven(
  context: CauseContext,
  view: View,
  transform: (value: number, channel: number) => number,
  minWrong = 2,
): { axis: string; leaves: string } | null {
  const { actual, golden } = context;
  const error = distance(actual.data, golden.data);
  const left = distance(actual.data, golden.data, (value, index) => transform(value, channelOf(view, index)));
  if (!isShapeKept(context, view, transform, minWrong)) return null;
  return explains(left, error, context) ? { axis: view.name, leaves: leavesText(left, error) } : null;
}

/**
 * True if enough channels are wrong, and the transformation reproduces the shape of nearly all of the error. Numbers per
 * channel approximate constant channels arbitrarily well, so constant channels prove nothing.
 */
function isShapeKept(
  { actual, golden }: CauseContext,
  view: View,
  transform: (value: number, channel: number) => number,
  minWrong: number,
): boolean {
  const mean = means(golden, view);
  const squares = (valueAt: (index: number, channel: number) => number): Float64Array =>
    sums(golden, view, (index) => valueAt(index, channelOf(view, index)) ** 2);
  const errors = squares((index) => golden.data[index]! - actual.data[index]!);
  const left = squares((index, channel) => golden.data[index]! - transform(actual.data[index]!, channel));
  const inside = squares((index, channel) => golden.data[index]! - mean[channel]!);
  const total = errors.reduce((sum, square) => sum + square, 0);
  const isMet = (channel: number): boolean => inside[channel]! > 0 && left[channel]! <= MAX_LEFT_OF_SPREAD ** 2 * inside[channel]!;
  const unmet = errors.reduce((sum, square, channel) => (isMet(channel) ? sum : sum + square), 0);
  const numWrong = errors.filter((square) => square > MAX_UNMET * total).length;
  return numWrong >= minWrong && unmet <= MAX_UNMET * total;
}
