/**
 * A device that is lost, or that runs out of memory, at any call of WebGPU: the exact result or a typed error, and a
 * correct result afterward. On Dawn in Node with both networks on our WGSL kernels, from opening them to the self-check.
 *
 * The kernels are trivial ones, because each case opens a new device. gpuModels.test.ts tests the real kernels.
 */
import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { checkEmbedding, checkSegmentation, type ModelCheck } from '../../src/compare/modelCheck';
import { GpuEmbedder } from '../../src/embedding/embedder';
import { GpuCampplus } from '../../src/embedding/gpuCampplus';
import { type GpuContext, openGpu } from '../../src/gpu/context';
import { parseOnnx } from '../../src/onnx/model';
import { GpuPyannet } from '../../src/segmentation/gpuPyannet';
import { parseManifest } from '../../src/store/manifest';
import type { VoxlaneError } from '../../src/util/errors';
import { installTrivialKernels, logCalls, spreadOf } from '../gpu/calls';
import { installDawn } from '../gpu/dawn';
import { fetchFiles } from '../gpu/openInNode';
import { noise } from '../kernels/fixtures/goldens';
import { describeUnless } from '../skips';

// One dense layer per block: the others make the same calls, and their weights take a second to pack.
vi.mock(import('../../src/embedding/campplusGraph'), async (original) => {
  const module = await original();
  let known: ReturnType<typeof module.readCampplus> | undefined;
  return {
    ...module,
    readCampplus: (...parameters) => {
      if (known) return known;
      const network = module.readCampplus(...parameters);
      const blocks = network.blocks.map(({ layers, normalization, transit, ...block }) => {
        const numIn = transit.numIn - (layers.length - 1) * layers[0]!.local.numOut;
        const [scale, shift] = [normalization.scale.subarray(0, numIn), normalization.shift.subarray(0, numIn)];
        return { ...block, layers: layers.slice(0, 1), normalization: { scale, shift }, transit: { ...transit, numIn } };
      });
      known = { ...network, blocks };
      return known;
    },
  };
});

const missing = await installDawn();
if (missing === null) installTrivialKernels();
const log = missing === null ? logCalls() : null!;

const GOLDENS = new URL('../../public/goldens/', import.meta.url).href;
const manifestOf = (id: string): unknown => JSON.parse(readFileSync(`models/${id}/manifest.json`, 'utf8'));
const modelOf = (id: string) => parseOnnx(new Uint8Array(readFileSync(`models/${id}/model.onnx`)), id);

/** What a network computes. */
interface Computed {
  readonly values: Float32Array;
  readonly check: ModelCheck['stages'];
}

interface Network {
  /** Opens the network on a device, and computes a batch and the self-check. */
  readonly compute: (gpu: GpuContext) => Promise<Computed>;
  /** Opens the network once, and returns a function that computes a batch. */
  readonly open: (gpu: GpuContext) => Promise<(numWindows: number) => Promise<Float32Array>>;
}

function segmentation(): Network {
  const manifest = parseManifest('segmentation', manifestOf('segmentation-3.0'), 'segmentation-3.0');
  const model = modelOf(manifest.id);
  const numSamples = 4000;
  const scoresOf = async (net: GpuPyannet, numWindows: number): Promise<Float32Array> =>
    (await net.run({ data: noise(numWindows * numSamples, 1), shape: [numWindows, 1, numSamples] })).data;
  return {
    open: async (gpu) => {
      const net = await GpuPyannet.ofModel(gpu, model, manifest);
      return (numWindows) => scoresOf(net, numWindows);
    },
    compute: async (gpu) => {
      const net = await GpuPyannet.ofModel(gpu, model, manifest);
      const values = await scoresOf(net, 2);
      const { stages } = await checkSegmentation(net, { manifest, backend: 'webgpu' }, GOLDENS);
      await net.release();
      return { values, check: stages };
    },
  };
}

function embedding(): Network {
  const manifest = parseManifest('embedding', manifestOf('campplus-zh-en'), 'campplus-zh-en');
  const model = modelOf(manifest.id);
  const numSamples = 4000;
  const open = async (gpu: GpuContext): Promise<GpuEmbedder> => GpuEmbedder.create(gpu, await GpuCampplus.ofModel(gpu, model, manifest), manifest);
  const embeddingsOf = async (embedder: GpuEmbedder, numWindows: number): Promise<Float32Array> => {
    const activity = new Uint8Array(15 * numWindows).fill(1);
    return (await embedder.embed({ windows: noise(numWindows * numSamples, 1), activity, numWindows, numSpeakers: 1 })).embeddings;
  };
  return {
    open: async (gpu) => {
      const embedder = await open(gpu);
      return (numWindows) => embeddingsOf(embedder, numWindows);
    },
    compute: async (gpu) => {
      const embedder = await open(gpu);
      const values = await embeddingsOf(embedder, 2);
      const { stages } = await checkEmbedding(embedder, { manifest, backend: 'webgpu' }, GOLDENS);
      await embedder.close();
      return { values, check: stages };
    },
  };
}

beforeAll(fetchFiles);
afterEach(() => {
  log.stop();
});

describeUnless(missing).each([['segmentation-3.0', segmentation], ['CAM++', embedding]] as const)('%s on Dawn', { timeout: 300_000 }, (_, make) => {
  const network = make();

  test('a device lost at any call: the exact result, or gpu-lost', async () => {
    const computeOnce = async (lostAt: number): Promise<Computed | VoxlaneError> => {
      const gpu = await openGpu();
      log.start((index) => {
        if (index === lostAt) gpu.device.destroy();
      });
      try {
        return await network.compute(gpu);
      } catch (error) {
        return error as VoxlaneError;
      } finally {
        log.stop();
        gpu.device.destroy();
      }
    };
    const expected = await computeOnce(Infinity);
    expect(expected).not.toBeInstanceOf(Error);
    const { names } = log;
    for (const index of spreadOf(names, 2)) {
      const outcome = await computeOnce(index);
      const call = `${names[index]}, call ${index}`;
      if (outcome instanceof Error) expect(outcome, call).toMatchObject({ code: 'gpu-lost' });
      else expect(outcome, call).toEqual(expected);
    }
    expect(await computeOnce(Infinity)).toEqual(expected);
  });

  test('no memory for any buffer of a batch: gpu-memory, and a smaller batch works without leaked buffers', async () => {
    const gpu = await openGpu();
    const run = await network.open(gpu);
    const live = new Set<GPUBuffer>();
    /* eslint-disable @typescript-eslint/unbound-method -- called with the receiver of the patched method */
    const { createBuffer } = GPUDevice.prototype;
    const { destroy } = GPUBuffer.prototype;
    /* eslint-enable @typescript-eslint/unbound-method */
    let [numCreated, failsAt] = [0, Infinity];
    vi.spyOn(GPUDevice.prototype, 'createBuffer').mockImplementation(function (this: GPUDevice, descriptor) {
      const buffer = createBuffer.call(this, descriptor);
      live.add(buffer);
      if (numCreated++ === failsAt) {
        const error = new GPUOutOfMemoryError('simulated');
        setImmediate(() => this.dispatchEvent(Object.assign(new Event('uncapturederror'), { error })));
      }
      return buffer;
    });
    vi.spyOn(GPUBuffer.prototype, 'destroy').mockImplementation(function (this: GPUBuffer) {
      live.delete(this);
      destroy.call(this);
    });
    const expected = await run(1);
    const numForOne = live.size;
    const attempt = (index: number): Promise<Float32Array | VoxlaneError> => {
      [numCreated, failsAt] = [0, index];
      return run(2).catch((error: unknown) => error as VoxlaneError).finally(() => { failsAt = Infinity; });
    };
    // After a failure, there are buffers for only one window, so the next attempt allocates again.
    let index = 0;
    for (let outcome = await attempt(index); outcome instanceof Error; outcome = await attempt(++index)) {
      expect(outcome, `buffer ${index}`).toMatchObject({ code: 'gpu-memory' });
      expect(await run(1), `buffer ${index}`).toEqual(expected);
      // The filterbank keeps the parameters of two numbers of windows.
      expect(live.size, `buffer ${index}`).toBeLessThanOrEqual(numForOne + 1);
    }
    expect(index).toBe(numCreated);
    expect(index).toBeGreaterThan(10);
    expect(live.size).toBeLessThanOrEqual(numForOne + 1);
    vi.restoreAllMocks();
    gpu.device.destroy();
  });
});
