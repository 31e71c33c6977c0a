import type { Annotation, EditableTurn } from './annotation';
import { handOver } from './hints';
import { joinTurns, overlap, touch } from './join';
import { turnsBySpeaker } from './bySpeaker';
import { compareTurns, exchangeTurns } from './order';
import { inSeconds, refusal } from './refuse';
import { turnById } from './turnById';

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
  checkStretch(annotation, startSeconds, endSeconds);
  const turn = { id: annotation.nextId, startSeconds, endSeconds, speaker, confidence: null, isCorrected: true };
  return place({ ...annotation, nextId: annotation.nextId + 1 }, null, turn, NEITHER);
}

/** Sets both edges. The same edges once more change nothing. */
export function moveTurn(annotation: Annotation, id: number, startSeconds: number, endSeconds: number): Annotation {
  const turn = turnOf(annotation, id);
  const edges = { start: startSeconds !== turn.startSeconds, end: endSeconds !== turn.endSeconds };
  if (!edges.start && !edges.end) return annotation;
  checkStretch(annotation, startSeconds, endSeconds);
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

function checkStretch({ durationSeconds, turns }: Annotation, startSeconds: number, endSeconds: number): void {
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
