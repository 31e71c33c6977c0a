import { h } from '../../ui-kit/dom';
import type { Scope } from '../../ui-kit/scope';
import type { Tracks } from '../../ui-kit/tracks/tracks';
import {
  addAtPlayhead,
  assignSelected,
  confirmSelected,
  deleteSelected,
  selectedTurn,
  setEdge,
  splitSelected,
  stepTurn,
  toggleLoop,
} from './corrections';
import type { Editor } from './editor';
import { editorText } from './text';

/** The shortcuts of the result page. */
type ShortcutId =
  | 'toggle' | 'back' | 'forward' | 'shuttle-back' | 'shuttle-stop' | 'shuttle-forward' | 'loop'
  | 'next-turn' | 'previous-turn'
  | 'assign' | 'rename' | 'split' | 'set-start' | 'set-end' | 'add' | 'confirm' | 'delete' | 'undo' | 'redo'
  | 'zoom-in' | 'zoom-out' | 'zoom-fit' | 'mode' | 'export' | 'help' | 'leave';

type ShortcutGroup = 'listen' | 'go' | 'correct' | 'view';

interface Shortcut {
  readonly id: ShortcutId;
  readonly group: ShortcutGroup;
  /** `KeyboardEvent.key`, letters in lower case. */
  readonly keys: readonly string[];
  /** Labels of the keys. */
  readonly shown: readonly string[];
  /** Requires Ctrl or the Mac's command key. */
  readonly withControl?: true;
  /** Set only if shift distinguishes two shortcuts. */
  readonly withShift?: boolean;
  /** A letter, digit or symbol. WCAG 2.1.4 requires a way to turn these off, because speech input types them by mistake. */
  readonly isCharacter?: true;
}

/** The shortcuts, used by the keyboard handler and the help dialog. */
export const SHORTCUTS: readonly Shortcut[] = [
  { id: 'toggle', group: 'listen', keys: [' '], shown: ['Space'] },
  { id: 'back', group: 'listen', keys: ['ArrowLeft'], shown: ['←'] },
  { id: 'forward', group: 'listen', keys: ['ArrowRight'], shown: ['→'] },
  { id: 'shuttle-back', group: 'listen', keys: ['j'], shown: ['J'], isCharacter: true },
  { id: 'shuttle-stop', group: 'listen', keys: ['k'], shown: ['K'], isCharacter: true },
  { id: 'shuttle-forward', group: 'listen', keys: ['l'], shown: ['L'], isCharacter: true },
  { id: 'loop', group: 'listen', keys: ['o'], shown: ['O'], isCharacter: true },
  { id: 'next-turn', group: 'go', keys: ['ArrowDown'], shown: ['↓'] },
  { id: 'previous-turn', group: 'go', keys: ['ArrowUp'], shown: ['↑'] },
  { id: 'leave', group: 'go', keys: ['Escape'], shown: ['Esc'] },
  { id: 'assign', group: 'correct', keys: ['1', '2', '3', '4', '5', '6', '7', '8', '9'], shown: ['1', '…', '9'], isCharacter: true },
  { id: 'rename', group: 'correct', keys: ['r', 'F2'], shown: ['R', 'F2'], isCharacter: true },
  { id: 'split', group: 'correct', keys: ['s'], shown: ['S'], isCharacter: true },
  { id: 'set-start', group: 'correct', keys: ['['], shown: ['['], isCharacter: true },
  { id: 'set-end', group: 'correct', keys: [']'], shown: [']'], isCharacter: true },
  { id: 'add', group: 'correct', keys: ['a'], shown: ['A'], isCharacter: true },
  { id: 'confirm', group: 'correct', keys: ['c'], shown: ['C'], isCharacter: true },
  { id: 'delete', group: 'correct', keys: ['Delete', 'Backspace'], shown: ['Delete'] },
  { id: 'redo', group: 'correct', keys: ['z'], shown: ['Ctrl', 'Shift', 'Z'], withControl: true, withShift: true },
  { id: 'redo', group: 'correct', keys: ['y'], shown: ['Ctrl', 'Y'], withControl: true },
  { id: 'undo', group: 'correct', keys: ['z'], shown: ['Ctrl', 'Z'], withControl: true, withShift: false },
  { id: 'zoom-in', group: 'view', keys: ['+', '='], shown: ['+'], isCharacter: true },
  { id: 'zoom-out', group: 'view', keys: ['-'], shown: ['−'], isCharacter: true },
  { id: 'zoom-fit', group: 'view', keys: ['0'], shown: ['0'], isCharacter: true },
  { id: 'mode', group: 'view', keys: ['v'], shown: ['V'], isCharacter: true },
  { id: 'export', group: 'view', keys: ['e'], shown: ['E'], isCharacter: true },
  { id: 'help', group: 'view', keys: ['?'], shown: ['?'], isCharacter: true },
];

/** The part of a keyboard event that identifies a shortcut. */
export type KeyPress = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>;

/**
 * The shortcut of a key press; null if there is none.
 *
 * @param withLetters whether single-character shortcuts are on
 */
export function shortcutOf(press: KeyPress, withLetters: boolean): ShortcutId | null {
  // On many keyboards, brackets are typed with Alt or with Ctrl and Alt. All other keys with Alt are ignored.
  const isBracket = press.key === '[' || press.key === ']';
  if (press.altKey && !isBracket) return null;
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  const withControl = (press.ctrlKey && !(isBracket && press.altKey)) || press.metaKey;
  const found = SHORTCUTS.find(
    (shortcut) =>
      shortcut.keys.includes(key) &&
      (shortcut.withControl ?? false) === withControl &&
      (shortcut.withShift === undefined || shortcut.withShift === press.shiftKey),
  );
  if (!found) return null;
  // If letters are off, `F2` still works in place of `R`.
  return found.isCharacter && !withLetters && key.length === 1 ? null : found.id;
}

const KEY = 'voxlane-letter-keys';

/** Whether single-character shortcuts are on, which is the default. */
export function rememberedLetters(): boolean {
  try {
    return localStorage.getItem(KEY) !== 'off';
  } catch {
    return true;
  }
}

function rememberLetters(on: boolean): void {
  try {
    if (on) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, 'off');
  } catch {
    // The choice then lasts until the page is closed.
  }
}

interface Keyboard {
  /** Turns single-character shortcuts on or off. */
  readonly setLetters: (on: boolean) => void;
}

/** Shortcuts that change the result. They run once per key press, without key repeat. */
const CHANGING: ReadonlySet<ShortcutId> = new Set(['assign', 'split', 'set-start', 'set-end', 'add', 'confirm', 'delete']);

/** Controls that handle the arrow, Home and End keys themselves. */
const OWN_ARROWS = '[role="tab"], [role="slider"], [role="scrollbar"], [role="row"], tr[tabindex], input, select, textarea, summary';

/**
 * Handles the shortcuts of the result page, except for keys that the focused control handles itself.
 *
 * @param act receives the shortcut and the key; returns false to leave the key to the browser
 */
export function steerByKeys(scope: Scope, act: (id: ShortcutId, key: string) => boolean): Keyboard {
  let letters = rememberedLetters();
  scope.on(document, 'keydown', (event) => {
    if (event.defaultPrevented) return;
    const target = event.target instanceof Element ? event.target : null;
    // An open dialog is modal.
    if (document.querySelector('dialog[open]')) return;
    const id = shortcutOf(event, letters);
    if (!id) return;
    const isText = target?.matches('input:not([type="radio"], [type="checkbox"], [type="range"], [type="file"], [type="color"]), textarea, select') ?? false;
    // A text field handles undo, letters and arrows itself.
    if (isText) return;
    // A slider only handles arrow keys itself, but letters typed on it must not change the result either.
    if (target?.matches('input[type="range"]') && CHANGING.has(id)) return;
    // Held down, these keys would run through the whole recording.
    if (event.repeat && (CHANGING.has(id) || id === 'toggle')) return;
    if (id === 'toggle' && target?.closest('button, a, label, summary, input')) return;
    if ((id === 'next-turn' || id === 'previous-turn' || id === 'back' || id === 'forward') && target?.closest(OWN_ARROWS)) {
      // The timeline uses the arrow keys for the same purpose.
      const isTimeline = target.matches('.tracks__scroller') && (id === 'back' || id === 'forward');
      if (!isTimeline) return;
    }
    if (act(id, event.key)) event.preventDefault();
  });
  return {
    setLetters(on) {
      letters = on;
    },
  };
}

/** Seconds to skip with an arrow key. */
const SKIP_SECONDS = 5;

/** The targets of the shortcuts. */
interface ShortcutTargets {
  readonly editor: Editor;
  readonly tracks: Tracks;
  readonly rename: (speaker: string) => void;
  readonly openExport: () => void;
  readonly openHelp: () => void;
}

/** Runs a shortcut. Returns false if there is nothing to do, to leave the key to the browser. */
export function actOn({ editor, tracks, rename, openExport, openHelp }: ShortcutTargets, id: ShortcutId, key: string): boolean {
  const { player } = editor;
  const state = editor.get();
  switch (id) {
    case 'toggle':
      player.toggle();
      return true;
    case 'back':
      player.skip(-SKIP_SECONDS);
      return true;
    case 'forward':
      player.skip(SKIP_SECONDS);
      return true;
    case 'shuttle-back':
      player.shuttle(-1);
      return true;
    case 'shuttle-stop':
      player.shuttle(0);
      return true;
    case 'shuttle-forward':
      player.shuttle(1);
      return true;
    case 'loop':
      toggleLoop(editor);
      return true;
    case 'next-turn':
      stepTurn(editor, 1);
      return true;
    case 'previous-turn':
      stepTurn(editor, -1);
      return true;
    case 'assign':
      assignSelected(editor, Number(key));
      return true;
    case 'rename': {
      const turn = selectedTurn(editor);
      if (turn) rename(turn.speaker);
      return true;
    }
    case 'split':
      splitSelected(editor);
      return true;
    case 'set-start':
      setEdge(editor, 'start');
      return true;
    case 'set-end':
      setEdge(editor, 'end');
      return true;
    case 'add':
      addAtPlayhead(editor);
      return true;
    case 'confirm':
      confirmSelected(editor);
      return true;
    case 'delete':
      deleteSelected(editor);
      return true;
    case 'undo':
      editor.undo();
      return true;
    case 'redo':
      editor.redo();
      return true;
    case 'zoom-in':
      tracks.zoom(2);
      return true;
    case 'zoom-out':
      tracks.zoom(1 / 2);
      return true;
    case 'zoom-fit':
      tracks.zoom(0);
      return true;
    case 'mode':
      editor.setMode(state.mode === 'exclusive' ? 'overlapping' : 'exclusive');
      return true;
    case 'export':
      openExport();
      return true;
    case 'help':
      openHelp();
      return true;
    case 'leave':
      if (!state.loop && state.selected === null && !state.proposal) return false;
      if (state.proposal) editor.propose(null);
      else if (state.loop) editor.setLoop(null);
      else editor.select(null);
      return true;
  }
}

const words = editorText.help;
const GROUPS: readonly ShortcutGroup[] = ['listen', 'go', 'correct', 'view'];

interface HelpDialog {
  readonly element: HTMLElement;
  readonly open: () => void;
}

/** The help dialog: all shortcuts, and the switch for single-character shortcuts. */
export function createHelpDialog(scope: Scope, onLetters: (on: boolean) => void): HelpDialog {
  const letters = h('input', { type: 'checkbox', checked: rememberedLetters(), 'data-testid': 'letter-keys' });
  scope.on(letters, 'change', () => {
    rememberLetters(letters.checked);
    onLetters(letters.checked);
  });
  const close = h('button', { type: 'button', class: 'button' }, words.close);
  const heading = h('h2', { class: 'title', id: 'keys-heading' }, words.heading);
  const dialog = h(
    'dialog',
    { class: 'dialog help', 'aria-labelledby': 'keys-heading', 'data-testid': 'help' },
    h('div', { class: 'dialog__head' }, heading, close),
    h('div', { class: 'help__groups' }, ...GROUPS.map(group)),
    h('label', { class: 'check' }, letters, words.letters),
    h('p', { class: 'fine' }, words.lettersHint),
  );
  scope.on(close, 'click', () => {
    dialog.close();
  });
  scope.on(dialog, 'click', (event) => {
    // A click on the backdrop targets the dialog itself.
    if (event.target === dialog) dialog.close();
  });
  return {
    element: dialog,
    open() {
      if (!dialog.open) dialog.showModal();
    },
  };
}

function group(id: ShortcutGroup): HTMLElement {
  const own = SHORTCUTS.filter((shortcut) => shortcut.group === id);
  return h(
    'section',
    {},
    h('h3', { class: 'legend' }, words.groups[id]),
    h(
      'dl',
      { class: 'help__keys' },
      ...own.map((shortcut) =>
        h('div', {}, h('dt', {}, ...shortcut.shown.map((key) => h('kbd', {}, key))), h('dd', {}, words.meaning[shortcut.id])),
      ),
    ),
  );
}
