import { flopsBySize, flopsOf, sumWork, type RunNode } from '../../src/onnx/work';
import { type AnyFbankOptions, fbankGeometry, melFilters } from '../../src/features/fbank';
import type { RunCounts } from '../../cli/page/engineProfile';
import type { GpuCountsByStage } from '../../test/browser/gpuMeter';

/** Mel frame counts at which the embedding model's work is counted, for interpolation up to a window. */
export const COUNTED_FRAMES = [100, 400, 998] as const;

/** Workload of a stage per second of audio. */
export interface StageDemand {
  readonly stage: string;
  readonly flops: number;
  /** Null on WASM, like the next three. */
  readonly dispatches: number | null;
  readonly submits: number | null;
  readonly bytesUp: number | null;
  readonly bytesBack: number | null;
  /** Seconds of work. */
  readonly rtf: number;
}

/** Floating-point operations of a stage for one shape of its input. */
export interface StageFlops {
  /** FLOPs of a window. */
  readonly segmentation: (numSamples: number) => number;
  /** FLOPs of mel frames. */
  readonly fbank: (numFrames: number) => number;
  /** FLOPs of one local speaker. */
  readonly embedding: (numFrames: number) => number;
}

/**
 * Operations of the filterbank for one frame, counted by the textbook algorithm without optimizations:
 * scale 1, mean and its subtraction 2 if it is removed, pre-emphasis 2, window 1 for each of the frame's samples; 5 N log₂ N for the complex
 * FFT of N points (the usual count of a radix-2 FFT); |·|² 3 for each of its N / 2 bins; a multiply-add for each weight
 * of the mel filters; one logarithm, counted as one operation, for each mel bin.
 */
export function fbankFlopsPerFrame(facts: AnyFbankOptions, sampleRate: number): number {
  const { frameSamples, fftSize } = fbankGeometry(facts, sampleRate);
  const weights = melFilters(facts, sampleRate, fftSize).reduce((sum, filter) => sum + filter.weights.length, 0);
  return (facts.removeDcOffset ? 6 : 4) * frameSamples + 5 * fftSize * Math.log2(fftSize) + (3 * fftSize) / 2 + 2 * weights + facts.numMelBins;
}

/** Interpolates the operations of a model for any input size from its nodes at some sizes. */
export const modelFlops = (runs: readonly { readonly size: number; readonly nodes: readonly RunNode[] }[]): ((size: number) => number) =>
  flopsBySize(runs.map(({ size, nodes }) => ({ size, flops: flopsOf(sumWork(nodes)) })));

/**
 * Workload of the stages of a run per second of audio.
 *
 * @param gpu GPU work of the run; null on WASM
 */
export function demandsOf(counts: RunCounts, flops: StageFlops, gpu: GpuCountsByStage | null): StageDemand[] {
  const { durationSeconds, numWindows, windowSamples, fbankFrames, voiceFrames, timings } = counts;
  const totals = {
    segmentation: numWindows * flops.segmentation(windowSamples),
    fbank: flops.fbank(fbankFrames),
    embedding: voiceFrames.reduce((sum, frames) => sum + flops.embedding(frames), 0),
  };
  return (['segmentation', 'fbank', 'embedding'] as const).map((stage) => {
    const own = gpu?.[stage];
    const perSecond = (count: number | undefined) => (gpu ? (count ?? 0) / durationSeconds : null);
    return {
      stage,
      flops: totals[stage] / durationSeconds,
      dispatches: perSecond(own?.dispatches),
      submits: perSecond(own?.submits),
      bytesUp: perSecond(own?.bytesUp),
      bytesBack: perSecond(own?.bytesBack),
      rtf: (timings[stage] ?? 0) / durationSeconds,
    };
  });
}
