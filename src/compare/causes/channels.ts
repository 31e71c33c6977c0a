import type { Cause } from '../report';
import { CHANNELS, NO_CHANNELS } from './channelNames';
import type { CauseContext } from './context';
import { along, distance, explains, leavesText, type Along, type Distance } from './proof';

/** All pairs are compared: of this many channels, four million. */
const MAX_CHANNELS = 2048;

/** Sums with random signs that stand for a channel's values; distances between channels survive in so many. */
const NUM_PROJECTIONS = 24;

/**
 * Fewest values per channel that tell channels apart by themselves. Of fewer, as in an embedding with one each, every
 * channel has some neighbour by chance.
 */
const MIN_VALUES_PER_CHANNEL = 8;

/** Share of the distance between a golden channel and the one nearest to it that a match may be wrong by. */
const MAX_SHARE_OF_GAP = 0.05;

/** Channels that the evidence lists. */
const MAX_LISTED = 8;

/** The channels of ours are in another order: where it has no name, `order[i]` is our channel that is golden's `i`. */
export function channelOrder(context: CauseContext): Cause | null {
  for (const name of channelAxes(context)) {
    const cause = orderAlong(context, name);
    if (cause) return cause;
  }
  return null;
}

/** Names of the axes that are channels by name; if there are none, of those of the size of an axis of the layer's weights. */
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
  // Named first: where channels are alike, such as dead ones, the match takes one for another.
  for (const { text, kind, order } of namedOrders(view.size, matched)) {
    const left = proven(order);
    if (!left) continue;
    return { id: 'channel-order', evidence: `golden has ${text(name)}${leavesText(left, error)}`, values: { kind } };
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
      `golden has ours in another order along ${name}: ${moved.length} of ${view.size} moved ` +
      `(golden ← ours: ${listed})${leavesText(left, error)}`,
    values: { kind: 'permuted', order },
  };
}

/** How well golden is ours with the halves of the channels swapped, as an LSTM's directions are; null where it is not. */
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
    { kind: 'reversed', text: (axis) => `ours reversed along ${axis}`, order: every.toReversed() },
  ];
  if (size % 2 === 0) {
    const half = size / 2;
    const evenFirst = every.map((index) => (index < half ? 2 * index : 2 * (index - half) + 1));
    orders.push(
      {
        kind: 'halves-swapped',
        text: (axis) => `ours with the halves along ${axis} swapped`,
        order: rotation(size, half),
      },
      {
        kind: 'interleaved',
        text: (axis) => `ours de-interleaved along ${axis}: the even ones first`,
        order: evenFirst,
      },
      {
        kind: 'interleaved',
        text: (axis) => `ours interleaved along ${axis}: the halves one by one`,
        order: every.map((index) => evenFirst.indexOf(index)),
      },
    );
  }
  const by = matched ? mostCommon(matched.order.map((ours, theirs) => (ours - theirs + size) % size)) : 0;
  if (by !== 0) {
    orders.push({ kind: 'rotated', text: (axis) => `ours rotated by ${by} along ${axis}`, order: rotation(size, by) });
  }
  return orders;
}

const rotation = (size: number, by: number): number[] => Array.from({ length: size }, (_, index) => (index + by) % size);

/** Between golden and ours with the channels in this order. */
function distanceOf({ actual, golden }: CauseContext, { size, stride }: Along, order: readonly number[]): Distance {
  return distance(actual.data, golden.data, (_, index) => {
    const channel = Math.floor(index / stride) % size;
    return actual.data[index + (order[channel]! - channel) * stride]!;
  });
}

/** Our channel for each golden one, and what they were matched by. */
interface Match {
  readonly order: readonly number[];
  readonly ours: Sketch;
  readonly golden: Sketch;
}

/** Takes for each golden channel the nearest of ours that is still free. */
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
      // The first of all where no distance is a number.
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

/** A match of channels with few values counts only where it is far nearer than any other would be. */
function isClear({ order, ours, golden }: Match, { blocks, stride }: Along): boolean {
  if (blocks * stride >= MIN_VALUES_PER_CHANNEL) return true;
  const total = order.reduce((sum, our, channel) => sum + squaredDistance(golden, channel, ours, our), 0);
  const gaps = order.map((_, channel) => {
    let gap = Infinity;
    for (let other = 0; other < order.length; other++) {
      const found = squaredDistance(golden, channel, golden, other);
      // Channels that are exactly alike, such as dead ones, may be exchanged.
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

/** The channels' values as they are, or where these are many, sums of them with random signs. */
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

/** A bit for each projection, the same on every call: xorshift. */
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
