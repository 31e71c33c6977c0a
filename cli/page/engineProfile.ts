/** Cost of the models' nodes and workload of a recording, for the profiler in `bench/`. */
import { sampleInputs } from '../../src/compare/sampleInputs';
import { coreOf } from '../../src/embedding/core';
import { usedFrames, windowMasks } from '../../src/embedding/mask';
import { CAMPPLUS } from '../../src/engine/settings';
import { countFrames, fbankGeometry } from '../../src/features/fbank';
import { adapterName, requestAdapter, requestDevice } from '../../src/gpu/adapter';
import { Diarizer, type Artifact, type DiarizationResult, type DiarizeOptions, type DiarizerOptions } from '../../src/index';
import { graphInfo, parseOnnx } from '../../src/onnx/model';
import { loadManifest } from '../../src/store/load';
import { profileGraph, type SessionProfile } from './profileGraph';

/** Settings for profiling a graph. */
export interface ProfileRequest {
  readonly backend: 'wasm' | 'webgpu';
  readonly threads: number;
  /** Shape of the graph's first input; null to derive it from `openSize`. */
  readonly shape: readonly number[] | null;
  /** Size of dynamic axes of the inputs, except the first axis: the batch, which is 1. */
  readonly openSize: number;
  readonly numRuns: number;
}

export interface ProfileReply extends SessionProfile {
  /** Shape of the first input. */
  readonly shape: readonly number[];
  /** Null on WASM. */
  readonly adapter: string | null;
  /** Whether kernels were timed on the GPU. */
  readonly hasKernelTimes: boolean;
}

/** Workload of the stages for a recording. */
export interface RunCounts extends Pick<DiarizationResult, 'durationSeconds' | 'timings' | 'backend'> {
  readonly numWindows: number;
  readonly windowSamples: number;
  /** Mel frames of windows with embeddings. */
  readonly fbankFrames: number;
  /** Mel frames per embedded local speaker. */
  readonly voiceFrames: readonly number[];
}

/** Embedding model of the preset that {@link engineProfile.countRun} uses. */
const EMBEDDING_MODEL = 'campplus-zh-en';
const SEGMENTATION_MODEL = 'segmentation-3.0';

export const engineProfile = {
  /** Profiles an ONNX file with generated, reproducible values. The page must not have run a model before. */
  async profileFile(file: Blob, { backend, threads, shape, openSize, numRuns }: ProfileRequest): Promise<ProfileReply> {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const info = graphInfo(parseOnnx(bytes, 'the graph'));
    const inputs = info.inputs.map((input, index) => (shape && index === 0 ? { ...input, shape } : input));
    const samples = sampleInputs({ ...info, inputs }, openSize);
    const feeds = new Map(inputs.map(({ name, dtype }) => [name, { ...samples.get(name)!, dtype }]));
    const gpu = backend === 'webgpu' ? await timedDevice() : null;
    const runtimeBase = new URL('ort/', document.baseURI).href;
    const profile = await profileGraph(bytes, feeds, { runtimeBase, threads, device: gpu?.device ?? null, numRuns });
    return {
      ...profile,
      shape: feeds.get(inputs[0]?.name ?? '')?.shape ?? [],
      adapter: gpu?.name ?? null,
      hasKernelTimes: gpu?.device.features.has('timestamp-query') ?? false,
    };
  },

  /** Diarizes a recording with CAM++ and counts the work of its stages. */
  async countRun(
    file: Blob,
    options: Pick<DiarizerOptions, 'backend' | 'speed' | 'trustGpu'>,
    segment: Pick<DiarizeOptions, 'durationSeconds'>,
  ): Promise<RunCounts> {
    const base = new URL('models/', document.baseURI).href;
    const { sampleRate, minSamples, fbank } = await loadManifest('embedding', EMBEDDING_MODEL, base);
    const segmentation = await loadManifest('segmentation', SEGMENTATION_MODEL, base);
    const { windowSamples } = segmentation;
    const framesPerWindow = countFrames(windowSamples, fbankGeometry(fbank, sampleRate));
    const artifacts: Partial<Record<string, Artifact[]>> = {};
    const diarizer = await Diarizer.create({ ...options, preset: 'campplus' });
    try {
      const { durationSeconds, timings, backend } = await diarizer.diarize(file, {
        ...segment,
        hook: ({ stage, artifact }) => {
          if (artifact) (artifacts[stage] ??= []).push(artifact);
        },
      });
      const activity = windowsOf(artifacts.segmentation);
      const embeddings = windowsOf(artifacts.embedding);
      const voiceFrames = activity.flatMap((own, window) => {
        const rows = embeddings[window]!;
        const numSpeakers = rows.shape[0]!;
        const isLast = window === activity.length - 1;
        const core = options.speed === 'fast' ? coreOf(window, isLast, CAMPPLUS.fastEmbedHop, segmentation) : undefined;
        const masks = windowMasks(own.data as Uint8Array, numSpeakers, windowSamples, minSamples, core);
        return masks
          .filter((_, speaker) => !Number.isNaN(rows.data[(speaker * rows.data.length) / numSpeakers]))
          .map((mask) => usedFrames(mask, framesPerWindow).length);
      });
      const numWindows = activity.length;
      const embedded = embeddings.filter(({ data }) => data.some((value) => !Number.isNaN(value))).length;
      const fbankFrames = embedded * framesPerWindow;
      return { durationSeconds, timings, backend, numWindows, windowSamples, fbankFrames, voiceFrames };
    } finally {
      diarizer.dispose();
    }
  },
};

/** Opens a device that times its kernels if the adapter supports it. */
async function timedDevice(): Promise<{ device: GPUDevice; name: string }> {
  const adapter = await requestAdapter();
  if (!adapter) throw new Error('this browser offers no WebGPU adapter');
  return { device: await requestDevice(adapter, ['timestamp-query']), name: adapterName(adapter) };
}

/** Splits artifacts into windows along their first axis. */
function windowsOf(artifacts: readonly Artifact[] = []): Pick<Artifact, 'shape' | 'data'>[] {
  return artifacts.flatMap(({ shape: [numWindows = 0, ...shape], data }) =>
    Array.from({ length: numWindows }, (_, window) => {
      const size = data.length / numWindows;
      return { shape, data: data.subarray(window * size, (window + 1) * size) };
    }),
  );
}
