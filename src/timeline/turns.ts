import { frameMiddleSeconds, type SlidingWindow } from './geometry';
import type { DiscreteDiarization } from './reconstruct';
import type { Turn } from './turn';

/** Shorter stretches do not exist in pyannote.core (`SEGMENT_PRECISION`). */
const SHORTEST_SECONDS = 1e-6;

/** A turn of a speaker that has no name yet. */
export interface IndexedTurn {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly speakerIndex: number;
  /** 0 to 1; null where nothing is known. */
  readonly confidence?: number | null;
}

/**
 * Runs of active frames as stretches of time, from the middle of the first active frame to the middle of the
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

/** `SPEAKER_00`, `SPEAKER_01` …, as pyannote.audio names its speakers; `index` from 0. */
export function speakerLabel(index: number): string {
  return `SPEAKER_${String(index).padStart(2, '0')}`;
}

/**
 * Labels `SPEAKER_00`, `SPEAKER_01` … for the speakers that have a turn, without gaps.
 *
 * pyannote.core sorts integer labels as text, so that of eleven or more speakers number 10 comes before
 * number 2; the same here, so that the labels of one recording are the same in both.
 */
export function speakerLabels(turns: readonly IndexedTurn[]): Map<number, string> {
  const indices = [...new Set(turns.map((turn) => turn.speakerIndex))];
  indices.sort((a, b) => (String(a) < String(b) ? -1 : 1));
  return new Map(indices.map((index, rank) => [index, speakerLabel(rank)]));
}

/** Names the speakers and moves the turns by `offsetSeconds`. */
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
