/** Compares the pooling of a comparison on WebGPU with that on WASM, on Dawn in Node. */
import { describe, expect, test } from 'vitest';
import { poolOnCpu, poolOnGpu } from '../../src/compare/kernelRunner';
import { noise } from '../kernels/fixtures/goldens';
import type { PooledHead } from '../../src/onnx/pooled';
import { installDawn } from './dawn';

const missing = await installDawn();
if (missing !== null) console.log(`skipped: pooling of a comparison: ${missing}`);

const NUM_CHANNELS = 9;
const NUM_FRAMES = 17;
const EMBEDDING_SIZE = 4;
const HEAD: PooledHead = {
  weight: noise(EMBEDDING_SIZE * 2 * NUM_CHANNELS, 1),
  bias: noise(EMBEDDING_SIZE, 2),
  meanVector: null,
  embeddingSize: EMBEDDING_SIZE,
  numChannels: NUM_CHANNELS,
};

/** Sums of some tens of float32 terms of order 1. */
const ROUNDING = 1e-5;

const greatestDifference = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, index) => Math.max(most, Math.abs(value - b[index]!)), a.length === b.length ? 0 : Infinity);

describe.skipIf(missing !== null)('pooling of a comparison', () => {
  test('WGSL matches WASM, and wrong kernel weights affect only the embedding', async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter!.requestDevice();
    const map = { data: noise(NUM_CHANNELS * NUM_FRAMES, 3), numFrames: NUM_FRAMES };
    const expected = await poolOnCpu(HEAD)(map);
    const actual = await (await poolOnGpu(device, HEAD))(map);
    expect(greatestDifference(actual.statistics, expected.statistics)).toBeLessThan(ROUNDING);
    expect(greatestDifference(actual.embeddings, expected.embeddings)).toBeLessThan(ROUNDING);
    const wrong = await (await poolOnGpu(device, { ...HEAD, weight: HEAD.weight.with(5, 1) }))(map);
    expect(greatestDifference(wrong.statistics, expected.statistics)).toBeLessThan(ROUNDING);
    expect(greatestDifference(wrong.embeddings, expected.embeddings)).toBeGreaterThan(0.01);
    device.destroy();
  });
});
