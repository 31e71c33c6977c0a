import {
  closestFrame,
  firstFrameOf,
  frameMiddleSeconds,
  type SlidingWindow,
  type TimeGeometry,
} from '../segmentation/geometry';
import type { DiscreteDiarization } from './reconstruct';

/** A continuous segment in which one speaker talks. Times are seconds from the start of the recording. */
export interface Turn {
  /** Seconds from the start of the recording. */
  readonly startSeconds: number;
  /** Seconds from the start of the recording; after `startSeconds`. */
  readonly endSeconds: number;
  /** Label of the speaker, such as `SPEAKER_00`. */
  readonly speaker: string;
  /**
   * Confidence in the speaker, 0 to 1; null if there is no embedding. Its kind depends on the preset. Absent for turns
   * that were read from a file.
   */
  readonly confidence?: number | null;
}

/** pyannote.core ignores shorter segments (`SEGMENT_PRECISION`). */
const SHORTEST_SECONDS = 1e-6;

/** A turn whose speaker has no label yet. */
export interface IndexedTurn {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly speakerIndex: number;
  /** 0 to 1; null if unknown. */
  readonly confidence?: number | null;
}

/**
 * Converts runs of active frames into turns, from the middle of the first active frame to the middle of the
 * first silent one. Matches `pyannote.audio.utils.signal.Binarize` without paddings or minimum durations.
 *
 * @returns sorted by start, then end, then speaker
 */
export function turnsOf({ data, numSpeakers }: DiscreteDiarization, frames: SlidingWindow): IndexedTurn[] {
  const numFrames = numSpeakers === 0 ? 0 : data.length / numSpeakers;
  const turns: IndexedTurn[] = [];
  const add = (speakerIndex: number, from: number, to: number): void => {
    const startSeconds = frameMiddleSeconds(frames, from);
    const endSeconds = frameMiddleSeconds(frames, to);
    if (endSeconds - startSeconds > SHORTEST_SECONDS) turns.push({ startSeconds, endSeconds, speakerIndex });
  };
  for (let speaker = 0; speaker < numSpeakers; speaker++) {
    let from = -1;
    for (let frame = 0; frame < numFrames; frame++) {
      const active = data[frame * numSpeakers + speaker] === 1;
      if (active && from < 0) from = frame;
      if (!active && from >= 0) {
        add(speaker, from, frame);
        from = -1;
      }
    }
    if (from >= 0) add(speaker, from, numFrames - 1);
  }
  return turns.sort(
    (a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds || a.speakerIndex - b.speakerIndex,
  );
}

/** `SPEAKER_00`, `SPEAKER_01` …, like pyannote.audio's labels; `index` starts at 0. */
export function speakerLabel(index: number): string {
  return `SPEAKER_${String(index).padStart(2, '0')}`;
}

/**
 * Labels `SPEAKER_00`, `SPEAKER_01` … for the speakers that have a turn, without gaps.
 *
 * pyannote.core sorts integer labels as text: with eleven or more speakers, number 10 comes before
 * number 2. This function does the same, so that the labels of a recording match pyannote's.
 */
export function speakerLabels(turns: readonly IndexedTurn[]): Map<number, string> {
  const indices = [...new Set(turns.map((turn) => turn.speakerIndex))];
  indices.sort((a, b) => (String(a) < String(b) ? -1 : 1));
  return new Map(indices.map((index, rank) => [index, speakerLabel(rank)]));
}

/** `SPEAKER_00`, `SPEAKER_01` … in the order of the first turns. */
export function labelsByTurn(turns: readonly IndexedTurn[]): Map<number, string> {
  const indices = [...new Set(turns.map(({ speakerIndex }) => speakerIndex))];
  return new Map(indices.map((index, rank) => [index, speakerLabel(rank)]));
}

/** Labels the speakers and shifts the turns by `offsetSeconds`. */
export function nameTurns(
  turns: readonly IndexedTurn[],
  labels: ReadonlyMap<number, string>,
  offsetSeconds: number,
): Turn[] {
  return turns.map(({ startSeconds, endSeconds, speakerIndex, confidence }) => ({
    startSeconds: startSeconds + offsetSeconds,
    endSeconds: endSeconds + offsetSeconds,
    speaker: labels.get(speakerIndex) ?? `SPEAKER_${speakerIndex}`,
    ...(confidence !== undefined && { confidence }),
  }));
}

export interface ConfidenceInput {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /** Axes (window, local speaker): cluster of each local speaker; negative for none. */
  readonly hardClusters: Int32Array;
  /** Confidence of each cluster assignment; axes (window, local speaker), 0 to 1, NaN if unknown. */
  readonly confidences: Float64Array;
  readonly numLocalSpeakers: number;
  readonly geometry: TimeGeometry;
}

/**
 * Confidence in a turn's speaker: the mean confidence of the local speakers assigned to this speaker, each weighted with
 * the number of frames of the turn in which it is active.
 *
 * @returns 0 to 1; null if no window that overlaps the turn has an embedding of the speaker
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
