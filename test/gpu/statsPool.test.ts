/** Compares the pooling of batches on WebGPU with that on WASM, on Dawn in Node. */
import { expect, test } from 'vitest';
import { type GpuFrameMaps, GpuStatsPool, mapsByChannel } from '../../src/embedding/gpuStatsPool';
import { poolEmbeddings, statsPool } from '../../src/embedding/statsPool';
import { uploadBuffer } from '../../src/gpu/buffers';
import { concatenate } from '../../src/util/values';
import { noise } from '../kernels/fixtures/goldens';
import { greatestDifference } from '../kernels/greatestDifference';
import { installDawn } from './dawn';
import { HEAD, NUM_CHANNELS, NUM_FRAMES, ROUNDING } from './pooledHead';
import { describeUnless } from '../skips';

const missing = await installDawn();

describeUnless(missing)('pooling of a batch', () => {
  test('of several windows and masks matches WASM in both layouts of maps', async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter!.requestDevice();
    const windows = [1, 2, 3].map((seed) => noise(NUM_CHANNELS * NUM_FRAMES, seed));
    const weightsOf = (step: number): Float32Array => Float32Array.from({ length: NUM_FRAMES }, (_, frame) => Number(frame % step === 0));
    const empty = new Float32Array(NUM_FRAMES);
    const masks = [{ window: 2, weights: weightsOf(1) }, { window: 0, weights: weightsOf(2) }, { window: 0, weights: empty }, { window: 1, weights: weightsOf(3) }];
    const mapOf = (window: number) => ({ data: windows[window]!, numFrames: NUM_FRAMES });
    const expected = {
      statistics: concatenate(masks.map(({ window, weights }) => Float32Array.from(statsPool(mapOf(window), [weights])))),
      embeddings: concatenate(masks.map(({ window, weights }) => poolEmbeddings(mapOf(window), [weights], HEAD))),
    };

    // As in imageLayout.ts: 3 channels of 3 frequencies, axes (window, frame, frequency, channel), with padding around frames and frequencies.
    const [inner, outer] = [3, 3];
    const frameStride = (inner + 2) * outer;
    const windowStride = (NUM_FRAMES + 1) * frameStride;
    const base = frameStride + outer;
    const padded = new Float32Array(frameStride + windows.length * windowStride).fill(100);
    for (const [window, data] of windows.entries()) {
      for (const [i, value] of data.entries()) {
        const [channel, frame] = [Math.floor(i / NUM_FRAMES), i % NUM_FRAMES];
        padded[base + window * windowStride + frame * frameStride + (channel % inner) * outer + Math.floor(channel / inner)] = value;
      }
    }
    const layouts: GpuFrameMaps[] = [
      mapsByChannel(uploadBuffer(device, 'maps', concatenate(windows) as Float32Array<ArrayBuffer>), NUM_FRAMES, NUM_CHANNELS),
      { buffer: uploadBuffer(device, 'maps', padded), numFrames: NUM_FRAMES, base, windowStride, frameStride, inner, outerStride: 1, innerStride: outer },
    ];
    const pooling = await GpuStatsPool.create(device, HEAD);
    for (const maps of layouts) {
      const actual = await pooling.pool(maps, masks);
      for (const name of ['statistics', 'embeddings'] as const) {
        expect(actual[name].map((value) => Number(Number.isNaN(value))), name).toEqual(expected[name].map((value) => Number(Number.isNaN(value))));
        expect(greatestDifference(actual[name].filter(Number.isFinite), expected[name].filter(Number.isFinite)), name).toBeLessThan(ROUNDING);
      }
    }
    device.destroy();
  });
});
