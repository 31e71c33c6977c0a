import type { Scope } from '../../util/scope';
import { h, icon } from '../dom';
import type { KeptEntry } from '../state';
import type { Actions } from '../view';
import { workText as words } from './text';

/** More rows would push the drop zone out of view. A button shows the rest. */
const NUM_SHOWN = 3;

export interface RecentPanel {
  readonly element: HTMLElement;
  readonly update: (kept: readonly KeptEntry[]) => void;
}

/** What was done in this browser before: to be gone on with, or deleted. */
export function createRecentPanel(scope: Scope, actions: Pick<Actions, 'openKept' | 'deleteKept'>): RecentPanel {
  const list = h('ul', { class: 'recent__list' });
  // Takes the focus when the row that had it is gone.
  const heading = h('h2', { class: 'legend', tabindex: -1 }, words.heading);
  const more = h('button', { type: 'button', class: 'link-button recent__more', 'data-testid': 'all-kept' });
  const element = h(
    'section',
    { class: 'panel recent', hidden: true, 'data-testid': 'recent' },
    heading,
    h('p', { class: 'fine' }, words.hint),
    list,
    more,
  );
  let isWhole = false;
  const showAsMany = (): void => {
    const all = [...list.children] as HTMLElement[];
    all.forEach((row, index) => {
      row.hidden = !isWhole && index >= NUM_SHOWN;
    });
    more.hidden = isWhole || all.length <= NUM_SHOWN;
    more.textContent = words.all(all.length);
  };
  scope.on(more, 'click', () => {
    isWhole = true;
    showAsMany();
    // The button had the focus and is now hidden.
    list.children[NUM_SHOWN]?.querySelector('button')?.focus();
  });
  let shown: readonly KeptEntry[] | null = null;
  let rows = scope.child();
  return {
    element,
    update(kept) {
      if (kept === shown) return;
      shown = kept;
      rows.dispose();
      rows = scope.child();
      element.hidden = kept.length === 0;
      list.replaceChildren(
        ...kept.map(({ id, name, durationSeconds, numSpeakers, savedAt, bytes, hasSound }) => {
          const open = h('button', { type: 'button', class: 'link-button', 'data-testid': 'open-kept', 'aria-label': words.open(name) }, name);
          const remove = h(
            'button',
            { type: 'button', class: 'icon-button', 'aria-label': words.delete(name), title: words.delete(name), 'data-testid': 'delete-kept' },
            icon('close'),
          );
          rows.on(open, 'click', () => {
            actions.openKept(id);
          });
          const yes = h('button', { type: 'button', class: 'button button--small', 'data-testid': 'delete-kept-yes' }, words.deleteShort);
          const no = h('button', { type: 'button', class: 'button button--small' }, words.keep);
          const question = h('div', { class: 'button-row', role: 'group', 'aria-label': words.sure(name), hidden: true }, h('span', { class: 'fine' }, words.sure(name)), yes, no);
          const ask = (isAsked: boolean): void => {
            question.hidden = !isAsked;
            remove.hidden = isAsked;
            (isAsked ? no : remove).focus();
          };
          rows.on(remove, 'click', () => {
            ask(true);
          });
          rows.on(no, 'click', () => {
            ask(false);
          });
          rows.on(yes, 'click', () => {
            heading.focus();
            actions.deleteKept(id);
          });
          return h(
            'li',
            { class: 'recent__row' },
            open,
            h('span', { class: 'fine' }, words.facts(durationSeconds, numSpeakers, savedAt, bytes), hasSound ? '' : ` · ${words.noSound}`),
            remove,
            question,
          );
        }),
      );
      showAsMany();
    },
  };
}
