import { speakerLabel, type Turn } from '../timeline/turns';
import { VoxlaneError } from '../util/errors';
import type { Annotation, AnnotationSpeaker, Edit, EditableTurn } from './annotation';
import { freeColor, joinTurns, overlap, touch, withoutOverlap } from './annotationOf';
import { turnsBySpeaker } from './bySpeaker';
import { compareTurns, exchangeTurns } from './order';
import { turnById } from './turnLookup';

/** An edit that cannot be, as the error that `applyEdit` throws. */
export function refusal(problem: string, expected: string, remedy: string): VoxlaneError {
  return new VoxlaneError({ code: 'options', problem, expected, remedy });
}

/** A time in an error's sentence. */
export function inSeconds(seconds: number): string {
  return `${seconds.toFixed(3)} s`;
}

interface Segment {
  readonly startSeconds: number;
  readonly endSeconds: number;
}

const EVERYWHERE: Segment = { startSeconds: -Infinity, endSeconds: Infinity };

/**
 * The hints of who is heard, with those of one speaker given to another; cut where they begin or end outside of
 * `within`. What stays the same is the same object, and the very list where nothing changes.
 *
 * @param hints sorted by start
 * @param given the hint of the other speaker in place of one that lies within
 * @param within where they are given over; default: everywhere
 */
export function handOver(hints: readonly Turn[], speaker: string, given: (hint: Turn) => Turn, within: Segment = EVERYWHERE): readonly Turn[] {
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
  // Hints of a file may overlap by their rounding, and a cut then begins after the next one.
  return handed.sort((a, b) => a.startSeconds - b.startSeconds);
}

/** No edit makes a shorter turn: one could neither be heard nor grabbed. The models' own steps are 17 ms. */
export const SHORTEST_TURN_SECONDS = 0.01;

/** The turn with this id. @throws VoxlaneError `options` where there is none */
export function turnOf(annotation: Annotation, id: number): EditableTurn {
  const turn = turnById(annotation.turns, id);
  if (turn) return turn;
  throw refusal(`There is no turn ${id}`, 'the id of a turn of this annotation', 'It may have been deleted, or joined with another');
}

/** Ends of a turn that an edit has set, and that therefore take in what they touch. */
interface SetEdges {
  readonly start: boolean;
  readonly end: boolean;
}

const BOTH: SetEdges = { start: true, end: true };
const NEITHER: SetEdges = { start: false, end: false };

/**
 * Adds a turn, marked as corrected and without a confidence. It absorbs turns of its speaker that it overlaps, but not those
 * that it only touches.
 */
export function addTurn(annotation: Annotation, speaker: string, startSeconds: number, endSeconds: number): Annotation {
  checkSegment(annotation, startSeconds, endSeconds);
  const turn = { id: annotation.nextId, startSeconds, endSeconds, speaker, confidence: null, isCorrected: true };
  return place({ ...annotation, nextId: annotation.nextId + 1 }, null, turn, NEITHER);
}

/** Sets both edges. The same edges once more change nothing. */
export function moveTurn(annotation: Annotation, id: number, startSeconds: number, endSeconds: number): Annotation {
  const turn = turnOf(annotation, id);
  const edges = { start: startSeconds !== turn.startSeconds, end: endSeconds !== turn.endSeconds };
  if (!edges.start && !edges.end) return annotation;
  checkSegment(annotation, startSeconds, endSeconds);
  return place(annotation, turn, { ...turn, startSeconds, endSeconds, isCorrected: true }, edges);
}

/** Both halves keep what is known of the whole: who cuts a turn has not yet said who talks in either. */
export function splitTurn(annotation: Annotation, id: number, atSeconds: number): Annotation {
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

/** What was known of the speaker is not known of another; the same speaker once more is a confirmation. */
export function assignTurn(annotation: Annotation, id: number, speaker: string): Annotation {
  const turn = turnOf(annotation, id);
  if (turn.speaker === speaker) return confirmTurn(annotation, id);
  const exclusiveHints = handOver(annotation.exclusiveHints, turn.speaker, (hint) => ({ ...hint, speaker, confidence: null }), turn);
  return place({ ...annotation, exclusiveHints }, turn, { ...turn, speaker, confidence: null, isCorrected: true }, BOTH);
}

/** Somebody has heard the turn and found it right. */
export function confirmTurn(annotation: Annotation, id: number): Annotation {
  const turn = turnOf(annotation, id);
  if (turn.isCorrected) return annotation;
  return { ...annotation, turns: exchangeTurns(annotation.turns, [turn], [{ ...turn, isCorrected: true }]) };
}

/** Nobody talks there, or somebody whose turn is there already. */
export function deleteTurn(annotation: Annotation, id: number): Annotation {
  return { ...annotation, turns: exchangeTurns(annotation.turns, [turnOf(annotation, id)], []) };
}

/** All turns of `from` go to `into`. One that was joined is corrected only if all its parts are. */
export function mergeTurns(turns: readonly EditableTurn[], from: string, into: string): EditableTurn[] {
  const bySpeaker = turnsBySpeaker(turns);
  const own = [from, into].flatMap((speaker) => bySpeaker.get(speaker)?.turns ?? []).sort(compareTurns);
  const merged: EditableTurn[] = [];
  /** Speaker before, of the part that ends the last of `merged`. */
  let lastSpeaker = '';
  for (const turn of own) {
    const last = merged.at(-1);
    // Halves of one turn of one speaker stay apart here too.
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
 * Puts a turn in place of the one that it was before, if there was one, and takes in its speaker's other turns: those that it
 * overlaps, and those that an edge touches which was set now.
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
  // A model can hear somebody in the padding after the last sample; the other edge of such a turn must be movable.
  if (startSeconds >= 0 && endSeconds <= durationSeconds) return;
  const lastSeconds = turns.reduce((last, turn) => Math.max(last, turn.endSeconds), durationSeconds);
  if (startSeconds >= 0 && endSeconds <= lastSeconds) return;
  throw refusal(
    `A turn from ${inSeconds(startSeconds)} to ${inSeconds(endSeconds)} leaves the recording`,
    `times from 0 to ${inSeconds(lastSeconds)}`,
    'Choose times within the recording',
  );
}

function checkLength(startSeconds: number, endSeconds: number): void {
  // Written so that NaN fails, and so that a sum of two times may miss the least length by its rounding.
  if (Number.isFinite(startSeconds) && endSeconds - startSeconds >= SHORTEST_TURN_SECONDS - 1e-9 && Number.isFinite(endSeconds)) return;
  throw refusal(
    `A turn from ${inSeconds(startSeconds)} to ${inSeconds(endSeconds)} is too short`,
    `an end at least ${inSeconds(SHORTEST_TURN_SECONDS)} after the start`,
    'Leave it longer, or delete it',
  );
}

/**
 * Other turns and speakers altogether, of the same recording.
 *
 * A turn that is exactly one of before (times, speaker, confidence, corrected) stays that one, with its id; all others
 * get new ids, because whoever made the new annotation could not know which are taken. The kind of the confidences is
 * that of the new ones, and so are the minimum durations.
 *
 * @throws VoxlaneError `options` where the new annotation contradicts itself: a turn of a speaker whom it does not list,
 *   one that ends before it starts, two speakers with one id
 */
export function replaceAll(before: Annotation, next: Annotation): Annotation {
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

/** All of a turn but its id. Same content means the same turn: those of one speaker do not overlap. */
function contentOf({ startSeconds, endSeconds, speaker, confidence, isCorrected }: EditableTurn): string {
  return JSON.stringify([startSeconds, endSeconds, speaker, confidence ?? null, isCorrected]);
}

function checkAnnotation({ speakers, turns }: Annotation): void {
  const ids = new Set(speakers.map(({ id }) => id));
  if (ids.size < speakers.length) {
    throw refusal('Two speakers have the same id', 'an id of its own for each speaker', 'Read the file again');
  }
  for (const { startSeconds, endSeconds, speaker } of turns) {
    if (!ids.has(speaker)) {
      throw refusal(`A turn is of ${speaker}, who is no speaker`, `one of ${[...ids].join(', ')}`, 'Read the file again');
    }
    if (!(Number.isFinite(startSeconds) && startSeconds < endSeconds && Number.isFinite(endSeconds))) {
      throw refusal(
        `A turn goes from ${inSeconds(startSeconds)} to ${inSeconds(endSeconds)}`,
        'an end after the start',
        'Read the file again',
      );
    }
  }
}

/**
 * The annotation after one correction. Pure; what stays the same is shared, and an edit that changes nothing gives the
 * very annotation that it was given.
 *
 * Turns of one speaker never overlap. A turn that is added, moved or assigned takes in every other turn of its speaker
 * that it overlaps, or that an edge touches which the edit set (to 1 ms): it keeps its id, and theirs go. The halves of
 * a split touch and stay apart, through later edits too, until such an edge is set on the other half. Two speakers who
 * are merged have the turns joined that overlap, or that touch and were not one speaker's before. Where the pipeline
 * chose whom to hear, it stays the same voice through an assignment or a merge, under its new speaker.
 *
 * @throws VoxlaneError `options` for what cannot be: an id that is not there, times outside of the recording, an end
 *   before its start, a turn of less than 10 ms, a split outside of the turn, a speaker who is merged into himself or
 *   removed with turns, a color that is no index
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

/** The id that `add-speaker` gives next: the caller may want it before, to assign a turn to the new speaker at once. */
export function nextSpeakerId({ speakers, exclusiveHints, nextLabel = 0 }: Annotation): string {
  // The hints still name whose turns were deleted; a new speaker of that name would be heard in those places.
  const labels = new Set([...speakers.map(({ id }) => id), ...exclusiveHints.map(({ speaker }) => speaker)]);
  return speakerLabel([...labels].reduce((next, label) => Math.max(next, numberAfter(label)), nextLabel));
}

/** The number of the label that follows; 0 of a label without a number. */
function numberAfter(label: string): number {
  const [, number] = /^SPEAKER_(\d+)$/.exec(label) ?? [];
  return number === undefined ? 0 : Number(number) + 1;
}

/** The annotation without one of its speakers, whose label nobody else gets. */
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
  throw refusal(`There is no speaker ${id}`, `one of ${listed(speakers)}`, 'It may have been merged or removed');
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

/** A name of nothing but white space is none. */
function cleanName(name: string | null): string | null {
  const clean = name?.trim().replace(/\s+/g, ' ') ?? '';
  return clean === '' ? null : clean;
}

function recolor(annotation: Annotation, speaker: string, color: number): Annotation {
  if (Number.isInteger(color) && color >= 0) return changeSpeaker(annotation, speaker, { color });
  throw refusal(`A speaker cannot have the color ${color}`, 'the index of a color, 0 or more', 'Choose one of the colors');
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
      `${id} cannot be removed while talking at ${inSeconds(turn.startSeconds)}`,
      'a speaker without turns',
      'Assign or delete the turns first, or merge the speaker into another',
    );
  }
  return without(annotation, gone);
}
