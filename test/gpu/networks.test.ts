/**
 * Both networks on our own WGSL kernels, on Dawn in Node, with inputs as small as possible: a software adapter is slow.
 * test/full/gpuNetworks.test.ts has batches, traces and counts.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { CampplusNet } from '../../src/embedding/campplusNet';
import { GpuCampplus } from '../../src/embedding/gpuCampplus';
import { maskedFeatures } from '../../src/embedding/mask';
import { uploadBuffer } from '../../src/gpu/buffers';
import { type GpuContext, openGpu } from '../../src/gpu/context';
import { GpuPyannet } from '../../src/segmentation/gpuPyannet';
import { PyannetNet } from '../../src/segmentation/pyannetNet';
import { parseManifest } from '../../src/store/manifest';
import { installGpuMeter } from '../browser/gpuMeter';
import { shareOf } from '../kernels/errorShare';
import { noise } from '../kernels/fixtures/goldens';
import { testedBuilds } from '../nn/builds';
import { installDawn } from './dawn';

const missing = await installDawn();
if (missing !== null) console.log(`skipped: small networks on WGSL kernels in Node: ${missing}`);

/** Share of a stage's spread, its greatest minus its least value: float32 with another order of summation. */
const MAX_SHARE = 1e-3;

const manifestOf = (id: string): unknown => JSON.parse(readFileSync(`models/${id}/manifest.json`, 'utf8'));
const bytesOf = (id: string): Uint8Array => new Uint8Array(readFileSync(`models/${id}/model.onnx`));

describe.skipIf(missing !== null)('networks on WGSL kernels', () => {
  let gpu: GpuContext;
  beforeAll(async () => {
    gpu = await openGpu();
  });

  describe('segmentation-3.0', () => {
    const manifest = parseManifest('segmentation', manifestOf('segmentation-3.0'), 'segmentation-3.0');
    const bytes = bytesOf('segmentation-3.0');
    let net: GpuPyannet;
    beforeAll(async () => {
      net = await GpuPyannet.open(gpu, bytes, manifest);
    });

    test('returns exact values for silence and for a constant', async () => {
      const wasm = PyannetNet.open(bytes, manifest, testedBuilds()[0]);
      const data = Float32Array.from({ length: 8000 }, (_, i) => (i < 4000 ? 0 : 0.3));
      const scores = (await net.run({ data, shape: [2, 1, 4000] })).data;
      const half = scores.length / 2;
      expect(scores.subarray(half)).toEqual(scores.subarray(0, half));
      const expected = wasm.compute({ data: data.subarray(0, 4000), shape: [1, 1, 4000] });
      expect(shareOf({ data: scores.subarray(0, half), shape: expected.shape }, expected)).toBeLessThanOrEqual(MAX_SHARE);
    });

    test('reports other inputs, and wrong values', async () => {
      await expect(net.run({ data: new Float32Array(10), shape: [1, 2, 5] })).rejects.toMatchObject({ code: 'backend-failed', problem: expect.stringContaining('1 × 2 × 5') as string });
      const data = noise(1000, 3);
      data[500] = NaN;
      await expect(net.run({ data, shape: [1, 1, 1000] })).rejects.toMatchObject({ code: 'gpu-wrong' });
    });
  });

  describe('CAM++', () => {
    const manifest = parseManifest('embedding', manifestOf('campplus-zh-en'), 'campplus-zh-en');
    const bytes = bytesOf('campplus-zh-en');
    const { numMelBins, subtractMean } = manifest.fbank;
    let net: GpuCampplus;
    beforeAll(async () => {
      net = await GpuCampplus.open(gpu, bytes, manifest);
    });

    test('needs no dispatch without speakers', async () => {
      const meter = installGpuMeter();
      const buffer = uploadBuffer(gpu.device, 'features of the test', new Float32Array(numMelBins));
      expect(await net.embed({ buffer, numFrames: 1 }, [], { subtractMean })).toHaveLength(0);
      expect(meter.take().other?.dispatches ?? 0).toBe(0);
      buffer.destroy();
    });

    test('matches WASM for the frames of one speaker', async () => {
      const numFrames = 24;
      const features = noise(numFrames * numMelBins, 5).map((value, i) => 2 * value + 3 * Math.sin(i / 700));
      // Every third frame belongs to someone else.
      const mask = Uint8Array.from({ length: numFrames }, (_, frame) => Number(frame % 3 !== 1));
      const buffer = uploadBuffer(gpu.device, 'features of the test', features);
      const used = Uint32Array.from(mask.keys()).filter((frame) => mask[frame] === 1);
      const data = await net.embed({ buffer, numFrames }, [{ window: 0, used }], { subtractMean });
      buffer.destroy();
      const input = maskedFeatures({ data: features, numFrames, numMelBins }, mask, subtractMean);
      const expected = CampplusNet.open(bytes, manifest, testedBuilds()[0]).compute({ data: input, shape: [1, input.length / numMelBins, numMelBins] });
      expect(shareOf({ data, shape: expected.shape }, expected)).toBeLessThanOrEqual(MAX_SHARE);
    });
  });
});
