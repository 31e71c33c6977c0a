/** A small pooling head, for the tests of pooling. */
import type { PooledHead } from '../../src/onnx/pooled';
import { noise } from '../kernels/fixtures/goldens';

export const NUM_CHANNELS = 9;
export const NUM_FRAMES = 17;
export const EMBEDDING_SIZE = 4;
export const HEAD: PooledHead = {
  weight: noise(EMBEDDING_SIZE * 2 * NUM_CHANNELS, 1),
  bias: noise(EMBEDDING_SIZE, 2),
  meanVector: null,
  embeddingSize: EMBEDDING_SIZE,
  numChannels: NUM_CHANNELS,
};

/** Sums of some tens of float32 terms of order 1. */
export const ROUNDING = 1e-5;
