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
import { fbankFlopsPerFrame } from '../profile/work';
import { campplusDispatches, FBANK_DISPATCHES, layOut, pyannetDispatches, WINDOWS_PER_WORKGROUP } from './layers';
import type { Models } from './models';
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

/** Sums the work of all batches of a run. */
export function workOf({ numWindows, voiceFrames }: Workload, models: Models, windowsPerBatch: number): Record<GpuStage, StageWork> {
  const { segmentation, embedding } = models;
  const { windowSamples, numFrames, powerset } = segmentation.manifest;
  const batches = Math.ceil(numWindows / windowsPerBatch);
  const window = segmentation.work.of(windowSamples);
  const { numFrames: steps, numLayers, weightsPerStep } = segmentation.work.recurrence(windowSamples);
  const scores = numFrames * powerset.mapping.length;

  const { fbank, sampleRate, embeddingSize } = embedding.manifest;
  const frames = framesPerWindow(models);
  const parts = Array.from({ length: batches }, (_, batch) => voiceFrames.slice(batch * windowsPerBatch, (batch + 1) * windowsPerBatch).filter(({ length }) => length > 0));
  const own = parts.filter(({ length }) => length > 0);
  const embedded = own.reduce((sum, { length }) => sum + length, 0);
  const lengths = own.flat(2);
  const voices = lengths.map(embedding.work.of).reduce((sum, { multiplyAdds, values }) => ({ multiplyAdds: sum.multiplyAdds + multiplyAdds, values: sum.values + values }), { multiplyAdds: 0, values: 0 });
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
      flops: 2 * voices.multiplyAdds,
      bytes: FLOAT_BYTES * (voices.values + own.length * embedding.work.numWeights),
      dispatches: own.reduce((sum, part) => sum + campplusDispatches(embedding.graph, layOut(embedding.graph, part.flat())), 0),
      batches: own.length,
      // The used frames of each speaker are uploaded as a list.
      transferred: FLOAT_BYTES * (lengths.reduce((sum, length) => sum + length, 0) + lengths.length * embeddingSize),
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
  readonly speed: Speed;
  readonly audioSeconds: number;
  readonly work: Readonly<Record<GpuStage, StageWork>>;
  readonly seconds: Readonly<Record<GpuStage, number>>;
}

export function estimate(workload: Workload, models: Models, gpu: GpuClass, run: Pick<Estimate, 'speed' | 'audioSeconds'>): Estimate {
  const work = workOf(workload, models, gpu.windowsPerBatch);
  const seconds = Object.fromEntries(GPU_STAGES.map((stage) => [stage, secondsOf(work[stage], gpu)])) as Estimate['seconds'];
  return { gpu, ...run, work, seconds };
}
