import type { Edit, EditableTurn } from '../../editing/annotation';
import { turnsBySpeaker } from '../../editing/bySpeaker';
import { indexOfTurn, indicesOverlapping, turnById } from '../../editing/turnLookup';
import type { Studio, StudioState } from './editor';
import { nameOf, speakerOfKey } from './speakerNames';
import { studioText } from './text';

/** The turns that cover a moment. */
export function turnsAt(turns: readonly EditableTurn[], seconds: number): EditableTurn[] {
  return indicesOverlapping(turns, seconds, seconds).map((index) => turns[index]!);
}

/** What buttons and keys do to the result. Each says in a sentence what happened, for those who cannot see the lanes. */
const words = studioText.turn;

/** A turn that is added has this length, less where another turn of the speaker or the end of the recording is nearer. */
const NEW_TURN_SECONDS = 2;

/** Whether turns can be corrected now: those that are shown are the annotation's own. Says why where they cannot. */
function canCorrect(studio: Studio): boolean {
  const state = studio.get();
  if (isEditable(state)) return true;
  studio.say(state.proposal ? studioText.proposalHint : studioText.exclusiveHint);
  return false;
}

/** Whether the turns that are shown can be corrected. */
export function isEditable({ mode, proposal }: StudioState): boolean {
  return mode === 'overlapping' && !proposal;
}

/** The turn that is selected, to be corrected; says so where none is, or where none can be. */
export function selectedTurn(studio: Studio): EditableTurn | null {
  if (!canCorrect(studio)) return null;
  const { annotation, selected } = studio.get();
  const turn = turnById(annotation.turns, selected);
  if (!turn) studio.say(words.nothingSelected);
  return turn;
}

function applied(studio: Studio, edit: Edit, sentence: string): void {
  if (studio.edit(edit)) studio.say(sentence);
}

/** Gives the selected turn to the speaker of a number key. */
export function assignSelected(studio: Studio, key: number): void {
  const speaker = speakerOfKey(studio.get().annotation, key);
  if (speaker === null) return;
  const turn = selectedTurn(studio);
  if (turn) assignTurn(studio, turn.id, speaker);
}

export function assignTurn(studio: Studio, turn: number, speaker: string): void {
  applied(studio, { type: 'assign-turn', turn, speaker }, words.assigned(nameOf(studio.get().annotation, speaker)));
}

export function splitSelected(studio: Studio): void {
  const turn = selectedTurn(studio);
  if (turn) applied(studio, { type: 'split-turn', turn: turn.id, atSeconds: studio.player.position }, words.splitDone);
}

/** Deletes the selected turn and selects the one that follows, so that deleting goes on. */
export function deleteSelected(studio: Studio): void {
  const turn = selectedTurn(studio);
  if (!turn) return;
  const { turns } = studio.get().annotation;
  const index = indexOfTurn(turns, turn.id);
  const next = turns[index + 1] ?? turns[index - 1];
  if (!studio.edit({ type: 'delete-turn', turn: turn.id })) return;
  studio.select(next?.id ?? null);
  studio.say(words.deleted);
}

export function confirmSelected(studio: Studio): void {
  const turn = selectedTurn(studio);
  if (turn) applied(studio, { type: 'confirm-turn', turn: turn.id }, words.confirmed);
}

/** Moves one edge of the selected turn to the playhead. */
export function setEdge(studio: Studio, edge: 'start' | 'end'): void {
  const turn = selectedTurn(studio);
  if (!turn) return;
  const { position } = studio.player;
  const startSeconds = edge === 'start' ? position : turn.startSeconds;
  const endSeconds = edge === 'end' ? position : turn.endSeconds;
  moveTurn(studio, turn.id, startSeconds, endSeconds);
}

export function moveTurn(studio: Studio, turn: number, startSeconds: number, endSeconds: number): void {
  const { annotation } = studio.get();
  const speaker = turnById(annotation.turns, turn)?.speaker;
  if (speaker === undefined) return;
  const what = words.describe(nameOf(annotation, speaker), startSeconds, endSeconds);
  applied(studio, { type: 'move-turn', turn, startSeconds, endSeconds }, what);
}

/** Adds a turn at the playhead, for the speaker of the selected turn, or of the first lane. */
export function addAtPlayhead(studio: Studio): void {
  if (!canCorrect(studio)) return;
  const { annotation, selected } = studio.get();
  const chosen = turnById(annotation.turns, selected)?.speaker ?? annotation.speakers[0]?.id;
  if (chosen === undefined) return;
  const startSeconds = studio.player.position;
  const own = turnsBySpeaker(annotation.turns).get(chosen)?.turns ?? [];
  if (own.some((turn) => turn.startSeconds <= startSeconds && startSeconds < turn.endSeconds)) {
    // A new turn here would be absorbed by the existing one.
    studio.say(words.speaksAlready(nameOf(annotation, chosen)));
    return;
  }
  const next = own.find((turn) => turn.startSeconds > startSeconds);
  const endSeconds = Math.min(startSeconds + NEW_TURN_SECONDS, next?.startSeconds ?? Infinity, annotation.durationSeconds);
  addTurn(studio, chosen, startSeconds, endSeconds);
}

export function addTurn(studio: Studio, speaker: string, startSeconds: number, endSeconds: number): void {
  if (!studio.edit({ type: 'add-turn', speaker, startSeconds, endSeconds })) return;
  const middle = (startSeconds + endSeconds) / 2;
  const added = turnsAt(studio.get().annotation.turns, middle).find((turn) => turn.speaker === speaker);
  studio.select(added?.id ?? null);
  studio.say(words.added);
}

/** Selects the next turn, or the one before; with none selected, the one nearest to the playhead. */
export function stepTurn(studio: Studio, step: 1 | -1): void {
  const { annotation, selected } = studio.get();
  const { turns } = annotation;
  const index = indexOfTurn(turns, selected);
  const next =
    index >= 0
      ? turns[index + step]
      : step > 0
        ? turns.find(({ endSeconds }) => endSeconds > studio.player.position)
        : turns.findLast(({ startSeconds }) => startSeconds < studio.player.position);
  if (!next) return;
  studio.select(next.id);
  if (!studio.player.playing) studio.player.seek(next.startSeconds);
  studio.say(words.selected(words.describe(nameOf(annotation, next.speaker), next.startSeconds, next.endSeconds)));
}

/** Plays the selected turn over and over, or stops doing so. */
export function toggleLoop(studio: Studio): void {
  if (studio.get().loop) {
    studio.setLoop(null);
    return;
  }
  const turn = selectedTurn(studio);
  if (turn) studio.setLoop({ startSeconds: turn.startSeconds, endSeconds: turn.endSeconds });
}
