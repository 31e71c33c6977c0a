import { Draft } from '../../onnx/replaceNodes';
import { hasShape } from '../measure';
import type { Cause } from '../report';
import { sizeOf, type Tensor } from '../tensor';
import { CHANNELS, NO_CHANNELS } from './channelNames';
import type { CauseContext } from './context';
import { axesText, distance, errorText, explains, leavesText, MIN_VALUES, type Along } from './proof';

/** Share of what golden spans inside a channel that may be left. */
const MAX_LEFT_OF_SPREAD = 0.1;

/** Share of the squared error that may be in channels that are not met, as little as an explanation may leave. */
const MAX_UNMET = 0.02 ** 2;

/** Golden is ours plus a number for each channel. */
export async function missingBias(context: CauseContext): Promise<Cause | null> {
  for (const view of channelViews(context)) {
    const ours = means(context.actual, view);
    const offsets = Float32Array.from(means(context.golden, view), (mean, channel) => mean - ours[channel]!);
    const cause = proven(context, view, (value, channel) => value + offsets[channel]!);
    if (!cause) continue;
    const bias = await zeroBias(context, offsets);
    const greatest = offsets.reduce((most, offset) => Math.max(most, Math.abs(offset)), 0);
    return {
      id: 'missing-bias',
      evidence: `golden is ours plus one number for each ${cause.axis}, up to ±${errorText(greatest)}${cause.leaves}${bias ? `; ${bias.text}` : ''}`,
      values: { greatest, ...(bias && { weight: bias.name }) },
    };
  }
  return null;
}

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
      return {
        id: 'channel-scale',
        evidence:
          `golden is ours times one factor for each ${cause.axis}, ${errorText(least)} to ${errorText(greatest)}` +
          `${hasOffset ? ', plus one number for each' : ''}${cause.leaves}`,
        values: { least, greatest },
      };
    }
  }
  return null;
}

interface View extends Along {
  readonly name: string;
}

/**
 * The tensor along each axis that may be one of channels: by its name, or because a weight of the layer has an axis of
 * the same size. Each channel has enough values.
 */
function channelViews({ actual: { shape, data }, axes, layer }: CauseContext): View[] {
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

const means = (tensor: Tensor, view: Along): Float64Array => sums(tensor, view).map((sum) => sum / countOf(view));

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

function proven(
  context: CauseContext,
  view: View,
  transform: (value: number, channel: number) => number,
): { axis: string; leaves: string } | null {
  const { actual, golden } = context;
  const error = distance(actual.data, golden.data);
  const left = distance(actual.data, golden.data, (value, index) => transform(value, channelOf(view, index)));
  if (!isShapeKept(context, view, transform)) return null;
  return explains(left, error, context) ? { axis: view.name, leaves: leavesText(left, error) } : null;
}

/**
 * Whether at least two channels are wrong, and nearly all of the error is in channels whose course over their values the
 * transformation meets. Numbers for each channel bring anything near to constant channels, so these prove nothing.
 */
function isShapeKept({ actual, golden }: CauseContext, view: View, transform: (value: number, channel: number) => number): boolean {
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
  return numWrong > 1 && unmet <= MAX_UNMET * total;
}

/** A bias of the layer that holds only zeros, if the stage with these offsets in it is the golden one. */
async function zeroBias(context: CauseContext, offsets: Float32Array): Promise<{ name: string; text: string } | null> {
  const { layer, graph, golden, actual } = context;
  const bias = layer?.weights.find(({ shape, values }) => shape.length === 1 && values.length === offsets.length && values.every((value) => value === 0));
  if (!bias || !graph) return null;
  const changes = graph.nodes.flatMap((node) => {
    if (!node.input.includes(bias.name)) return [];
    const draft = new Draft(node.output[0]!);
    const fitted = draft.floats([offsets.length], offsets);
    const input = node.input.map((name) => (name === bias.name ? fitted : name));
    return [[node.output[0]!, draft.give(draft.copy(node, { input }))] as const];
  });
  const repaired = await graph.run(new Map(changes));
  if (!repaired || !hasShape(repaired, golden.shape)) return null;
  if (!explains(distance(repaired.data, golden.data), distance(actual.data, golden.data), context)) return null;
  const text =
    `all ${offsets.length} values of the bias ${bias.name} of the node ${bias.nodes.join(', ')} are zero; ` +
    'the stage gives the golden values with these numbers in it';
  return { name: bias.name, text };
}
