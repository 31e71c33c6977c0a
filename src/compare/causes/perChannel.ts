import type { Cause } from '../report';
import { sizeOf, type Tensor } from '../tensor';
import { CHANNELS, NO_CHANNELS } from './channelNames';
import type { CauseContext } from './context';
import { axesText, distance, errorText, explains, fittedText, leavesText, MIN_VALUES, type Along } from './proof';

/** Share of what golden spans inside a channel that may be left. */
const MAX_LEFT_OF_SPREAD = 0.1;

/** Share of the squared error that may be in channels that are not met, as little as an explanation may leave. */
const MAX_UNMET = 0.02 ** 2;

/** Golden is ours times a factor for each channel, or that and a number for each channel. */
export function channelScale(context: CauseContext): Cause | null {
  for (const view of channelViews(context)) {
    for (const hasOffset of [false, true]) {
      // Two numbers for each channel are fitted on twice as many values.
      if (hasOffset && countOf(view) < 2 * MIN_VALUES) continue;
      const { factors, offsets } = fitLines(context, view, hasOffset);
      const cause = proven(context, view, (value, channel) => factors[channel]! * value + offsets[channel]!);
      if (!cause) continue;
      const least = factors.reduce((low, factor) => Math.min(low, factor), Infinity);
      const greatest = factors.reduce((high, factor) => Math.max(high, factor), -Infinity);
      // Three digits of 0.9997 and 1.0002 would be the same.
      const factorText = Math.max(Math.abs(least - 1), Math.abs(greatest - 1)) < 0.01 ? fittedText : errorText;
      return {
        id: 'channel-scale',
        evidence:
          `golden is ours times one factor for each ${cause.axis}, ${factorText(least)} to ${factorText(greatest)}` +
          `${hasOffset ? ', plus one number for each' : ''}${cause.leaves}`,
        values: { least, greatest },
      };
    }
  }
  return null;
}

/** A tensor along an axis of channels. */
export interface View extends Along {
  readonly name: string;
}

/**
 * The tensor along each axis that may be one of channels: by its name, or because a weight of the layer has an axis of
 * the same size. Each channel has enough values.
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

/** Of each channel, in float64. */
function sums({ data }: Tensor, view: Along, valueAt = (index: number): number => data[index]!): Float64Array {
  const result = new Float64Array(view.size);
  for (let index = 0; index < data.length; index++) result[channelOf(view, index)]! += valueAt(index);
  return result;
}

/** Of each channel. */
export const means = (tensor: Tensor, view: Along): Float64Array => sums(tensor, view).map((sum) => sum / countOf(view));

/** Least squares in each channel. */
function fitLines({ actual, golden }: CauseContext, view: Along, hasOffset: boolean): { factors: Float64Array; offsets: Float64Array } {
  const zeros = new Float64Array(view.size);
  const ours = hasOffset ? means(actual, view) : zeros;
  const theirs = hasOffset ? means(golden, view) : zeros;
  const centered = (data: Float32Array, mean: Float64Array, index: number): number => data[index]! - mean[channelOf(view, index)]!;
  const products = sums(actual, view, (index) => centered(actual.data, ours, index) * centered(golden.data, theirs, index));
  const squares = sums(actual, view, (index) => centered(actual.data, ours, index) ** 2);
  // A channel without any spread, such as a dead one, has no factor.
  const factors = products.map((product, channel) => (squares[channel]! > 0 ? product / squares[channel]! : 1));
  return { factors, offsets: theirs.map((mean, channel) => mean - factors[channel]! * ours[channel]!) };
}

/**
 * What a transformation of each channel leaves, if it explains the error.
 *
 * @param minWrong fewest channels that must be wrong
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
 * Whether so many channels are wrong, and nearly all of the error is in channels whose course over their values the
 * transformation meets. Numbers for each channel bring anything near to constant channels, so these prove nothing.
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
