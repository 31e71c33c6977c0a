import type { Turn } from '../timeline/turns';
import type { Annotation, AnnotationSpeaker, EditableTurn } from './annotation';
import { compareTurns } from './order';
import type { Segment } from '../util/segment';

/** Maximum gap between two turns that touch: all file formats round times to a millisecond. */
const TOUCH_SECONDS = 0.001;

/** Whether the two overlap, however briefly. */
export function overlap(a: Segment, b: Segment): boolean {
  return a.startSeconds < b.endSeconds && b.startSeconds < a.endSeconds;
}

/** Whether `later` starts where `earlier` ends, within {@link TOUCH_SECONDS}. */
export function touch(earlier: Segment, later: Segment): boolean {
  return Math.abs(later.startSeconds - earlier.endSeconds) <= TOUCH_SECONDS;
}

/**
 * Joins several turns of one speaker into one, from the first start to the last end.
 *
 * Its confidence is the mean of the known confidences, weighted by length; null if none is known.
 *
 * @param kept turn whose id, speaker and `isCorrected` the joined turn keeps
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

/** Mean weighted by length, 0 to 1; null if no confidence is known. */
export function meanConfidence(parts: readonly (Segment & { readonly confidence?: number | null })[]): number | null {
  let [sum, weight] = [0, 0];
  for (const { startSeconds, endSeconds, confidence } of parts) {
    if (confidence === undefined || confidence === null) continue;
    sum += confidence * (endSeconds - startSeconds);
    weight += endSeconds - startSeconds;
  }
  return weight > 0 ? sum / weight : null;
}

/** pyannote.core and our RTTM files ignore shorter turns: `SEGMENT_PRECISION` in pyannote.core's `segment.py`. */
const SHORTEST_SECONDS = 1e-6;

/** A speaker of a result, a file or a re-clustering. The speakers of a `DiarizationResult` have this form. */
export interface SpeakerSource {
  /** Label that the turns refer to. */
  readonly label: string;
  /** Name set by the user. Default: null. */
  readonly name?: string | null;
  /** Index into the page's speaker colors. Default: the lowest unused one. */
  readonly color?: number;
}

/** A turn of a result, a file or a re-clustering. */
export type TurnSource = Turn & {
  /** Whether the user created, moved, assigned or confirmed it. Default: false. */
  readonly isCorrected?: boolean;
};

/**
 * Creates the annotation that corrections start from.
 *
 * Omits turns of a microsecond or less. Joins overlapping turns of one speaker, which only files of other apps contain; turns
 * that only touch stay separate. Times are not clipped: turns that a model detected in the padding after the last sample are
 * after the end of the recording.
 *
 * @param turns in any order
 * @param exclusiveTurns turns with one speaker at a time, in any order; empty if unknown
 * @param speakers in track order. Speakers that occur only in turns follow, in the order of their first turn
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
    // From 1, because 0 could be mistaken for no id.
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

/** Joins overlapping turns of one speaker; a joined turn is corrected only if all its parts are. Sorted by {@link compareTurns}. */
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
