import { badGraph } from '../onnx/nodes';
import type { PooledHead } from '../onnx/pooled';
import { sizeOf } from '../util/shape';
import { usedFrames } from './mask';

/** The network's feature map of one window, before pooling. */
export interface FrameMap {
  /** Axes (channel, frame), row-major. Channels and frequencies are merged into one axis, channels first. */
  readonly data: Float32Array;
  readonly numFrames: number;
}

/**
 * Number of frames of a map. A graph whose mel axis has no fixed size accepts features of any size, but only one size gives the map that
 * its last layer was made for.
 *
 * @param shape axes (batch, channel …, frame)
 * @throws VoxlaneError `model-invalid` if the map has another number of channels than the pooling
 */
export function framesOfMap(shape: readonly number[], { numChannels }: Pick<PooledHead, 'numChannels'>): number {
  const channels = shape.slice(1, -1);
  if (sizeOf(channels) !== numChannels) throw unfitMap(numChannels, channels.join(' × '));
  return shape.at(-1)!;
}

/** Creates the error for a map with another number of channels. @param found in words or numbers */
export const unfitMap = (numChannels: number, found: string): Error =>
  badGraph(`The graph's pooling expects ${numChannels} channels, but with the features of this model its map has ${found}`, 'a graph for as many mel bins as the manifest states');

/** pyannote's epsilon. It prevents division by zero for an empty mask and for a mask of a single frame. */
const EPSILON = 1e-8;

/**
 * Weight of each frame of a map for a mask: 1 if the nearest mask frame is active.
 *
 * Matches `F.interpolate(mode='nearest')` in `StatsPool.forward` of pyannote.audio 4.0.7.
 *
 * @param mask axes (mask frame), 0 or 1
 * @param numFrames of the map
 * @returns axes (frame)
 */
export function frameWeights(mask: Uint8Array, numFrames: number): Float32Array<ArrayBuffer> {
  const weights = new Float32Array(numFrames);
  for (const frame of usedFrames(mask, numFrames)) weights[frame] = 1;
  return weights;
}

/** Whether a mask has no frame, so its embedding is NaN. */
export const isEmpty = (weights: Float32Array): boolean => weights.every((weight) => weight === 0);

/** Divisors of a mask's mean and variance. */
interface Divisors {
  readonly mean: number;
  readonly variance: number;
}

/**
 * Computes the divisors of the weighted mean and the unbiased weighted variance, as in pyannote. With `v1 = Σ w + ε`
 * and `v2 = Σ w²`, the variance is divided by `v1 - v2 / v1 + ε`, which is the number of frames minus one if all
 * weights are 1. In float32 as in pyannote: ε is lost next to a whole frame, so the deviation of a single frame is 0.
 */
export function divisorsOf(weights: Float32Array): Divisors {
  const sum = Math.fround(weights.reduce((total, weight) => total + weight, 0) + EPSILON);
  const squares = Math.fround(weights.reduce((total, weight) => total + weight * weight, 0));
  return { mean: sum, variance: Math.fround(Math.fround(sum - Math.fround(squares / sum)) + EPSILON) };
}

/**
 * Computes the weighted mean and standard deviation of each channel.
 *
 * Matches `StatsPool` of pyannote.audio 4.0.7 with two exceptions: sums are in float64, and a mask without frames
 * returns NaN. In pyannote, ε turns it into zeros, so all speakers without speech would have the same embedding.
 *
 * @param weights for each mask, axes (frame), not negative
 * @returns axes (mask, statistic): the means of all channels, then their deviations
 */
export function statsPool({ data, numFrames }: FrameMap, weights: readonly Float32Array[]): Float64Array {
  const numChannels = data.length / numFrames;
  const statistics = new Float64Array(weights.length * 2 * numChannels).fill(NaN);
  weights.forEach((own, mask) => {
    if (isEmpty(own)) return;
    const divisors = divisorsOf(own);
    const first = mask * 2 * numChannels;
    for (let channel = 0; channel < numChannels; channel++) {
      const frames = data.subarray(channel * numFrames, (channel + 1) * numFrames);
      const mean = weightedSum(frames, own, (value) => value) / divisors.mean;
      const variance = weightedSum(frames, own, (value) => (value - mean) ** 2) / divisors.variance;
      statistics[first + channel] = mean;
      statistics[first + numChannels + channel] = Math.sqrt(variance);
    }
  });
  return statistics;
}

function weightedSum(values: Float32Array, weights: Float32Array, term: (value: number) => number): number {
  let sum = 0;
  for (let frame = 0; frame < values.length; frame++) sum += weights[frame]! * term(values[frame]!);
  return sum;
}

/**
 * Computes the embedding of each mask: the network's last layer applied to its statistics, minus the mean vector.
 *
 * @param weights as in {@link statsPool}
 * @returns axes (mask, dimension); NaN for a mask without frames
 */
export function poolEmbeddings(map: FrameMap, weights: readonly Float32Array[], head: PooledHead): Float32Array<ArrayBuffer> {
  const { weight, embeddingSize, numChannels } = head;
  const numStatistics = 2 * numChannels;
  const statistics = statsPool(map, weights);
  const offsets = headOffsets(head);
  return Float32Array.from({ length: weights.length * embeddingSize }, (_, index) => {
    const mask = Math.floor(index / embeddingSize);
    const dimension = index % embeddingSize;
    let sum = offsets[dimension]!;
    for (let i = 0; i < numStatistics; i++) sum += weight[dimension * numStatistics + i]! * statistics[mask * numStatistics + i]!;
    return sum;
  });
}

/** Offset after the matrix product, axes (dimension): the bias minus the mean vector. */
export function headOffsets({ bias, meanVector }: PooledHead): Float32Array<ArrayBuffer> {
  return Float32Array.from(bias, (value, dimension) => value - (meanVector?.[dimension] ?? 0));
}
