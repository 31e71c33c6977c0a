/**
 * The GPU kernels on a page without a user interface, for tests and benchmarks. Arrays are transferred as base64, because
 * transferring ten seconds of audio as lists of numbers takes longer than the GPU computation.
 */
import { GpuGather } from '../../src/embedding/gpuGather';
import { GpuResnet } from '../../src/embedding/gpuResnet';
import { GpuStatsPool, mapsByChannel } from '../../src/embedding/gpuStatsPool';
import { openPooledEmbedder } from '../../src/embedding/pooledEmbedder';
import { type DispatchLimits, featureBytes, GpuFbank, type GpuFbankSpec } from '../../src/features/gpuFbank';
import { Fbank } from '../../src/features/fbank';
import { adapterName, requestAdapter, requestDevice } from '../../src/gpu/adapter';
import { compileKernel, computeLayout } from '../../src/gpu/compile';
import { openGpu, readBack } from '../../src/gpu/context';
import { parseOnnx } from '../../src/onnx/model';
import { resnetLayers, splitAtPooling, type PooledHead } from '../../src/onnx/pooled';
import type { EmbeddingManifest, FbankSpec, ShippedModel } from '../../src/store/manifest';
import { VoxlaneError, type ErrorParts } from '../../src/util/errors';
import { measureNetwork, type NetworkErrors } from '../kernels/networkStages';

/** Windows for {@link KernelsPage.fbank}. */
export interface FbankRequest {
  readonly facts: GpuFbankSpec;
  readonly sampleRate: number;
  /** Axes (window, sample), float32 as base64. */
  readonly samples: string;
  readonly numWindows: number;
  /** Limits below those of the device, for testing. */
  readonly limits: DispatchLimits | null;
}

/** One local speaker for {@link KernelsPage.gather}. */
export interface GatherRequest {
  /** Axes (window, frame, mel), float32 as base64. */
  readonly features: string;
  readonly numFrames: number;
  readonly numMelBins: number;
  readonly window: number;
  /** Axes (mask frame), 0 or 1. */
  readonly mask: number[];
  readonly subtractMean: boolean;
}

/** A map for {@link KernelsPage.statsPool}. */
export interface PoolRequest {
  /** Axes (channel, frame), float32 as base64. */
  readonly map: string;
  /** For each mask, axes (frame). */
  readonly weights: number[][];
  readonly numChannels: number;
  readonly embeddingSize: number;
  /** Axes (dimension, statistic), float32 as base64. */
  readonly weight: string;
  readonly bias: number[];
  readonly meanVector: number[] | null;
}

/** Windows for {@link KernelsPage.resnet}. */
export interface ResnetRequest {
  /** Address of the ONNX file. */
  readonly model: string;
  readonly manifest: EmbeddingManifest;
  /** Axes (window, sample), float32 as base64. */
  readonly samples: string;
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: number[];
  readonly numWindows: number;
  readonly numSpeakers: number;
}

/** Both filterbanks with the same noise as input, for the benchmark. */
export interface OpenFbanks {
  /** From samples in JavaScript to features on the GPU. */
  runGpu(): Promise<void>;
  /** From samples to features in JavaScript. */
  runCpu(): void;
  close(): void;
}

let device: GPUDevice | undefined;
const fbanks = new Map<string, Promise<GpuFbank>>();
const gathers = new Map<boolean, Promise<GpuGather>>();

function opened(): GPUDevice {
  if (!device) throw new Error('call open() first');
  return device;
}

/** Returns the cached value for `key`, or creates it. */
function kept<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

const kernelsPage = {
  /** Opens the GPU and returns the adapter's name. Uncaptured GPU errors become page errors. */
  async open(): Promise<string> {
    const adapter = await requestAdapter();
    if (!adapter) throw new Error('there is no WebGPU adapter');
    device = await requestDevice(adapter);
    device.addEventListener('uncapturederror', ({ error }) => {
      reportError(error);
    });
    return adapterName(adapter);
  },

  /** Features of the windows: axes (window, frame, mel), float32 as base64. */
  async fbank({ facts, sampleRate, samples, numWindows, limits }: FbankRequest): Promise<string> {
    const key = JSON.stringify([facts, sampleRate, limits]);
    const make = () => GpuFbank.create(opened(), facts, sampleRate, limits ?? undefined);
    const features = (await kept(fbanks, key, make)).compute(floatsOf(samples), numWindows);
    return base64Of(await readBack(opened(), features.buffer, featureBytes(features)));
  },

  /** Features of the local speaker: axes (used frame, mel), float32 as base64. */
  async gather({ features, numFrames, numMelBins, window, mask, subtractMean }: GatherRequest): Promise<string> {
    const data = floatsOf(features);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    const buffer = opened().createBuffer({ label: 'features', size: data.byteLength, usage });
    opened().queue.writeBuffer(buffer, 0, data);
    const kernel = await kept(gathers, subtractMean, () => GpuGather.create(opened(), subtractMean));
    const gathered = kernel.gather({ buffer, numFrames, numMelBins }, window, Uint8Array.from(mask));
    const result = gathered ? await readBack(opened(), gathered.buffer) : new Float32Array(0);
    gathered?.buffer.destroy();
    buffer.destroy();
    return base64Of(result);
  },

  /** Statistics, axes (mask, statistic), and embeddings, axes (mask, dimension): float32 as base64. */
  async statsPool(request: PoolRequest): Promise<{ statistics: string; embeddings: string }> {
    const { weights, numChannels, embeddingSize, bias, meanVector } = request;
    const head = {
      weight: floatsOf(request.weight),
      bias: Float32Array.from(bias),
      meanVector: meanVector && Float32Array.from(meanVector),
      numChannels,
      embeddingSize,
    };
    const masks = weights.map((own) => Float32Array.from(own));
    const { statistics, embeddings } = await poolOf(opened(), floatsOf(request.map), masks, head);
    return { statistics: base64Of(statistics), embeddings: base64Of(embeddings) };
  },

  /**
   * Runs a ResNet on the GPU. Returns the embeddings of each local speaker, and all stages of the first window with all frames
   * assigned to one speaker. Float32 as base64, by stage name.
   */
  async resnet(request: ResnetRequest): Promise<{ stages: Record<string, string>; embeddings: string; backboneRuns: number }> {
    const { manifest, numWindows, numSpeakers } = request;
    const bytes = new Uint8Array(await (await fetch(request.model)).arrayBuffer());
    const gpu = await openGpu();
    const options = { runtimeBase: new URL('ort/', document.baseURI).href, threads: 1, gpu };
    const embedder = await openPooledEmbedder(bytes, manifest, options);
    const windows = floatsOf(request.samples);
    const { embeddings } = await embedder.embed({
      windows,
      activity: Uint8Array.from(request.activity),
      numWindows,
      numSpeakers,
    });
    const { backboneRuns } = embedder;
    let features = new Float32Array(0);
    const embedding = await embedder.embedSegment(windows.slice(0, windows.length / numWindows), (values) => {
      features = values as Float32Array<ArrayBuffer>;
    });
    const stages: Record<string, string> = { fbank: base64Of(features), embedding: base64Of(embedding) };

    const network = splitAtPooling(parseOnnx(bytes, manifest.id));
    const names = new Map([...Array.from(resnetLayers(network), ([layer, value]) => [value, layer] as const), [network.statistics, 'pooling']]);
    const resnet = await GpuResnet.open(gpu, network, manifest.fbank);
    const shape = [1, features.length / manifest.fbank.numMelBins, manifest.fbank.numMelBins];
    await resnet.trace({ data: features, shape }, (name, { data }) => {
      stages[names.get(name)!] = base64Of(data);
      return undefined;
    });
    await resnet.release();
    return { stages, embeddings: base64Of(embeddings), backboneRuns };
  },

  /** Compares every stage of a bundled network with PyTorch and WASM, on its own device. */
  async networkStages(id: ShippedModel): Promise<NetworkErrors> {
    const gpu = await openGpu();
    const [models, goldens] = ['models/', 'goldens/'].map((folder) => new URL(folder, document.baseURI).href) as [string, string];
    try {
      return await measureNetwork(id, gpu, models, goldens);
    } finally {
      gpu.device.destroy();
    }
  },

  /** Compiles `code` with {@link compileKernel}. Returns null on success, else the error. */
  async compile(code: string): Promise<ErrorParts | null> {
    try {
      await compileKernel(opened(), { label: 'test', code, layout: computeLayout(opened(), 'test', ['storage']) });
      return null;
    } catch (error) {
      if (error instanceof VoxlaneError) return error.toParts();
      throw error;
    }
  },

  async openFbanks(facts: FbankSpec, sampleRate: number, numWindows: number, numSamples: number): Promise<OpenFbanks> {
    const samples = Float32Array.from({ length: numWindows * numSamples }, () => Math.random() - 0.5);
    const gpu = await GpuFbank.create(opened(), facts, sampleRate);
    const cpu = new Fbank(facts, sampleRate);
    return {
      runGpu: async () => {
        gpu.compute(samples, numWindows);
        await opened().queue.onSubmittedWorkDone();
      },
      runCpu: () => {
        for (let window = 0; window < numWindows; window++) {
          cpu.compute(samples.subarray(window * numSamples, (window + 1) * numSamples));
        }
      },
      close: () => {
        gpu.destroy();
      },
    };
  },
};

/** Uploads a map, axes (channel, frame), to the GPU and pools it. */
async function poolOf(
  gpuDevice: GPUDevice,
  map: Float32Array,
  weights: readonly Float32Array[],
  head: PooledHead,
): Promise<{ statistics: Float32Array; embeddings: Float32Array }> {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const buffer = gpuDevice.createBuffer({ label: 'map', size: map.byteLength, usage });
  gpuDevice.queue.writeBuffer(buffer, 0, map as Float32Array<ArrayBuffer>);
  const kernel = await GpuStatsPool.create(gpuDevice, head);
  const maps = mapsByChannel(buffer, map.length / head.numChannels, head.numChannels);
  const pooled = await kernel.pool(maps, weights.map((own) => ({ window: 0, weights: own })));
  kernel.destroy();
  buffer.destroy();
  return pooled;
}

function floatsOf(base64: string): Float32Array<ArrayBuffer> {
  const characters = atob(base64);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return new Float32Array(bytes.buffer);
}

function base64Of(values: Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  // In pieces, because the number of arguments of a call is limited.
  const pieces: string[] = [];
  for (let start = 0; start < bytes.length; start += 0x8000) {
    pieces.push(String.fromCharCode(...bytes.subarray(start, start + 0x8000)));
  }
  return btoa(pieces.join(''));
}

declare global {
   
  var voxlaneKernels: KernelsPage;
}

export type KernelsPage = typeof kernelsPage;

globalThis.voxlaneKernels = kernelsPage;
