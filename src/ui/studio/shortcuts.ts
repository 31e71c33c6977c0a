/** What a key can do on the result page. */
export type ShortcutId =
  | 'toggle' | 'back' | 'forward' | 'shuttle-back' | 'shuttle-stop' | 'shuttle-forward' | 'loop'
  | 'next-turn' | 'previous-turn'
  | 'assign' | 'rename' | 'split' | 'set-start' | 'set-end' | 'add' | 'confirm' | 'delete' | 'undo' | 'redo'
  | 'zoom-in' | 'zoom-out' | 'zoom-fit' | 'mode' | 'export' | 'help' | 'leave';

export type ShortcutGroup = 'listen' | 'go' | 'correct' | 'view';

export interface Shortcut {
  readonly id: ShortcutId;
  readonly group: ShortcutGroup;
  /** `KeyboardEvent.key`, letters in lower case. */
  readonly keys: readonly string[];
  /** As the keys are shown. */
  readonly shown: readonly string[];
  /** With Ctrl, or the Mac's command key. */
  readonly withControl?: true;
  /** With or without shift matters only where one of two is told apart by it. */
  readonly withShift?: boolean;
  /** A letter, digit or sign: WCAG 2.1.4 wants a way to turn these off, because speech input types them by mistake. */
  readonly isCharacter?: true;
}

/** The one list: the keyboard handler and the dialog of keys both read it. */
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

/** The part of a keyboard event that tells which shortcut it is. */
export type KeyPress = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>;

/**
 * The shortcut of a key press; null where it is none.
 *
 * @param withLetters whether keys that are single characters act
 */
export function shortcutOf(press: KeyPress, withLetters: boolean): ShortcutId | null {
  // Brackets are typed with Alt, or with Ctrl and Alt, on many keyboards; nothing else is meant for us with Alt.
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
  // `F2` stays where `R` goes.
  return found.isCharacter && !withLetters && key.length === 1 ? null : found.id;
}

const KEY = 'voxlane-letter-keys';

/** Whether single characters act; on until they are turned off. */
export function rememberedLetters(): boolean {
  try {
    return localStorage.getItem(KEY) !== 'off';
  } catch {
    return true;
  }
}

export function rememberLetters(on: boolean): void {
  try {
    if (on) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, 'off');
  } catch {
    // Then the choice lasts as long as the page.
  }
}
