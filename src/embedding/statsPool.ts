import type { PooledHead } from '../onnx/pooled';
import { usedFrames } from './mask';

/** What one window's network gives before it pools. */
export interface FrameMap {
  /** Axes (channel, frame), row-major; what has channels and frequencies has them in one axis, channels first. */
  readonly data: Float32Array;
  readonly numFrames: number;
}

/** pyannote's: it keeps an empty mask, and one of a single frame, from dividing by zero. */
const EPSILON = 1e-8;

/**
 * How much each frame of a map counts for a mask: 1 where the nearest frame of the mask is on.
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

/** Whether a mask has no frame at all: pooled over nothing, an embedding is not a number. */
export const isEmpty = (weights: Float32Array): boolean => weights.every((weight) => weight === 0);

/** What the mean and the variance of a mask are divided by. */
export interface Divisors {
  readonly mean: number;
  readonly variance: number;
}

/**
 * Of the weighted mean and the unbiased weighted variance, as pyannote has them: with `v1 = Σ w + ε`, `v2 = Σ w²`, the
 * variance is divided by `v1 - v2 / v1 + ε`, which is the number of frames less one where all weights are 1. In float32
 * like there: ε is lost beside a whole frame, so that the deviation of a single frame is 0.
 */
export function divisorsOf(weights: Float32Array): Divisors {
  const sum = Math.fround(weights.reduce((total, weight) => total + weight, 0) + EPSILON);
  const squares = Math.fround(weights.reduce((total, weight) => total + weight * weight, 0));
  return { mean: sum, variance: Math.fround(Math.fround(sum - Math.fround(squares / sum)) + EPSILON) };
}

/**
 * The weighted mean and standard deviation of each channel.
 *
 * Matches `StatsPool` of pyannote.audio 4.0.7 but for two things: sums are of float64, and a mask without any frame gives
 * NaN, where pyannote's ε gives zeros, and thus one and the same embedding for all that never spoke.
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
 * The embedding of each mask: its statistics through the network's last layer, less the mean vector.
 *
 * @param weights as {@link statsPool}
 * @returns axes (mask, dimension); NaN for a mask without any frame
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

/** What is added after the matrix product, axes (dimension): the bias less the mean vector. */
export function headOffsets({ bias, meanVector }: PooledHead): Float32Array<ArrayBuffer> {
  return Float32Array.from(bias, (value, dimension) => value - (meanVector?.[dimension] ?? 0));
}
