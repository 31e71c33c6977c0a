import { closestFrame, firstFrameOf, type TimeGeometry } from './geometry';
import type { IndexedTurn } from './turns';

export interface ConfidenceInput {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /** Axes (window, local speaker): cluster of each local speaker; below 0 it has none. */
  readonly hardClusters: Int32Array;
  /** How sure each of these is; axes (window, local speaker), 0 to 1, NaN where nothing is known. */
  readonly confidences: Float64Array;
  readonly numLocalSpeakers: number;
  readonly geometry: TimeGeometry;
}

/**
 * How sure a turn's speaker is: the mean over the local speakers that were taken for this speaker, each weighted with
 * the frames of the turn in which its window hears it.
 *
 * @returns 0 to 1; null where no window that hears the turn has an embedding of the speaker
 */
export function turnConfidence({ startSeconds, endSeconds, speakerIndex }: IndexedTurn, input: ConfidenceInput): number | null {
  const { activity, hardClusters, confidences, numLocalSpeakers, geometry } = input;
  const { framesPerWindow, frames, windows } = geometry;
  const numWindows = hardClusters.length / numLocalSpeakers;
  const from = closestFrame(frames, startSeconds);
  const to = closestFrame(frames, endSeconds);
  const firstWindow = Math.max(0, Math.floor((startSeconds - windows.durationSeconds) / windows.stepSeconds));
  const lastWindow = Math.min(numWindows - 1, Math.ceil(endSeconds / windows.stepSeconds));
  let sum = 0;
  let weight = 0;
  for (let window = firstWindow; window <= lastWindow; window++) {
    const first = firstFrameOf(geometry, window);
    const begin = Math.max(0, from - first);
    const end = Math.min(framesPerWindow, to - first);
    for (let local = 0; local < numLocalSpeakers; local++) {
      const row = window * numLocalSpeakers + local;
      if (hardClusters[row] !== speakerIndex || Number.isNaN(confidences[row]!)) continue;
      for (let frame = begin; frame < end; frame++) {
        if (!activity[(window * framesPerWindow + frame) * numLocalSpeakers + local]) continue;
        sum += confidences[row]!;
        weight++;
      }
    }
  }
  return weight === 0 ? null : sum / weight;
}
