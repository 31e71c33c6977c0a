import { speakerLabel } from '../timeline/turns';
import type { Annotation, AnnotationSpeaker, Edit } from './annotation';
import { freeColour } from './annotationOf';
import { turnsBySpeaker } from './bySpeaker';
import { handOver } from './hints';
import { inSeconds, refusal } from './refuse';
import { replaceAll } from './replace';
import { addTurn, assignTurn, confirmTurn, deleteTurn, mergeTurns, moveTurn, splitTurn } from './turnEdits';

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
 *   removed with turns, a colour that is no index
 */
export function applyEdit(annotation: Annotation, edit: Edit): Annotation {
  switch (edit.type) {
    case 'rename-speaker':
      return changeSpeaker(annotation, edit.speaker, { name: cleanName(edit.name) });
    case 'recolour-speaker':
      return recolour(annotation, edit.speaker, edit.colour);
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
  const colour = freeColour(new Set(annotation.speakers.map((speaker) => speaker.colour)));
  return { id: nextSpeakerId(annotation), name: cleanName(name), colour };
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
  if (changed.name === speaker.name && changed.colour === speaker.colour) return annotation;
  return { ...annotation, speakers: annotation.speakers.map((each) => (each === speaker ? changed : each)) };
}

/** A name of nothing but white space is none. */
function cleanName(name: string | null): string | null {
  const clean = name?.trim().replace(/\s+/g, ' ') ?? '';
  return clean === '' ? null : clean;
}

function recolour(annotation: Annotation, speaker: string, colour: number): Annotation {
  if (Number.isInteger(colour) && colour >= 0) return changeSpeaker(annotation, speaker, { colour });
  throw refusal(`A speaker cannot have the colour ${colour}`, 'the index of a colour, 0 or more', 'Choose one of the colours');
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
