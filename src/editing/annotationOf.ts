import type { Turn } from '../timeline/turns';
import type { Annotation, AnnotationSpeaker, EditableTurn } from './annotation';
import { compareTurns } from './order';

/** Two turns that are no further apart touch: files of every kind write times to a millisecond. */
export const TOUCH_SECONDS = 0.001;

interface Segment {
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/** Whether both talk for some time, however short. */
export function overlap(a: Segment, b: Segment): boolean {
  return a.startSeconds < b.endSeconds && b.startSeconds < a.endSeconds;
}

/** Whether `later` begins where `earlier` ends, to {@link TOUCH_SECONDS}. */
export function touch(earlier: Segment, later: Segment): boolean {
  return Math.abs(later.startSeconds - earlier.endSeconds) <= TOUCH_SECONDS;
}

/**
 * One turn in place of several of one speaker: from the first start to the last end.
 *
 * Its confidence is the mean of theirs, each weighted with its length, without those where nothing is known; null where
 * nothing is known of any.
 *
 * @param kept whose id, speaker and `isCorrected` the joined turn has
 * @param others at least one
 */
export function joinTurns(kept: EditableTurn, others: readonly EditableTurn[]): EditableTurn {
  const parts = [kept, ...others];
  return {
    ...kept,
    startSeconds: parts.reduce((start, part) => Math.min(start, part.startSeconds), Infinity),
    endSeconds: parts.reduce((end, part) => Math.max(end, part.endSeconds), -Infinity),
    confidence: meanConfidence(parts),
  };
}

/** Mean weighted with the lengths, 0 to 1; null where nothing is known of any. */
export function meanConfidence(parts: readonly (Segment & { readonly confidence?: number | null })[]): number | null {
  let [sum, weight] = [0, 0];
  for (const { startSeconds, endSeconds, confidence } of parts) {
    if (confidence === undefined || confidence === null) continue;
    sum += confidence * (endSeconds - startSeconds);
    weight += endSeconds - startSeconds;
  }
  return weight > 0 ? sum / weight : null;
}

/** Shorter turns do not exist for pyannote.core, nor in an RTTM file that we write: `SEGMENT_PRECISION` in its `segment.py`. */
const SHORTEST_SECONDS = 1e-6;

/** A speaker of a result, of a file or of a re-clustering. The speakers of a `DiarizationResult` have this form. */
export interface SpeakerSource {
  /** As the turns call the speaker. */
  readonly label: string;
  /** What a person called the speaker. Default: null. */
  readonly name?: string | null;
  /** Index into the page's speaker colors. Default: the lowest that no other speaker has. */
  readonly color?: number;
}

/** A turn of a result, of a file or of a re-clustering. */
export type TurnSource = Turn & {
  /** Whether a person has made, moved, assigned or confirmed it. Default false. */
  readonly isCorrected?: boolean;
};

/**
 * The annotation that corrections start from.
 *
 * Turns of a microsecond and less are left out. Turns of one speaker that overlap, which only files of other programs have, become one; those that touch stay apart.
 * Times are taken as they are: what a model heard in the padding after the last sample lies after the end of the
 * recording.
 *
 * @param turns in any order
 * @param exclusiveTurns who is heard where several speak, in any order; none where that is not known
 * @param speakers in the order of their tracks. Speakers that only turns name follow, in the order in which they begin
 * @param durationSeconds length of the recording
 */
export function annotationOf(
  turns: readonly TurnSource[],
  exclusiveTurns: readonly Turn[],
  speakers: readonly SpeakerSource[],
  durationSeconds: number,
): Annotation {
  const sorted = turns
    .filter(({ startSeconds, endSeconds }) => endSeconds - startSeconds > SHORTEST_SECONDS)
    .map((turn, index) => editable(turn, index))
    .sort(compareTurns)
    // From 1, so that no id is taken for none.
    .map((turn, index) => ({ ...turn, id: index + 1 }));
  return {
    durationSeconds,
    speakers: speakersOf(speakers, sorted),
    turns: withoutOverlap(sorted),
    exclusiveHints: [...exclusiveTurns].sort((a, b) => a.startSeconds - b.startSeconds),
    nextId: sorted.length + 1,
  };
}

function editable({ startSeconds, endSeconds, speaker, confidence, isCorrected }: TurnSource, id: number): EditableTurn {
  return { id, startSeconds, endSeconds, speaker, confidence: confidence ?? null, isCorrected: isCorrected ?? false };
}

function speakersOf(given: readonly SpeakerSource[], turns: readonly Turn[]): AnnotationSpeaker[] {
  const sources = new Map<string, SpeakerSource>(given.map((speaker) => [speaker.label, speaker]));
  for (const { speaker } of turns) {
    if (!sources.has(speaker)) sources.set(speaker, { label: speaker });
  }
  const taken = new Set([...sources.values()].map(({ color }) => color));
  return [...sources.values()].map(({ label, name, color }) => {
    const own = color ?? freeColor(taken);
    taken.add(own);
    return { id: label, name: name ?? null, color: own };
  });
}

/** The lowest index that is not among `taken`. */
export function freeColor(taken: ReadonlySet<number | undefined>): number {
  let color = 0;
  while (taken.has(color)) color++;
  return color;
}

/** Turns of one speaker that overlap become one, which is corrected only if all of them are. Sorted by {@link compareTurns}. */
export function withoutOverlap(sorted: readonly EditableTurn[]): EditableTurn[] {
  const last = new Map<string, EditableTurn>();
  const separate = new Set<EditableTurn>();
  for (const turn of sorted) {
    const before = last.get(turn.speaker);
    let kept = turn;
    if (before && overlap(before, turn)) {
      separate.delete(before);
      kept = { ...joinTurns(before, [turn]), isCorrected: before.isCorrected && turn.isCorrected };
    }
    separate.add(kept);
    last.set(turn.speaker, kept);
  }
  return [...separate].sort(compareTurns);
}
