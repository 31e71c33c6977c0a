/**
 * Both networks on our own WGSL kernels, on Dawn in Node: each kernel against its definition, each stage against
 * PyTorch's goldens and WASM, batches against WASM, and exact counts of dispatches, buffers and bytes.
 *
 * A software adapter takes some seconds to compile a kernel, and computes fifty times slower than WASM, so batches are
 * small and windows short. test/gpu/networks.test.ts has the smallest inputs.
 */
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { cosineDistance } from '../../src/clustering/linearAlgebra';
import { CampplusNet } from '../../src/embedding/campplusNet';
import { GpuCampplus } from '../../src/embedding/gpuCampplus';
import { maskedFeatures } from '../../src/embedding/mask';
import { uploadBuffer } from '../../src/gpu/buffers';
import { type GpuContext, openGpu } from '../../src/gpu/context';
import type { FloatTensor } from '../../src/ort/graph';
import { GpuPyannet } from '../../src/segmentation/gpuPyannet';
import { PyannetNet } from '../../src/segmentation/pyannetNet';
import { parseManifest } from '../../src/store/manifest';
import { installGpuMeter } from '../browser/gpuMeter';
import { installDawn } from '../gpu/dawn';
import { gpuKernels } from '../gpu/networkKernels';
import { fetchFiles } from '../gpu/openInNode';
import { bytesOf, manifestOf, MAX_SHARE } from '../gpu/shippedNetworks';
import { noise } from '../kernels/fixtures/goldens';
import { shareOf } from '../kernels/errorShare';
import { measureNetwork } from '../kernels/networkStages';
import { networkStageTests } from '../kernels/networkStageTests';
import { networkKernelTests, type NetworkKernels } from '../kernels/networkKernelTests';
import { testedBuilds } from '../nn/builds';
import { describeUnless } from '../skips';

const missing = await installDawn();

const MIN_COSINE = 0.99999;
const MAX_SEGMENTATION_DISPATCHES = 90;
const MAX_EMBEDDING_DISPATCHES = 320;
const TIMEOUT_MS = 600_000;

const addressOf = (folder: string): string => new URL(`../../${folder}/`, import.meta.url).href;

/** Counts new buffers from now on. */
function countCreated(): () => number {
  const created = vi.spyOn(GPUDevice.prototype, 'createBuffer');
  return () => created.mock.calls.length;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describeUnless(missing)('networks on WGSL kernels', { timeout: TIMEOUT_MS }, () => {
  let gpu: GpuContext;
  beforeAll(async () => {
    gpu = await openGpu();
    fetchFiles();
  });

  networkStageTests(test, (id) => measureNetwork(id, gpu, addressOf('models'), addressOf('public/goldens')));

  describe.each([['', false], [' of software adapters', true]])('the kernels%s', (_, hasWideTiles) => {
    let opened: NetworkKernels | undefined;
    const own = (): NetworkKernels => (opened ??= gpuKernels(gpu, hasWideTiles));
    const isTested = (title: string): boolean => !hasWideTiles || /product|convolution/.test(title);
    networkKernelTests((title, body) => { if (isTested(title)) test(title, body); }, {
      product: (...parameters) => own().product(...parameters),
      stats: (...parameters) => own().stats(...parameters),
      lstm: (...parameters) => own().lstm(...parameters),
      scores: (...parameters) => own().scores(...parameters),
      gates: (...parameters) => own().gates(...parameters),
      gather: (...parameters) => own().gather(...parameters),
      guard: (...parameters) => own().guard(...parameters),
    });
  });

  describe('segmentation-3.0', () => {
    const manifest = parseManifest('segmentation', manifestOf('segmentation-3.0'), 'segmentation-3.0');
    const bytes = bytesOf('segmentation-3.0');
    let net: GpuPyannet;
    beforeAll(async () => {
      net = await GpuPyannet.open(gpu, bytes, manifest);
    }, TIMEOUT_MS);

    /** Windows of noise with changing loudness. */
    const windows = (count: number, numSamples: number): FloatTensor => ({
      data: noise(count * numSamples, 3).map((value, i) => value * (0.3 + 0.2 * Math.sin(i / 900))),
      shape: [count, 1, numSamples],
    });

    test('matches WASM in batches of any size, with the same dispatches, and reads only scores back', async () => {
      const wasm = PyannetNet.open(bytes, manifest, testedBuilds()[0]);
      const meter = installGpuMeter();
      meter.enter('segmentation');
      for (const [count, numSamples] of [[3, 4000], [1, 4001], [2, 991]] as const) {
        const input = windows(count, numSamples);
        const { data, shape } = await net.run(input);
        const expected = wasm.compute(input);
        expect(shape).toEqual(expected.shape);
        expect(shareOf({ data, shape }, expected)).toBeLessThanOrEqual(MAX_SHARE);
        const { dispatches, bytesBack, submits } = meter.take().segmentation!;
        console.log(`${count} windows of ${numSamples} samples: ${dispatches} dispatches`);
        expect(dispatches).toBe(31);
        expect(dispatches).toBeLessThanOrEqual(MAX_SEGMENTATION_DISPATCHES);
        expect([bytesBack, submits]).toEqual([data.byteLength, 1]);
      }
    });

    test('allocates nothing after the largest batch, and returns the same bits again', async () => {
      const input = windows(2, 4000);
      const first = (await net.run(input)).data;
      const numCreated = countCreated();
      await net.run(windows(1, 3000));
      expect((await net.run(input)).data).toEqual(first);
      expect(numCreated()).toBe(0);
    });
  });

  describe('CAM++', () => {
    const manifest = parseManifest('embedding', manifestOf('campplus-zh-en'), 'campplus-zh-en');
    const bytes = bytesOf('campplus-zh-en');
    const { numMelBins, subtractMean } = manifest.fbank;
    let net: GpuCampplus;
    beforeAll(async () => {
      net = await GpuCampplus.open(gpu, bytes, manifest);
    }, TIMEOUT_MS);

    describe('with speakers of different lengths in one batch', () => {
      // The longest has two segments of gates.
      const [numWindows, numFrames] = [2, 206];
      const features = noise(numWindows * numFrames * numMelBins, 5).map((value, i) => 2 * value + 3 * Math.sin(i / 700));
      const masks = [[1, 1], [0, 9], [1, 5]].map(([window = 0, step = 1], index) => ({
        window,
        mask: Uint8Array.from({ length: numFrames }, (_, frame) => Number(frame % step === 0 && frame >= index)),
      }));
      const jobs = masks.map(({ window, mask }) => ({ window, used: Uint32Array.from(mask.keys()).filter((frame) => mask[frame] === 1) }));

      test('matches WASM for each, reads only embeddings back, and allocates nothing for the next batch', async () => {
        const wasm = CampplusNet.open(bytes, manifest, testedBuilds()[0]);
        const buffer = uploadBuffer(gpu.device, 'features of the test', features);
        const meter = installGpuMeter();
        meter.enter('embedding');
        const embeddings = await net.embed({ buffer, numFrames, numWindows }, jobs, { subtractMean });
        const { dispatches, bytesBack, submits } = meter.take().embedding!;
        console.log(`${jobs.length} speakers: ${dispatches} dispatches`);
        expect(dispatches).toBe(184);
        expect(dispatches).toBeLessThanOrEqual(MAX_EMBEDDING_DISPATCHES);
        expect([bytesBack, submits]).toEqual([embeddings.byteLength, 1]);
        for (const [index, { window, mask }] of masks.entries()) {
          const data = features.subarray(window * numFrames * numMelBins, (window + 1) * numFrames * numMelBins);
          const input = maskedFeatures({ data, numFrames, numMelBins }, mask, subtractMean);
          const expected = wasm.compute({ data: input, shape: [1, input.length / numMelBins, numMelBins] });
          const actual = embeddings.subarray(index * expected.data.length, (index + 1) * expected.data.length);
          expect(shareOf({ data: actual, shape: expected.shape }, expected), `speaker ${index}`).toBeLessThanOrEqual(MAX_SHARE);
          expect(1 - cosineDistance(actual, expected.data), `speaker ${index}`).toBeGreaterThanOrEqual(MIN_COSINE);
        }
        const buffers = vi.spyOn(GPUDevice.prototype, 'createBuffer');
        const groups = vi.spyOn(GPUDevice.prototype, 'createBindGroup');
        const size = manifest.embeddingSize;
        // Shorter items move the others, over the values of the batch before.
        const fewer = await net.embed({ buffer, numFrames }, jobs.slice(1), { subtractMean });
        const shape = [fewer.length / size, size];
        expect(shareOf({ data: fewer, shape }, { data: embeddings.subarray(size), shape })).toBeLessThanOrEqual(1e-6);
        expect(buffers).not.toHaveBeenCalled();
        // The features belong to the caller.
        expect(groups).toHaveBeenCalledTimes(1);
        buffer.destroy();
      });
    });

    test('stays within the limit of dispatches with the most slices', () => {
      expect(net.maxDispatches).toBeLessThanOrEqual(MAX_EMBEDDING_DISPATCHES);
    });
  });
});
