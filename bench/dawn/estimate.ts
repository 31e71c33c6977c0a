/**
 * Estimates the time of the GPU stages from their work and from assumed rates of a class of GPUs. For each stage:
 *
 *   max(FLOPs / (efficiency · peak), bytes / bandwidth) + recurrence
 *     + dispatches · dispatchSeconds + batches · roundTripSeconds + transferred bytes / link
 *   recurrence = batches · layers · frames · ⌈2 · ⌈windows per batch / 2⌉ / cores⌉ · bytes of a step / coreBandwidth
 *
 * The recurrence is that of the LSTM: one workgroup per direction and two windows computes the frames one after the
 * other, and reads the recurrent weights for each.
 */
import type { Speed } from '../../src/index';
import { mapSizes } from '../../src/embedding/resnetGraph';
import type { EmbeddingManifest } from '../../src/store/manifest';
import { fbankFlopsPerFrame } from '../profile/work';
import {
  campplusDispatches,
  FBANK_DISPATCHES,
  type LayerWork,
  layOut,
  pyannetDispatches,
  resnetBatchWindows,
  resnetDispatches,
  WINDOWS_PER_WORKGROUP,
} from './layers';
import type { Models, Resnet } from './models';
import { GPU_STAGES, type GpuStage } from './stages';
import { framesPerWindow, type Workload } from './workload';

/** Assumed rates of a class of GPUs. They are round figures, not measurements. */
export interface GpuClass {
  readonly name: string;
  /** Of float32, in FLOP/s. */
  readonly peak: number;
  /** Share of the peak that the kernels reach. */
  readonly efficiency: number;
  /** Of the memory, in bytes per second, like the next two. */
  readonly bandwidth: number;
  /** Between one core and the second-level cache. */
  readonly coreBandwidth: number;
  /** Between CPU and GPU. */
  readonly link: number;
  /** Cores that run a workgroup each. */
  readonly cores: number;
  readonly dispatchSeconds: number;
  readonly roundTripSeconds: number;
  readonly windowsPerBatch: number;
}

export const CLASSES: readonly GpuClass[] = [
  { name: 'integrated', peak: 1.5e12, efficiency: 0.2, bandwidth: 50e9, coreBandwidth: 50e9, link: 10e9, cores: 8, dispatchSeconds: 20e-6, roundTripSeconds: 1e-3, windowsPerBatch: 8 },
  { name: 'mid-range discrete', peak: 10e12, efficiency: 0.2, bandwidth: 300e9, coreBandwidth: 80e9, link: 8e9, cores: 30, dispatchSeconds: 10e-6, roundTripSeconds: 1e-3, windowsPerBatch: 32 },
  { name: 'data-center', peak: 50e12, efficiency: 0.2, bandwidth: 2000e9, coreBandwidth: 100e9, link: 20e9, cores: 130, dispatchSeconds: 10e-6, roundTripSeconds: 1e-3, windowsPerBatch: 32 },
];

/** Work of a stage in a whole run. */
export interface StageWork {
  readonly flops: number;
  /** Least traffic of the GPU's memory. */
  readonly bytes: number;
  readonly dispatches: number;
  readonly batches: number;
  /** Between CPU and GPU, both ways. */
  readonly transferred: number;
  /** Steps of the recurrence of one batch, and bytes of each. */
  readonly recurrence: { readonly steps: number; readonly stepBytes: number } | null;
}

const FLOAT_BYTES = 4;

/** Continues the windows of a recording that repeats after `period` windows. */
export function repeated({ voiceFrames }: Workload, period: number, numWindows: number): Workload {
  return { numWindows, voiceFrames: Array.from({ length: numWindows }, (_, window) => voiceFrames[window % period]!) };
}

/** Leaves only the embeddings that `fast` computes: those of windows at a hop, and of the last window. */
export function atSpeed({ numWindows, voiceFrames }: Workload, speed: Speed, hop: number): Workload {
  if (speed === 'exact') return { numWindows, voiceFrames };
  const isEmbedded = (window: number): boolean => window % hop === 0 || window === numWindows - 1;
  return { numWindows, voiceFrames: voiceFrames.map((voices, window) => (isEmbedded(window) ? voices : [])) };
}

/** An embedding model of an estimate. */
export interface EmbeddingWork {
  readonly manifest: EmbeddingManifest;
  readonly work: { readonly numWeights: number };
  /** Work of the windows with speech of one batch of the segmentation. @param voices axes (window, local speaker): feature frames */
  readonly of: (voices: readonly (readonly number[])[], windowFrames: number) => LayerWork & Pick<StageWork, 'dispatches' | 'batches' | 'transferred'>;
}

const sum = (parts: readonly LayerWork[]): LayerWork =>
  parts.reduce((all, { multiplyAdds, values }) => ({ multiplyAdds: all.multiplyAdds + multiplyAdds, values: all.values + values }), { multiplyAdds: 0, values: 0 });

/** CAM++: all local speakers in one batch, by the number of their frames. */
export const campplusEmbedding = ({ manifest, graph, work }: Models['embedding']): EmbeddingWork => ({
  manifest,
  work,
  of: (voices) => {
    const lengths = voices.flat();
    return {
      ...sum(lengths.map(work.of)),
      dispatches: campplusDispatches(graph, layOut(graph, lengths)),
      batches: 1,
      // The used frames of each speaker are uploaded as a list.
      transferred: FLOAT_BYTES * (lengths.reduce((all, length) => all + length, 0) + lengths.length * manifest.embeddingSize),
    };
  },
});

/** ResNet34: windows in batches that fit into memory, with the local speakers of each. */
export const resnetEmbedding = ({ manifest, graph, work }: Resnet): EmbeddingWork => ({
  manifest,
  work,
  of: (voices, windowFrames) => {
    const { numMelBins } = manifest.fbank;
    const numVoices = voices.flat().length;
    const batches = Math.ceil(voices.length / resnetBatchWindows(graph, windowFrames, numMelBins));
    const mapFrames = mapSizes(graph, windowFrames, numMelBins).at(-1)!.numFrames;
    return {
      ...sum([...voices.map(() => work.of(windowFrames)), ...Array.from({ length: numVoices }, () => work.ofSpeaker(windowFrames))]),
      dispatches: batches * resnetDispatches(graph),
      batches,
      // Each mask has a weight for each frame of the map.
      transferred: FLOAT_BYTES * numVoices * (mapFrames + manifest.embeddingSize),
    };
  },
});

/** Sums the work of all batches of a run. */
export function workOf(
  { numWindows, voiceFrames }: Workload,
  models: Models,
  windowsPerBatch: number,
  embedding: EmbeddingWork = campplusEmbedding(models.embedding),
): Record<GpuStage, StageWork> {
  const { segmentation } = models;
  const { windowSamples, numFrames, powerset } = segmentation.manifest;
  const batches = Math.ceil(numWindows / windowsPerBatch);
  const window = segmentation.work.of(windowSamples);
  const { numFrames: steps, numLayers, weightsPerStep } = segmentation.work.recurrence(windowSamples);
  const scores = numFrames * powerset.mapping.length;

  const { fbank, sampleRate } = embedding.manifest;
  const frames = framesPerWindow({ segmentation, embedding });
  const parts = Array.from({ length: batches }, (_, batch) => voiceFrames.slice(batch * windowsPerBatch, (batch + 1) * windowsPerBatch).filter(({ length }) => length > 0));
  const own = parts.filter(({ length }) => length > 0);
  const embedded = own.reduce((all, { length }) => all + length, 0);
  const voices = own.map((part) => embedding.of(part, frames));
  const total = (count: (batch: (typeof voices)[number]) => number): number => voices.reduce((all, batch) => all + count(batch), 0);
  const embeddingBatches = total((batch) => batch.batches);
  return {
    segmentation: {
      flops: 2 * numWindows * window.multiplyAdds,
      bytes: FLOAT_BYTES * (numWindows * window.values + batches * segmentation.work.numWeights),
      dispatches: batches * pyannetDispatches(segmentation.graph),
      batches,
      transferred: FLOAT_BYTES * numWindows * (windowSamples + scores),
      recurrence: { steps: steps * numLayers, stepBytes: FLOAT_BYTES * weightsPerStep },
    },
    fbank: {
      flops: embedded * frames * fbankFlopsPerFrame(fbank, sampleRate),
      bytes: FLOAT_BYTES * embedded * (windowSamples + frames * fbank.numMelBins),
      dispatches: own.length * FBANK_DISPATCHES,
      batches: own.length,
      transferred: FLOAT_BYTES * embedded * windowSamples,
      recurrence: null,
    },
    embedding: {
      flops: 2 * total((batch) => batch.multiplyAdds),
      bytes: FLOAT_BYTES * (total((batch) => batch.values) + embeddingBatches * embedding.work.numWeights),
      dispatches: total((batch) => batch.dispatches),
      batches: embeddingBatches,
      transferred: total((batch) => batch.transferred),
      recurrence: null,
    },
  };
}

/** Estimated seconds of a stage; see the formula above. */
export function secondsOf({ flops, bytes, dispatches, batches, transferred, recurrence }: StageWork, gpu: GpuClass): number {
  const kernels = Math.max(flops / (gpu.efficiency * gpu.peak), bytes / gpu.bandwidth);
  const rounds = Math.ceil((2 * Math.ceil(gpu.windowsPerBatch / WINDOWS_PER_WORKGROUP)) / gpu.cores);
  const steps = recurrence ? (batches * recurrence.steps * rounds * recurrence.stepBytes) / gpu.coreBandwidth : 0;
  return kernels + steps + dispatches * gpu.dispatchSeconds + batches * gpu.roundTripSeconds + transferred / gpu.link;
}

/** Estimate of one run. */
export interface Estimate {
  readonly gpu: GpuClass;
  /** Id of the embedding model. */
  readonly embedding: string;
  readonly speed: Speed;
  readonly audioSeconds: number;
  readonly work: Readonly<Record<GpuStage, StageWork>>;
  readonly seconds: Readonly<Record<GpuStage, number>>;
}

/** @param embedding the embedding model; default: CAM++ */
export function estimate(
  workload: Workload,
  models: Models,
  gpu: GpuClass,
  run: Pick<Estimate, 'speed' | 'audioSeconds'>,
  embedding: EmbeddingWork = campplusEmbedding(models.embedding),
): Estimate {
  const work = workOf(workload, models, gpu.windowsPerBatch, embedding);
  const seconds = Object.fromEntries(GPU_STAGES.map((stage) => [stage, secondsOf(work[stage], gpu)])) as Estimate['seconds'];
  return { gpu, embedding: embedding.manifest.id, ...run, work, seconds };
}

/** Seconds of the GPU stages of an estimate, one after the other. */
export const sumOf = ({ seconds }: Pick<Estimate, 'seconds'>): number => GPU_STAGES.reduce((all, stage) => all + seconds[stage], 0);

/** Aims for 60 minutes of audio, in seconds. */
export const LIMIT_SECONDS: Readonly<Record<Speed, number>> = { fast: 10, exact: 20 };
/** Length of the audio for which there is an aim. */
export const LIMIT_AUDIO_SECONDS = 3600;
