import { speakerLabel, type Turn } from '../timeline/turns';
import { VoxlaneError } from '../util/errors';
import type { Annotation, AnnotationSpeaker, Edit, EditableTurn } from './annotation';
import { freeColor, joinTurns, overlap, touch, withoutOverlap } from './annotationOf';
import { turnsBySpeaker } from './bySpeaker';
import { compareTurns, exchangeTurns } from './order';
import { turnById } from './turnLookup';
import type { Segment } from '../util/segment';

/** The error that `applyEdit` throws for an invalid edit. */
function refusal(problem: string, expected: string, remedy: string): VoxlaneError {
  return new VoxlaneError({ code: 'options', problem, expected, remedy });
}

/** A time for an error message. */
function inSeconds(seconds: number): string {
  return `${seconds.toFixed(3)} s`;
}

const EVERYWHERE: Segment = { startSeconds: -Infinity, endSeconds: Infinity };

/**
 * Replaces one speaker in the exclusive hints. Hints that start or end outside of `within` are cut. Unchanged hints are the
 * same objects; returns the same list if nothing changes.
 *
 * @param hints sorted by start
 * @param given returns the replacement for a hint inside `within`
 * @param within segment to replace in; default: everywhere
 */
function handOver(hints: readonly Turn[], speaker: string, given: (hint: Turn) => Turn, within: Segment = EVERYWHERE): readonly Turn[] {
  const isMeant = (hint: Turn): boolean =>
    hint.speaker === speaker && hint.startSeconds < within.endSeconds && within.startSeconds < hint.endSeconds;
  if (!hints.some(isMeant)) return hints;
  const handed = hints.flatMap((hint) => {
    if (!isMeant(hint)) return [hint];
    const startSeconds = Math.max(hint.startSeconds, within.startSeconds);
    const endSeconds = Math.min(hint.endSeconds, within.endSeconds);
    return [
      ...(hint.startSeconds < startSeconds ? [{ ...hint, endSeconds: startSeconds }] : []),
      given({ ...hint, startSeconds, endSeconds }),
      ...(endSeconds < hint.endSeconds ? [{ ...hint, startSeconds: endSeconds }] : []),
    ];
  });
  // Hints of a file may overlap by rounding, and a cut can then start after the next hint.
  return handed.sort((a, b) => a.startSeconds - b.startSeconds);
}

/** Minimum length of an edited turn: a shorter one could not be heard or grabbed. The models' frames are 17 ms. */
export const SHORTEST_TURN_SECONDS = 0.01;

/** The turn with this id. @throws VoxlaneError `options` if there is none */
function turnOf(annotation: Annotation, id: number): EditableTurn {
  const turn = turnById(annotation.turns, id);
  if (turn) return turn;
  throw refusal(`There is no turn ${id}`, 'the id of a turn of this annotation', 'Choose another turn: this one may have been deleted');
}

/** Edges of a turn that an edit has set; turns that touch these edges are joined. */
interface SetEdges {
  readonly start: boolean;
  readonly end: boolean;
}

const BOTH: SetEdges = { start: true, end: true };
const NEITHER: SetEdges = { start: false, end: false };

/**
 * Adds a turn, marked as corrected and without a confidence. It is joined with turns of its speaker that it overlaps, but not
 * with those that it only touches.
 */
function addTurn(annotation: Annotation, speaker: string, startSeconds: number, endSeconds: number): Annotation {
  checkSegment(annotation, startSeconds, endSeconds);
  const turn = { id: annotation.nextId, startSeconds, endSeconds, speaker, confidence: null, isCorrected: true };
  return place({ ...annotation, nextId: annotation.nextId + 1 }, null, turn, NEITHER);
}

/** Sets both edges. Setting the same edges again changes nothing. */
function moveTurn(annotation: Annotation, id: number, startSeconds: number, endSeconds: number): Annotation {
  const turn = turnOf(annotation, id);
  const edges = { start: startSeconds !== turn.startSeconds, end: endSeconds !== turn.endSeconds };
  if (!edges.start && !edges.end) return annotation;
  checkSegment(annotation, startSeconds, endSeconds);
  return place(annotation, turn, { ...turn, startSeconds, endSeconds, isCorrected: true }, edges);
}

/** Splits a turn. Both halves keep its confidence and `isCorrected`: a split does not determine who talks in either. */
function splitTurn(annotation: Annotation, id: number, atSeconds: number): Annotation {
  const turn = turnOf(annotation, id);
  const { startSeconds, endSeconds } = turn;
  if (!(atSeconds > startSeconds && atSeconds < endSeconds)) {
    throw refusal(
      `The turn cannot be split at ${inSeconds(atSeconds)}`,
      `a time between its start, ${inSeconds(startSeconds)}, and its end, ${inSeconds(endSeconds)}`,
      'Move the playhead into the turn',
    );
  }
  checkLength(startSeconds, atSeconds);
  checkLength(atSeconds, endSeconds);
  const halves = [
    { ...turn, endSeconds: atSeconds },
    { ...turn, id: annotation.nextId, startSeconds: atSeconds },
  ];
  return {
    ...annotation,
    turns: exchangeTurns(annotation.turns, [turn], halves),
    nextId: annotation.nextId + 1,
  };
}

/** Assigns a turn to a speaker and clears its confidence. Assigning it to its own speaker confirms it. */
function assignTurn(annotation: Annotation, id: number, speaker: string): Annotation {
  const turn = turnOf(annotation, id);
  if (turn.speaker === speaker) return confirmTurn(annotation, id);
  const exclusiveHints = handOver(annotation.exclusiveHints, turn.speaker, (hint) => ({ ...hint, speaker, confidence: null }), turn);
  return place({ ...annotation, exclusiveHints }, turn, { ...turn, speaker, confidence: null, isCorrected: true }, BOTH);
}

/** Marks a turn as checked by the user. */
function confirmTurn(annotation: Annotation, id: number): Annotation {
  const turn = turnOf(annotation, id);
  if (turn.isCorrected) return annotation;
  return { ...annotation, turns: exchangeTurns(annotation.turns, [turn], [{ ...turn, isCorrected: true }]) };
}

/** Deletes a turn. */
function deleteTurn(annotation: Annotation, id: number): Annotation {
  return { ...annotation, turns: exchangeTurns(annotation.turns, [turnOf(annotation, id)], []) };
}

/** Moves all turns of `from` to `into`. A joined turn is corrected only if all its parts are. */
function mergeTurns(turns: readonly EditableTurn[], from: string, into: string): EditableTurn[] {
  const bySpeaker = turnsBySpeaker(turns);
  const own = [from, into].flatMap((speaker) => bySpeaker.get(speaker)?.turns ?? []).sort(compareTurns);
  const merged: EditableTurn[] = [];
  /** Original speaker of the part that ends the last turn of `merged`. */
  let lastSpeaker = '';
  for (const turn of own) {
    const last = merged.at(-1);
    // Adjacent turns of one speaker, such as the halves of a split, stay separate.
    if (last && (overlap(last, turn) || (lastSpeaker !== turn.speaker && touch(last, turn)))) {
      merged[merged.length - 1] = { ...joinTurns(last, [turn]), isCorrected: last.isCorrected && turn.isCorrected };
      if (turn.endSeconds >= last.endSeconds) lastSpeaker = turn.speaker;
    } else {
      merged.push(turn.speaker === into ? turn : { ...turn, speaker: into });
      lastSpeaker = turn.speaker;
    }
  }
  return exchangeTurns(turns, own, merged);
}

/**
 * Replaces `before`, if there is one, with `turn`, and joins it with other turns of its speaker: those that it
 * overlaps, and those that touch an edge set by this edit.
 */
function place(annotation: Annotation, before: EditableTurn | null, turn: EditableTurn, set: SetEdges): Annotation {
  const own = turnsBySpeaker(annotation.turns).get(turn.speaker)?.turns ?? [];
  const taken = own.filter(
    (other) =>
      other.id !== turn.id &&
      (overlap(turn, other) || (set.start && touch(other, turn)) || (set.end && touch(turn, other))),
  );
  const placed = taken.length > 0 ? joinTurns(turn, taken) : turn;
  const gone = [...(before ? [before] : []), ...taken].sort(compareTurns);
  return { ...annotation, turns: exchangeTurns(annotation.turns, gone, [placed]) };
}

function checkSegment({ durationSeconds, turns }: Annotation, startSeconds: number, endSeconds: number): void {
  checkLength(startSeconds, endSeconds);
  // A model can detect speech in the padding after the last sample; the other edge of such a turn must be movable.
  if (startSeconds >= 0 && endSeconds <= durationSeconds) return;
  const lastSeconds = turns.reduce((last, turn) => Math.max(last, turn.endSeconds), durationSeconds);
  if (startSeconds >= 0 && endSeconds <= lastSeconds) return;
  throw refusal(
    `A turn from ${inSeconds(startSeconds)} to ${inSeconds(endSeconds)} extends beyond the recording`,
    `times from 0 to ${inSeconds(lastSeconds)}`,
    'Choose times within the recording',
  );
}

function checkLength(startSeconds: number, endSeconds: number): void {
  // Written so that NaN fails. The tolerance allows for rounding errors of sums of two times.
  if (Number.isFinite(startSeconds) && endSeconds - startSeconds >= SHORTEST_TURN_SECONDS - 1e-9 && Number.isFinite(endSeconds)) return;
  throw refusal(
    `A turn from ${inSeconds(startSeconds)} to ${inSeconds(endSeconds)} is too short`,
    `an end at least ${inSeconds(SHORTEST_TURN_SECONDS)} after the start`,
    'Make the turn longer, or delete it',
  );
}

/**
 * Replaces all turns and speakers of a recording.
 *
 * A turn that is identical to an earlier one (times, speaker, confidence, corrected) keeps its id. All others
 * get new ids, because the creator of the new annotation cannot know which are used. The confidence kind and the minimum
 * durations are those of the new annotation.
 *
 * @throws VoxlaneError `options` if the new annotation is inconsistent: a turn of an unlisted speaker,
 *   a turn that ends before it starts, or two speakers with the same id
 */
function replaceAll(before: Annotation, next: Annotation): Annotation {
  checkAnnotation(next);
  const known = new Map(before.turns.map((turn) => [contentOf(turn), turn]));
  let { nextId } = before;
  const turns = withoutOverlap([...next.turns].sort(compareTurns))
    .map(({ startSeconds, endSeconds, speaker, confidence, isCorrected }): EditableTurn => {
      const turn = { id: nextId, startSeconds, endSeconds, speaker, confidence: confidence ?? null, isCorrected };
      const same = known.get(contentOf(turn));
      if (same) return same;
      nextId++;
      return turn;
    })
    .sort(compareTurns);
  const { confidenceKind, minDurations } = next;
  const { durationSeconds, nextLabel } = before;
  return {
    durationSeconds,
    speakers: next.speakers.map(
      ({ id, name, color }) =>
        before.speakers.find((own) => own.id === id && own.name === name && own.color === color) ?? { id, name, color },
    ),
    turns,
    exclusiveHints: [...next.exclusiveHints].sort((a, b) => a.startSeconds - b.startSeconds),
    nextId,
    ...(confidenceKind !== undefined && { confidenceKind }),
    ...(minDurations && { minDurations }),
    ...(nextLabel !== undefined && { nextLabel }),
  };
}

/** The content of a turn except its id. Equal content means the same turn, because turns of one speaker do not overlap. */
function contentOf({ startSeconds, endSeconds, speaker, confidence, isCorrected }: EditableTurn): string {
  return JSON.stringify([startSeconds, endSeconds, speaker, confidence ?? null, isCorrected]);
}

function checkAnnotation({ speakers, turns }: Annotation): void {
  const ids = new Set(speakers.map(({ id }) => id));
  if (ids.size < speakers.length) {
    throw refusal('Two speakers have the same id', 'a unique id for each speaker', 'Read the file again');
  }
  for (const { startSeconds, endSeconds, speaker } of turns) {
    if (!ids.has(speaker)) {
      throw refusal(`A turn refers to the unknown speaker ${speaker}`, `one of ${[...ids].join(', ')}`, 'Read the file again');
    }
    if (!(Number.isFinite(startSeconds) && startSeconds < endSeconds && Number.isFinite(endSeconds))) {
      throw refusal(
        `A turn runs from ${inSeconds(startSeconds)} to ${inSeconds(endSeconds)}`,
        'an end after the start',
        'Read the file again',
      );
    }
  }
}

/**
 * Returns the annotation after one correction. Pure: unchanged objects are shared, and an edit that changes nothing returns
 * the same annotation.
 *
 * Turns of one speaker never overlap. A turn that is added, moved or assigned is joined with other turns of its speaker
 * that it overlaps, or that touch an edge set by the edit (within 1 ms). It keeps its id; the ids of the others are dropped. The
 * halves of a split touch but stay separate, also in later edits, until such an edge of the other half is set. Merging two
 * speakers joins their turns that overlap, or that touch and belonged to different speakers. In overlapping speech, the
 * pipeline's exclusive choice is kept through an assignment or a merge, under the new speaker.
 *
 * @throws VoxlaneError `options` for an invalid edit: an unknown id, times outside of the recording, an end
 *   before the start, a turn shorter than 10 ms, a split outside of the turn, merging a speaker into itself,
 *   removing a speaker with turns, or an invalid color index
 */
export function applyEdit(annotation: Annotation, edit: Edit): Annotation {
  switch (edit.type) {
    case 'rename-speaker':
      return changeSpeaker(annotation, edit.speaker, { name: cleanName(edit.name) });
    case 'recolor-speaker':
      return recolor(annotation, edit.speaker, edit.color);
    case 'merge-speakers':
      return mergeSpeakers(annotation, edit.from, edit.into);
    case 'add-speaker':
      return { ...annotation, speakers: [...annotation.speakers, newSpeaker(annotation, edit.name)] };
    case 'remove-speaker':
      return removeSpeaker(annotation, edit.speaker);
    case 'add-turn':
      speakerOf(annotation, edit.speaker);
      return addTurn(annotation, edit.speaker, edit.startSeconds, edit.endSeconds);
    case 'move-turn':
      return moveTurn(annotation, edit.turn, edit.startSeconds, edit.endSeconds);
    case 'split-turn':
      return splitTurn(annotation, edit.turn, edit.atSeconds);
    case 'assign-turn':
      speakerOf(annotation, edit.speaker);
      return assignTurn(annotation, edit.turn, edit.speaker);
    case 'confirm-turn':
      return confirmTurn(annotation, edit.turn);
    case 'delete-turn':
      return deleteTurn(annotation, edit.turn);
    case 'replace':
      return replaceAll(annotation, edit.annotation);
  }
}

/** The id that `add-speaker` assigns next, so that a caller can assign a turn to the new speaker in advance. */
export function nextSpeakerId({ speakers, exclusiveHints, nextLabel = 0 }: Annotation): string {
  // The hints may still refer to deleted turns; reusing their label would assign these places to the new speaker.
  const labels = new Set([...speakers.map(({ id }) => id), ...exclusiveHints.map(({ speaker }) => speaker)]);
  return speakerLabel([...labels].reduce((next, label) => Math.max(next, numberAfter(label)), nextLabel));
}

/** The number of the label after this one; 0 for a label without a number. */
function numberAfter(label: string): number {
  const [, number] = /^SPEAKER_(\d+)$/.exec(label) ?? [];
  return number === undefined ? 0 : Number(number) + 1;
}

/** The annotation without one of its speakers. The label is not reused. */
function without(annotation: Annotation, gone: AnnotationSpeaker): Annotation {
  const speakers = annotation.speakers.filter((speaker) => speaker !== gone);
  return { ...annotation, speakers, nextLabel: Math.max(annotation.nextLabel ?? 0, numberAfter(gone.id)) };
}

function newSpeaker(annotation: Annotation, name: string | null): AnnotationSpeaker {
  const color = freeColor(new Set(annotation.speakers.map((speaker) => speaker.color)));
  return { id: nextSpeakerId(annotation), name: cleanName(name), color };
}

function speakerOf({ speakers }: Annotation, id: string): AnnotationSpeaker {
  const speaker = speakers.find((each) => each.id === id);
  if (speaker) return speaker;
  throw refusal(`There is no speaker ${id}`, `one of ${listed(speakers)}`, 'Choose another speaker; this one may have been merged or removed');
}

/** The first labels, for an error message: there can be thousands. */
function listed(speakers: readonly AnnotationSpeaker[]): string {
  const labels = speakers.slice(0, 10).map(({ id }) => id);
  return [...labels, ...(speakers.length > labels.length ? [`${speakers.length - labels.length} more`] : [])].join(', ');
}

function changeSpeaker(annotation: Annotation, id: string, change: Partial<AnnotationSpeaker>): Annotation {
  const speaker = speakerOf(annotation, id);
  const changed = { ...speaker, ...change };
  if (changed.name === speaker.name && changed.color === speaker.color) return annotation;
  return { ...annotation, speakers: annotation.speakers.map((each) => (each === speaker ? changed : each)) };
}

/** A name of only white space counts as no name. */
function cleanName(name: string | null): string | null {
  const clean = name?.trim().replace(/\s+/g, ' ') ?? '';
  return clean === '' ? null : clean;
}

function recolor(annotation: Annotation, speaker: string, color: number): Annotation {
  if (Number.isInteger(color) && color >= 0) return changeSpeaker(annotation, speaker, { color });
  throw refusal(`A speaker cannot have the color ${color}`, 'a color index of 0 or more', 'Choose one of the colors');
}

function mergeSpeakers(annotation: Annotation, from: string, into: string): Annotation {
  speakerOf(annotation, into);
  const gone = speakerOf(annotation, from);
  if (from === into) throw refusal(`${from} cannot be merged into itself`, 'two speakers', 'Choose another speaker');
  return {
    ...without(annotation, gone),
    turns: mergeTurns(annotation.turns, from, into),
    exclusiveHints: handOver(annotation.exclusiveHints, from, (hint) => ({ ...hint, speaker: into })),
  };
}

function removeSpeaker(annotation: Annotation, id: string): Annotation {
  const gone = speakerOf(annotation, id);
  const turn = turnsBySpeaker(annotation.turns).get(id)?.turns[0];
  if (turn) {
    throw refusal(
      `${id} cannot be removed because of a turn at ${inSeconds(turn.startSeconds)}`,
      'a speaker without turns',
      'Assign or delete the turns first, or merge the speaker into another',
    );
  }
  return without(annotation, gone);
}
