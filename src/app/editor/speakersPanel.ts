import type { Annotation, AnnotationSpeaker } from '../../editing/annotation';
import { turnsBySpeaker } from '../../editing/bySpeaker';
import { briefSpeakers, representativeTurns } from '../../editing/review';
import type { Scope } from '../../ui-kit/scope';
import { h, icon, setText } from '../../ui-kit/dom';
import { COLORS, swatch } from '../../ui-kit/tracks/palette';
import { speakerName } from '../../ui-kit/tracks/model';
import { createRowWindow } from './rowWindow';
import { nameOf, namesakesOf, speakerKeys } from './speakerNames';
import { markDrafts } from './inputs';
import { createSpeakerChoice } from './speakerChoice';
import type { Panel, Editor } from './editor';
import { editorText } from './text';

const words = editorText.speakers;

/** Above this number of speakers, the list scrolls and only contains the rows near the visible ones. */
const MAX_WHOLE_ROWS = 30;
const LIKELY_ROW_PIXELS = 128;

interface SpeakersPanel extends Panel {
  /** Focuses the name field of a speaker. */
  readonly rename: (speaker: string) => void;
}

/** The speakers panel: names, colors, speech time, playback, and merging. */
export function createSpeakersPanel(editor: Editor): SpeakersPanel {
  const { scope } = editor;
  const list = h('ul', { class: 'speakers' });
  const add = h('button', { type: 'button', class: 'button', 'data-testid': 'add-speaker' }, icon('plus'), words.add);
  scope.on(add, 'click', () => {
    if (!editor.edit({ type: 'add-speaker', name: null })) return;
    const added = editor.get().annotation.speakers.at(-1);
    if (!added) return;
    editor.say(words.added(nameOf(editor.get().annotation, added.id)));
    rename(added.id);
  });
  const element = h('section', { class: 'panel' }, h('h3', { class: 'legend' }, words.heading), list, add);

  const rows = new Map<string, SpeakerRow>();
  const focusAfter = (into: string | null): void => {
    if (into === null) add.focus();
    else rename(into);
  };
  /** The annotation that the rows show. */
  let shown: Annotation | null = null;
  let brief: ReadonlySet<string> = new Set();
  let keys: ReadonlyMap<string, number> = new Map();
  let namesakes: ReadonlyMap<string, string> = new Map();
  const factsOf = (id: string): RowInfo => ({ isBrief: brief.has(id), key: keys.get(id) ?? null, namesake: namesakes.get(id) ?? null });
  const rowOf = (index: number): SpeakerRow => {
    const { annotation } = editor.get();
    const speaker = annotation.speakers[index]!;
    let row = rows.get(speaker.id);
    if (!row) {
      rows.set(speaker.id, (row = createRow(editor, speaker.id, focusAfter)));
      row.update(annotation, speaker, index, factsOf(speaker.id));
    }
    return row;
  };
  const removeRows = (isGone: (id: string, row: SpeakerRow) => boolean): void => {
    for (const [id, row] of rows) {
      if (!isGone(id, row)) continue;
      row.remove();
      rows.delete(id);
    }
  };
  const rowWindow = createRowWindow(scope, {
    list,
    numRows: () => editor.get().annotation.speakers.length,
    rowOf: (index) => rowOf(index).element,
    maxWhole: MAX_WHOLE_ROWS,
    likelyHeight: LIKELY_ROW_PIXELS,
    keptRow: () => {
      const focused = document.activeElement?.closest<HTMLElement>('[data-speaker]');
      if (!focused || !list.contains(focused)) return null;
      const index = editor.get().annotation.speakers.findIndex(({ id }) => id === focused.dataset.speaker);
      return index < 0 ? null : index;
    },
    onFilled: () => {
      removeRows((_id, { element: own }) => own.parentElement !== list);
    },
  });
  const update = (): void => {
    const { annotation } = editor.get();
    if (annotation === shown) return;
    const indices = new Map(annotation.speakers.map(({ id }, index) => [id, index]));
    if (annotation.turns !== shown?.turns || annotation.speakers.length !== shown.speakers.length) {
      brief = new Set(briefSpeakers(annotation).map(({ id }) => id));
    }
    if (annotation.speakers !== shown?.speakers) {
      keys = speakerKeys(annotation);
      namesakes = namesakesOf(annotation);
    }
    shown = annotation;
    removeRows((id) => !indices.has(id));
    for (const [id, row] of rows) {
      const index = indices.get(id)!;
      row.update(annotation, annotation.speakers[index]!, index, factsOf(id));
    }
    rowWindow.update();
  };
  function rename(speaker: string): void {
    const index = editor.get().annotation.speakers.findIndex(({ id }) => id === speaker);
    if (rowWindow.reveal(index)) rows.get(speaker)?.focusName();
  }
  editor.onChange(scope, (next, previous) => {
    if (next.annotation !== previous.annotation) update();
  });
  update();
  return {
    element,
    rename,
  };
}

/** Content of a row that depends on the other speakers. */
interface RowInfo {
  readonly isBrief: boolean;
  /** The number key; null if there is none. */
  readonly key: number | null;
  /** Id of an earlier speaker with the same name; null if there is none. */
  readonly namesake: string | null;
}

interface SpeakerRow {
  readonly element: HTMLElement;
  readonly update: (annotation: Annotation, speaker: AnnotationSpeaker, index: number, facts: RowInfo) => void;
  readonly focusName: () => void;
  readonly remove: () => void;
}

/**
 * @param onGone called when this row is removed while it has the focus, with the speaker that took its place; null if
 *   there is none
 */
function createRow(editor: Editor, id: string, onGone: (into: string | null) => void): SpeakerRow {
  const scope: Scope = editor.scope.child();
  const badge = h('span', { class: 'speakers__badge' });
  const name = h('input', { type: 'text', class: 'field speakers__name', maxlength: 80, autocomplete: 'off', spellcheck: 'false', 'data-testid': 'speaker-name' });
  const amount = h('span', { class: 'fine speakers__amount' });
  const flag = h('span', { class: 'flag', hidden: true }, words.brief);
  const hear = h('button', { type: 'button', class: 'icon-button', 'data-testid': 'hear-speaker' }, icon('play'));
  const color = h('select', { class: 'field' }, ...Array.from({ length: COLORS }, (_, index) => h('option', { value: index }, words.colorNames[index] ?? String(index + 1))));
  const mergeInto = (into: string): void => {
    const { annotation } = editor.get();
    const sentence = words.merged(nameOf(annotation, id), nameOf(annotation, into));
    if (!editor.edit({ type: 'merge-speakers', from: id, into })) return;
    editor.say(sentence);
    onGone(into);
  };
  const merge = createSpeakerChoice(scope, {
    testId: 'merge-speaker',
    placeholder: words.mergeNone,
    onStep: () => {
      editor.say(editorText.pressEnter);
    },
    onChoose: mergeInto,
  });
  const remove = h('button', { type: 'button', class: 'icon-button', 'data-testid': 'remove-speaker' }, icon('close'));
  const namesake = createNamesakeWarning(scope, mergeInto);
  const element = h(
    'li',
    { class: 'speakers__row', 'data-testid': 'speaker-row', 'data-speaker': id },
    badge,
    name,
    hear,
    h('div', { class: 'speakers__facts' }, amount, flag, namesake.element),
    h('div', { class: 'speakers__more' }, color, merge.element, remove),
  );

  const commitName = (): void => {
    const current = editor.get().annotation.speakers.find((speaker) => speaker.id === id);
    const typed = name.value.trim();
    // The numbered label of an unnamed speaker is not a name.
    const written = typed === '' || typed === unnamed ? null : typed;
    if (!current || written === current.name) return;
    editor.edit({ type: 'rename-speaker', speaker: id, name: written });
  };
  let shown = '';
  /** The label of the speaker if unnamed. */
  let unnamed = '';
  const isDraft = markDrafts(scope, name, () => name.value === shown);
  scope.on(name, 'change', commitName);
  scope.on(name, 'blur', () => {
    // After clearing the name, show the numbered label again.
    name.value = shown;
  });
  scope.on(name, 'keydown', (event) => {
    if (event.key === 'Enter') {
      commitName();
      isDraft();
      name.select();
    } else if (event.key === 'Escape') {
      name.value = shown;
      name.blur();
      event.stopPropagation();
    }
  });
  scope.on(hear, 'click', () => {
    const [best] = representativeTurns(editor.get().annotation, id);
    if (best) editor.play(best);
  });
  scope.on(color, 'change', () => {
    editor.edit({ type: 'recolor-speaker', speaker: id, color: Number(color.value) });
  });
  scope.on(remove, 'click', () => {
    const sentence = words.removed(nameOf(editor.get().annotation, id));
    if (!editor.edit({ type: 'remove-speaker', speaker: id })) return;
    editor.say(sentence);
    onGone(null);
  });

  return {
    element,
    update(annotation, speaker, index, { isBrief, key, namesake: first }) {
      const { turns: own, seconds } = turnsBySpeaker(annotation.turns).get(id) ?? { turns: [], seconds: 0 };
      shown = speakerName(speaker, index);
      unnamed = speakerName({ ...speaker, name: null }, index);
      badge.replaceChildren(swatch(speaker.color), ...(key === null ? [] : [h('kbd', { title: words.key(key) }, String(key))]));
      // Do not overwrite text while the user is typing.
      if (!isDraft()) name.value = shown;
      namesake.show(first, shown);
      setText(amount, words.speech(seconds, own.length));
      flag.hidden = !isBrief;
      color.value = String(speaker.color % COLORS);
      merge.update({
        speakers: annotation.speakers,
        without: id,
        chosen: null,
        isDisabled: annotation.speakers.length < 2,
        label: words.merge(shown),
      });
      hear.disabled = own.length === 0;
      remove.hidden = own.length > 0;
      for (const [control, label] of [
        [name, words.name(shown)],
        [hear, words.hear(shown)],
        [color, words.color(shown)],
        [remove, words.remove(shown)],
      ] as const) {
        control.setAttribute('aria-label', label);
        control.title = label;
      }
    },
    focusName() {
      name.focus();
      name.select();
    },
    remove() {
      scope.dispose();
      element.remove();
    },
  };
}

/** Warns that another speaker has the same name, and offers to merge the two. */
function createNamesakeWarning(
  scope: Scope,
  mergeInto: (speaker: string) => void,
): { readonly element: HTMLElement; readonly show: (first: string | null, name: string) => void } {
  let into: string | null = null;
  const flag = h('span', { class: 'flag' });
  const merge = h('button', { type: 'button', class: 'button button--small', 'data-testid': 'merge-namesake' }, words.mergeNamesake);
  scope.on(merge, 'click', () => {
    if (into !== null) mergeInto(into);
  });
  const element = h('span', { class: 'speakers__namesake', role: 'status', hidden: true, 'data-testid': 'namesake' }, flag, merge);
  return {
    element,
    show(first, name) {
      into = first;
      element.hidden = first === null;
      if (first === null) return;
      setText(flag, words.namesake(name));
      merge.setAttribute('aria-label', words.mergeNamesakeLabel(name));
    },
  };
}
