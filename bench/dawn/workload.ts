/** Work of a run, from the outputs of its models. */
import { coreOf } from '../../src/embedding/core';
import { usedFrames, windowMasks } from '../../src/embedding/mask';
import { CAMPPLUS, type Speed } from '../../src/engine/settings';
import { countFrames, fbankGeometry } from '../../src/features/fbank';
import { fbankFlopsPerFrame } from '../profile/work';
import type { Models } from './models';
import type { RunOutputs } from './parity';
import type { GpuStage } from './stages';

/** The processed windows of a run. */
export interface Workload {
  readonly numWindows: number;
  /** Axes (window, embedded speaker): feature frames of each embedding. Empty for windows without one. */
  readonly voiceFrames: readonly (readonly number[])[];
}

/** Feature frames of a window. */
export function framesPerWindow({ segmentation, embedding }: {
  readonly segmentation: Pick<Models['segmentation'], 'manifest'>;
  readonly embedding: Pick<Models['embedding'], 'manifest'>;
}): number {
  const { fbank, sampleRate } = embedding.manifest;
  return countFrames(segmentation.manifest.windowSamples, fbankGeometry(fbank, sampleRate));
}

/** Counts the work of a run with `keepVoices`. */
export function workloadOf({ activity, embeddings, embedded, numSpeakers, dimension }: RunOutputs['voices'], speed: Speed, models: Models): Workload {
  const { manifest } = models.segmentation;
  const { windowSamples } = manifest;
  const { minSamples } = models.embedding.manifest;
  const numFrames = framesPerWindow(models);
  const numWindows = embedded.length;
  const cells = activity.length / numWindows;
  const voiceFrames = Array.from({ length: numWindows }, (_, window) => {
    if (!embedded[window]) return [];
    const core = speed === 'fast' ? coreOf(window, window === numWindows - 1, CAMPPLUS.fastEmbedHop, manifest) : undefined;
    const masks = windowMasks(activity.subarray(window * cells, (window + 1) * cells), numSpeakers, windowSamples, minSamples, core);
    return masks
      .filter((_mask, speaker) => !Number.isNaN(embeddings[(window * numSpeakers + speaker) * dimension]))
      .map((mask) => usedFrames(mask, numFrames).length);
  });
  return { numWindows, voiceFrames };
}

/**
 * Counts the windows and local speakers of a run in which every window is embedded, for a model that pools over masks.
 *
 * @param activity axes (window, frame, local speaker), 0 or 1
 */
export function pooledWorkloadOf(
  { activity, embedded, numSpeakers }: Pick<RunOutputs['voices'], 'activity' | 'embedded' | 'numSpeakers'>,
  models: Pick<Models, 'segmentation'>,
  embedding: Pick<Models['embedding'], 'manifest'>,
): Workload {
  const { segmentation } = models;
  const { minFrames, minSamples } = embedding.manifest;
  const numFrames = framesPerWindow({ segmentation, embedding });
  const numWindows = embedded.length;
  const cells = activity.length / numWindows;
  const voiceFrames = Array.from({ length: numWindows }, (_, window) =>
    windowMasks(activity.subarray(window * cells, (window + 1) * cells), numSpeakers, segmentation.manifest.windowSamples, minSamples)
      .map((mask) => usedFrames(mask, numFrames).length)
      .filter((length) => length >= minFrames));
  return { numWindows, voiceFrames };
}

/** Number of windows that have features. */
export const embeddedWindows = ({ voiceFrames }: Pick<Workload, 'voiceFrames'>): number => voiceFrames.filter(({ length }) => length > 0).length;

/** Floating-point operations of each stage: two per multiply-add. */
export function flopsOf(workload: Workload, models: Models): Record<GpuStage, number> {
  const { segmentation, embedding } = models;
  const { fbank, sampleRate } = embedding.manifest;
  const voices = workload.voiceFrames.flat().reduce((sum, frames) => sum + embedding.work.of(frames).multiplyAdds, 0);
  return {
    fbank: embeddedWindows(workload) * framesPerWindow(models) * fbankFlopsPerFrame(fbank, sampleRate),
    segmentation: 2 * workload.numWindows * segmentation.work.of(segmentation.manifest.windowSamples).multiplyAdds,
    embedding: 2 * voices,
  };
}
