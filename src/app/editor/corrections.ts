import type { Edit, EditableTurn } from '../../editing/annotation';
import { turnsBySpeaker } from '../../editing/bySpeaker';
import { indicesOverlapping } from '../../editing/overlapping';
import { indexOfTurn, turnById } from '../../editing/turnLookup';
import type { Editor, EditorState } from './editor';
import { nameOf, speakerOfKey } from './speakerNames';
import { editorText } from './text';

/** The turns that contain a time. */
function turnsAt(turns: readonly EditableTurn[], seconds: number): EditableTurn[] {
  return indicesOverlapping(turns, seconds, seconds).map((index) => turns[index]!);
}

/** The corrections behind buttons and keys. Each announces its effect in a sentence for users who cannot see the tracks. */
const words = editorText.turn;

/** Length of an added turn. It is shorter if another turn of the speaker or the end of the recording comes first. */
const NEW_TURN_SECONDS = 2;

/** Whether turns can be corrected now. If not, shows the reason. */
function canCorrect(editor: Editor): boolean {
  const state = editor.get();
  if (isEditable(state)) return true;
  editor.say(state.proposal ? editorText.proposalHint : editorText.exclusiveHint);
  return false;
}

/** Whether the shown turns are those of the annotation and can be corrected. */
export function isEditable({ mode, proposal }: EditorState): boolean {
  return mode === 'overlapping' && !proposal;
}

/** The selected turn if it can be corrected; otherwise shows the reason and returns null. */
export function selectedTurn(editor: Editor): EditableTurn | null {
  if (!canCorrect(editor)) return null;
  const { annotation, selected } = editor.get();
  const turn = turnById(annotation.turns, selected);
  if (!turn) editor.say(words.nothingSelected);
  return turn;
}

function applied(editor: Editor, edit: Edit, sentence: string): void {
  if (editor.edit(edit)) editor.say(sentence);
}

/** Assigns the selected turn to the speaker of a number key. */
export function assignSelected(editor: Editor, key: number): void {
  const speaker = speakerOfKey(editor.get().annotation, key);
  if (speaker === null) return;
  const turn = selectedTurn(editor);
  if (turn) assignTurn(editor, turn.id, speaker);
}

export function assignTurn(editor: Editor, turn: number, speaker: string): void {
  applied(editor, { type: 'assign-turn', turn, speaker }, words.assigned(nameOf(editor.get().annotation, speaker)));
}

export function splitSelected(editor: Editor): void {
  const turn = selectedTurn(editor);
  if (turn) applied(editor, { type: 'split-turn', turn: turn.id, atSeconds: editor.player.position }, words.splitDone);
}

/** Deletes the selected turn and selects the next one, to allow repeated deletion. */
export function deleteSelected(editor: Editor): void {
  const turn = selectedTurn(editor);
  if (!turn) return;
  const { turns } = editor.get().annotation;
  const index = indexOfTurn(turns, turn.id);
  const next = turns[index + 1] ?? turns[index - 1];
  if (!editor.edit({ type: 'delete-turn', turn: turn.id })) return;
  editor.select(next?.id ?? null);
  editor.say(words.deleted);
}

export function confirmSelected(editor: Editor): void {
  const turn = selectedTurn(editor);
  if (turn) applied(editor, { type: 'confirm-turn', turn: turn.id }, words.confirmed);
}

/** Moves one edge of the selected turn to the playhead. */
export function setEdge(editor: Editor, edge: 'start' | 'end'): void {
  const turn = selectedTurn(editor);
  if (!turn) return;
  const { position } = editor.player;
  const startSeconds = edge === 'start' ? position : turn.startSeconds;
  const endSeconds = edge === 'end' ? position : turn.endSeconds;
  moveTurn(editor, turn.id, startSeconds, endSeconds);
}

export function moveTurn(editor: Editor, turn: number, startSeconds: number, endSeconds: number): void {
  const { annotation } = editor.get();
  const speaker = turnById(annotation.turns, turn)?.speaker;
  if (speaker === undefined) return;
  const what = words.describe(nameOf(annotation, speaker), startSeconds, endSeconds);
  applied(editor, { type: 'move-turn', turn, startSeconds, endSeconds }, what);
}

/** Adds a turn at the playhead for the speaker of the selected turn or, without one, of the first track. */
export function addAtPlayhead(editor: Editor): void {
  if (!canCorrect(editor)) return;
  const { annotation, selected } = editor.get();
  const chosen = turnById(annotation.turns, selected)?.speaker ?? annotation.speakers[0]?.id;
  if (chosen === undefined) return;
  const startSeconds = editor.player.position;
  const own = turnsBySpeaker(annotation.turns).get(chosen)?.turns ?? [];
  if (own.some((turn) => turn.startSeconds <= startSeconds && startSeconds < turn.endSeconds)) {
    // A new turn here would be absorbed by the existing one.
    editor.say(words.speaksAlready(nameOf(annotation, chosen)));
    return;
  }
  const next = own.find((turn) => turn.startSeconds > startSeconds);
  const endSeconds = Math.min(startSeconds + NEW_TURN_SECONDS, next?.startSeconds ?? Infinity, annotation.durationSeconds);
  addTurn(editor, chosen, startSeconds, endSeconds);
}

export function addTurn(editor: Editor, speaker: string, startSeconds: number, endSeconds: number): void {
  if (!editor.edit({ type: 'add-turn', speaker, startSeconds, endSeconds })) return;
  const middle = (startSeconds + endSeconds) / 2;
  const added = turnsAt(editor.get().annotation.turns, middle).find((turn) => turn.speaker === speaker);
  editor.select(added?.id ?? null);
  editor.say(words.added);
}

/** Selects the next or previous turn. Without a selection, selects the turn nearest to the playhead. */
export function stepTurn(editor: Editor, step: 1 | -1): void {
  const { annotation, selected } = editor.get();
  const { turns } = annotation;
  const index = indexOfTurn(turns, selected);
  const next =
    index >= 0
      ? turns[index + step]
      : step > 0
        ? turns.find(({ endSeconds }) => endSeconds > editor.player.position)
        : turns.findLast(({ startSeconds }) => startSeconds < editor.player.position);
  if (!next) return;
  editor.select(next.id);
  if (!editor.player.playing) editor.player.seek(next.startSeconds);
  editor.say(words.selected(words.describe(nameOf(annotation, next.speaker), next.startSeconds, next.endSeconds)));
}

/** Starts or stops looping the selected turn. */
export function toggleLoop(editor: Editor): void {
  if (editor.get().loop) {
    editor.setLoop(null);
    return;
  }
  const turn = selectedTurn(editor);
  if (turn) editor.setLoop({ startSeconds: turn.startSeconds, endSeconds: turn.endSeconds });
}
