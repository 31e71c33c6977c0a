import type { WindowMask } from './gpuStatsPool';
import type { WindowFeatures } from './gpuWholeWindows';
import type { PoolJob } from './pooledBackend';
import { frameWeights } from './statsPool';

/** Features of windows on the GPU. */
export interface PoolFeatures extends WindowFeatures {
  /** Whether the features of each window certainly differ between its frames, so they are not zero without their mean. */
  readonly varies: readonly boolean[];
  /** Of the largest batch, for which memory is reserved. */
  readonly numWindows: number;
  readonly numSpeakers: number;
}

/** Commands on a result that is still on the GPU. */
export type OnResult = (encoder: GPUCommandEncoder, embeddings: GPUBuffer, bytes: number) => void;

/** Embeddings of a batch, without a check of their values. */
export interface PooledBatch {
  /** Axes (mask of all jobs, dimension). Undefined for a mask without frames. */
  readonly embeddings: Float32Array;
  readonly masks: readonly WindowMask[];
}

/** A network with statistics pooling on a GPU. */
export interface GpuPooledNetwork {
  /** Maximum number of windows of a batch. */
  maxWindows(numFrames: number): number;
  /**
   * Computes a batch of windows. Values that broke on the way become NaN.
   *
   * @param jobs at most {@link maxWindows}
   * @param beforeReadback adds commands to the submission that copies the embeddings
   * @throws VoxlaneError `gpu-memory`, `gpu-lost`, `backend-failed`; `gpu-wrong`
   */
  embed(features: PoolFeatures, jobs: readonly PoolJob[], beforeReadback: OnResult): Promise<PooledBatch>;
  /** Frees all GPU memory. */
  release(): Promise<void>;
}

/**
 * The masks of all jobs, in their order, with the weights of the frames.
 *
 * @param mapFrames frames of a window's map
 * @returns axes (mask of all jobs); `window` is the index of the job in the batch
 */
export function masksOf(jobs: readonly PoolJob[], mapFrames: number): WindowMask[] {
  return jobs.flatMap(({ masks }, window) => masks.map((mask) => ({ window, weights: frameWeights(mask, mapFrames) })));
}

/** Divides jobs into batches of almost equal size, in their order. @param most maximum size of a batch, at least 1 */
export function divideJobs<Job>(jobs: readonly Job[], most: number): Job[][] {
  const numBatches = Math.ceil(jobs.length / most);
  const endOf = (batch: number): number => Math.floor((batch * jobs.length) / numBatches);
  return Array.from({ length: numBatches }, (_, batch) => jobs.slice(endOf(batch), endOf(batch + 1)));
}
