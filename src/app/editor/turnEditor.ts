import type { EditableTurn } from '../../editing/annotation';
import { turnById } from '../../editing/turnLookup';
import { h, setText } from '../../ui-kit/dom';
import { clock } from '../../ui-kit/format';
import { addAtPlayhead, assignTurn, confirmSelected, deleteSelected, isEditable, moveTurn, splitSelected, toggleLoop } from './corrections';
import { markDrafts, parseTime } from './inputs';
import type { Panel, Editor } from './editor';
import { nameOf } from './speakerNames';
import { createSpeakerChoice } from './speakerChoice';
import { editorText } from './text';

const words = editorText.turn;

/**
 * The editor of the selected turn. Its height is constant: clicking a row of the table selects a turn, and a shift of
 * the layout would move the click to another row.
 */
export function createTurnEditor(editor: Editor): Panel {
  const { scope } = editor;
  const hint = h('p', { class: 'fine' }, words.none);
  const time = (label: string, testId: string): { element: HTMLElement; input: HTMLInputElement } => {
    const input = h('input', { type: 'text', inputmode: 'decimal', class: 'field field--time', autocomplete: 'off', 'data-testid': testId });
    return { input, element: h('label', { class: 'labeled' }, h('span', {}, label), input) };
  };
  const start = time(words.start, 'turn-start');
  const end = time(words.end, 'turn-end');
  const problem = h('p', { class: 'fine problem', role: 'alert' });
  const speaker = createSpeakerChoice(scope, {
    testId: 'turn-speaker',
    placeholder: null,
    onStep: () => {
      editor.say(editorText.pressEnter);
    },
    onChoose: (id) => {
      if (turn && id !== turn.speaker) assignTurn(editor, turn.id, id);
    },
  });
  const button = (label: string, key: string, testId: string, act: (editor: Editor) => void): HTMLButtonElement => {
    const made = h('button', { type: 'button', class: 'button button--small', 'data-testid': testId }, label, h('kbd', { 'aria-hidden': 'true' }, key));
    scope.on(made, 'click', () => {
      act(editor);
    });
    return made;
  };
  const loop = button(words.loop, 'O', 'turn-loop', toggleLoop);
  const needSelection = [
    button(words.confirm, 'C', 'turn-confirm', confirmSelected),
    button(words.split, 'S', 'turn-split', splitSelected),
    loop,
    button(words.delete, 'Del', 'turn-delete', deleteSelected),
  ];
  const add = button(words.add, 'A', 'turn-add', addAtPlayhead);
  const fields = h('div', { class: 'turn-editor__fields' }, h('label', { class: 'labeled labeled--wide' }, h('span', {}, words.speaker), speaker.element), start.element, end.element);
  const element = h(
    'section',
    { class: 'panel turn-editor', 'data-testid': 'turn-editor' },
    h('h3', { class: 'legend' }, words.heading),
    h('div', { class: 'turn-editor__message' }, hint, problem),
    fields,
    h('div', { class: 'button-row' }, ...needSelection, add),
  );

  let turn: EditableTurn | null = null;
  let shownId: number | null = null;
  /** The text of the field that was last read. The code may overwrite it. */
  let committed: string | null = null;
  const describe = ({ speaker: id, startSeconds, endSeconds }: EditableTurn): string =>
    words.describe(nameOf(editor.get().annotation, id), startSeconds, endSeconds);
  const commit = (): void => {
    if (!turn) return;
    const startSeconds = readTime(start.input, turn.startSeconds);
    const endSeconds = readTime(end.input, turn.endSeconds);
    const bad = startSeconds === null ? start.input : endSeconds === null ? end.input : null;
    setText(problem, bad ? words.badTime(bad.value) : '');
    if (bad) setText(hint, '');
    for (const { input } of [start, end]) input.setAttribute('aria-invalid', String(input === bad));
    if (startSeconds === null || endSeconds === null) return;
    committed = document.activeElement instanceof HTMLInputElement ? document.activeElement.value : null;
    if (startSeconds !== turn.startSeconds || endSeconds !== turn.endSeconds) moveTurn(editor, turn.id, startSeconds, endSeconds);
    update();
  };
  for (const { input } of [start, end]) {
    markDrafts(scope, input, () => false);
    scope.on(input, 'change', commit);
    scope.on(input, 'keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      // Set first, because leaving a changed field applies its text.
      committed = input.value;
      update();
      input.blur();
    });
  }

  function update(): void {
    const state = editor.get();
    const { annotation, selected, loop: looped, proposal } = state;
    const canEdit = isEditable(state);
    turn = canEdit ? turnById(annotation.turns, selected) : null;
    setText(hint, turn ? describe(turn) : canEdit ? words.none : proposal ? editorText.proposalHint : editorText.exclusiveHint);
    setText(problem, '');
    for (const control of [...needSelection, start.input, end.input]) control.disabled = turn === null;
    loop.disabled = turn === null && looped === null;
    add.disabled = !canEdit || annotation.speakers.length === 0;
    loop.firstChild!.textContent = looped ? words.unloop : words.loop;
    loop.setAttribute('aria-pressed', String(looped !== null));
    speaker.update({ speakers: annotation.speakers, without: null, chosen: turn?.speaker ?? null, isDisabled: turn === null, label: null });
    const isSame = turn?.id === shownId;
    shownId = turn?.id ?? null;
    for (const [{ input }, seconds] of [[start, turn?.startSeconds], [end, turn?.endSeconds]] as const) {
      // Do not overwrite text that the user is typing until the field or the turn changes.
      if (isSame && input === document.activeElement && input.value !== committed) continue;
      input.value = seconds === undefined ? '' : clock(seconds, 3);
      input.removeAttribute('aria-invalid');
    }
  }
  editor.onChange(scope, update);
  update();
  return { element };
}

/** The time in a field. If the text was not changed, returns the exact present value instead of the rounded one shown. */
function readTime(input: HTMLInputElement, present: number): number | null {
  return input.value === clock(present, 3) ? present : parseTime(input.value);
}
