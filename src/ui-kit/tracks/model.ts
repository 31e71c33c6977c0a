import type { Annotation, AnnotationSpeaker, EditableTurn } from '../../editing/annotation';
import { exclusiveBySpeaker, turnsBySpeaker } from '../../editing/bySpeaker';
import type { DiarizationResult, Turn } from '../../engine/types';
import { text } from '../texts/text';
import type { Segment } from '../../util/segment';

/** A segment marked over a speaker's track, or over the whole height if `speaker` is null. */
export interface Mark extends Segment {
  readonly kind: 'missed' | 'false-alarm' | 'confusion';
  /** Id of the speaker in the annotation; null if the annotation has no speaker there (missed speech). */
  readonly speaker: string | null;
}

export type TurnsMode = 'overlapping' | 'exclusive';

/** One speaker's row. */
export interface Track {
  readonly label: string;
  readonly name: string;
  /** Index into the speaker colors, 0 or more; after the eighth, they repeat with a pattern. */
  readonly color: number;
  /** Sorted by start; one speaker's turns do not overlap, so they are sorted by end too. */
  readonly turns: readonly Turn[];
  readonly seconds: number;
  /** Of all speech, 0 to 1. */
  readonly share: number;
}

function turnsOf(result: DiarizationResult, mode: TurnsMode): readonly Turn[] {
  return mode === 'exclusive' ? result.exclusiveTurns : result.turns;
}

export function tracksOfResult(result: DiarizationResult, mode: TurnsMode): Track[] {
  return tracksBy(result.speakers.map(({ label }) => label), turnsOf(result, mode));
}

/**
 * Tracks of provisional turns, in the order in which the speakers first appear: the order of the labels can change
 * between previews, and the colors would jump.
 */
export function tracksSoFar(turns: readonly Turn[]): Track[] {
  return tracksBy([...new Set(turns.map(({ speaker }) => speaker))], turns);
}

/**
 * Tracks of an annotation, in the order of its speakers, including those without a turn.
 *
 * @param turns the turns to show: all turns or the exclusive ones; sorted by start
 */
export function tracksOfAnnotation({ speakers, turns: all }: Annotation, turns: readonly Turn[] = all): Track[] {
  const heads = speakers.map((speaker, index) => ({
    label: speaker.id,
    name: speakerName(speaker, index),
    color: speaker.color,
  }));
  const bySpeaker = turns === all ? turnsBySpeaker(all) : exclusiveBySpeaker(turns);
  if (!bySpeaker) return fillTracks(heads, turns);
  return withShares(heads.map((head) => ({ ...head, ...(bySpeaker.get(head.label) ?? { turns: [], seconds: 0 }) })));
}

/**
 * A speaker's name, or by default a number. The number is that of the label, so that removing a speaker does not
 * renumber the others.
 *
 * @param index of the speaker, for labels without a number
 */
export function speakerName({ id, name }: AnnotationSpeaker, index: number): string {
  return name ?? text.done.speaker(labelNumber(id) ?? index);
}

/** The number in a label, from 0; null for a label without one. */
export function labelNumber(label: string): number | null {
  const number = /^SPEAKER_(\d+)$/.exec(label)?.[1];
  return number === undefined ? null : Number(number);
}

const tracksBy = (labels: readonly string[], turns: readonly Turn[]): Track[] =>
  fillTracks(
    labels.map((label, index) => ({ label, name: text.done.speaker(index), color: index })),
    turns,
  );

/**
 * Creates tracks with their turns.
 *
 * @param heads from top to bottom
 * @param turns turns of these tracks, sorted by start
 */
export function fillTracks(heads: readonly Pick<Track, 'label' | 'name' | 'color'>[], turns: readonly Turn[]): Track[] {
  const byLabel = new Map<string, Turn[]>(heads.map(({ label }) => [label, []]));
  for (const turn of turns) byLabel.get(turn.speaker)?.push(turn);
  const tracks = heads.map((head) => ({ head, own: byLabel.get(head.label) ?? [] })).map(({ head, own }) => ({
    ...head,
    turns: own,
    seconds: own.reduce((sum, { startSeconds, endSeconds }) => sum + endSeconds - startSeconds, 0),
  }));
  return withShares(tracks);
}

function withShares(tracks: readonly Omit<Track, 'share'>[]): Track[] {
  const total = tracks.reduce((sum, { seconds }) => sum + seconds, 0);
  return tracks.map((track) => ({ ...track, share: total > 0 ? track.seconds / total : 0 }));
}

/** Index of the first turn that ends after `seconds`; `turns.length` if there is none. */
export function firstEndingAfter(turns: readonly Turn[], seconds: number): number {
  let low = 0;
  let high = turns.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((turns[middle]?.endSeconds ?? Infinity) > seconds) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The turn of this track at a time. `slack` widens each turn, so that short ones can be hit with a pointer. */
export function turnAt(turns: readonly Turn[], seconds: number, slack = 0): Turn | null {
  const turn = turns[firstEndingAfter(turns, seconds - slack)];
  return turn && turn.startSeconds - slack <= seconds ? turn : null;
}

/** The id of an editable turn; null for others: exclusive turns are derived. */
export function idOf(turn: Turn): number | null {
  const { id } = turn as Partial<EditableTurn>;
  return id ?? null;
}

/** A turn with the index of its track. */
export interface PlacedTurn {
  readonly turn: Turn;
  readonly track: number;
}

/** A turn with its speaker's track; null if it is not on that track. */
export function placeTurn(tracks: readonly Track[], turn: Turn): PlacedTurn | null {
  const track = tracks.findIndex(({ label }) => label === turn.speaker);
  const turns = tracks[track]?.turns ?? [];
  return turns[firstEndingAfter(turns, turn.startSeconds)] === turn ? { turn, track } : null;
}

/**
 * The turn with this id; null if no track has it.
 *
 * @param isSearched which tracks to search. Default: all
 */
export function findTurn(tracks: readonly Track[], id: number | null, isSearched: (track: Track) => boolean = () => true): PlacedTurn | null {
  if (id === null) return null;
  for (let track = 0; track < tracks.length; track += 1) {
    if (!isSearched(tracks[track]!)) continue;
    const { turns } = tracks[track]!;
    for (const turn of turns) if (idOf(turn) === id) return { turn, track };
  }
  return null;
}
