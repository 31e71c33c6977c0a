import type { Scope } from '../../util/scope';
import { h } from '../dom';
import { rememberedLetters, rememberLetters, SHORTCUTS, type ShortcutGroup } from './shortcuts';
import { studioText } from './text';

const words = studioText.help;
const GROUPS: readonly ShortcutGroup[] = ['listen', 'go', 'correct', 'view'];

export interface HelpDialog {
  readonly element: HTMLElement;
  readonly open: () => void;
}

/** All keys, from the list that the keyboard handler reads, and the switch for those that are single characters. */
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
    // A press on the backdrop is one on the dialog itself.
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
