import { h, setText } from '../../dom';
import { comparedRows, isShown, type StageRow } from '../selection';
import { whenChanged, type Section, type SectionContext } from '../section';
import { text } from '../text';
import { stageBody, stageHead } from './stageRow';

/** Pixels between the row that a key chose and the lower edge of the window. */
const PAGE_MARGIN = 16;

export interface StageTable extends Section {
  /** Scrolls a stage into view and puts the focus on it. */
  readonly reveal: (stage: string) => void;
}

/**
 * Every stage on every pair, with a filter and a search. The stage's name is a button: arrows go from stage to stage, and a
 * click anywhere in the rows of a stage chooses it.
 *
 * @param onClick after a click on a stage
 */
export function stageTable({ scope, actions }: SectionContext, onClick: () => void): StageTable {
  const search = h('input', {
    type: 'search',
    class: 'field',
    placeholder: text.table.search,
    'aria-label': text.table.search,
    spellcheck: 'false',
    autocomplete: 'off',
    'data-testid': 'stage-search',
  });
  const onlyFailing = h('input', { type: 'checkbox', 'data-testid': 'only-failing' });
  const numShown = h('p', { class: 'fine', role: 'status', 'data-testid': 'stages-shown' });
  const table = h('table', { class: 'stages-table', role: 'table', 'aria-label': text.table.label });
  const scroller = h('div', { class: 'table-scroller stages-scroller', tabindex: 0, role: 'group', 'aria-label': text.table.label }, table);
  const element = h(
    'section',
    { class: 'panel stages-panel', hidden: true },
    h(
      'div',
      { class: 'stages-panel__head' },
      h('h3', { class: 'legend' }, text.table.label),
      search,
      h('label', { class: 'check' }, onlyFailing, h('span', {}, text.table.onlyFailing)),
      numShown,
    ),
    scroller,
    h(
      'ul',
      { class: 'keys', 'aria-label': text.table.keysLabel },
      ...text.table.keys.map(([key, meaning]) => h('li', {}, h('kbd', {}, key), ` ${meaning}`)),
    ),
  );
  const head = stageHead();

  let rows: readonly StageRow[] = [];
  let bodies: HTMLTableSectionElement[] = [];
  /** The bodies that the filter leaves. */
  let shown: HTMLTableSectionElement[] = [];
  /** The body that is looked at. */
  let selected: HTMLElement | undefined;
  const buttonOf = (body: HTMLElement | undefined): HTMLButtonElement | null => body?.querySelector('button') ?? null;
  const bodyOf = (stage: string | null): HTMLTableSectionElement | undefined => bodies.find(({ dataset }) => dataset.stage === stage);
  const bodyAround = (target: EventTarget | null): HTMLTableSectionElement | undefined =>
    target instanceof Element ? (target.closest<HTMLTableSectionElement>('tbody') ?? undefined) : undefined;
  /** Scrolls the table alone, and not the page. */
  const scrollTable = (body: HTMLElement): void => {
    const [inner, outer, top] = [body.getBoundingClientRect(), scroller.getBoundingClientRect(), head.getBoundingClientRect().height];
    if (inner.top >= outer.top + top && inner.bottom <= outer.bottom) return;
    scroller.scrollTop += inner.top - outer.top - top - Math.max(0, (outer.height - top - inner.height) / 2);
  };
  /** Scrolls the page no further than needed: the details beside the table should stay in view. A browser would center the row. */
  const scrollTo = (body: HTMLElement): void => {
    scrollTable(body);
    const { top, bottom } = body.getBoundingClientRect();
    if (top < 0) scrollBy(0, top - innerHeight / 3);
    else if (bottom > innerHeight) scrollBy(0, Math.min(top, bottom - innerHeight + PAGE_MARGIN));
  };
  const choose = (body: HTMLElement | undefined): void => {
    const stage = body?.dataset.stage;
    if (stage === undefined) return;
    // So that the arrow keys go on from here.
    buttonOf(body)?.focus({ preventScroll: true });
    actions.look({ stage });
  };
  const chooseByKey = (body: HTMLElement | undefined): void => {
    choose(body);
    if (body) scrollTo(body);
  };

  scope.on(search, 'input', () => {
    actions.filter({ search: search.value });
  });
  scope.on(search, 'keydown', (event) => {
    if (event.key !== 'ArrowDown' && event.key !== 'Enter') return;
    event.preventDefault();
    chooseByKey(shown[0]);
  });
  scope.on(onlyFailing, 'change', () => {
    actions.filter({ onlyFailing: onlyFailing.checked });
  });
  scope.on(table, 'click', (event) => {
    const body = bodyAround(event.target);
    // Text of a cell can be marked to be copied; that is no choice of a stage.
    if (!body || getSelection()?.type === 'Range') return;
    choose(body);
    onClick();
  });
  scope.on(table, 'keydown', (event) => {
    const body = bodyAround(event.target);
    if (!body || event.ctrlKey || event.metaKey || event.altKey) return;
    const index = shown.indexOf(body);
    const moves: Readonly<Record<string, number>> = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: shown.length - 1 };
    const next = moves[event.key];
    if (next === undefined) return;
    event.preventDefault();
    chooseByKey(shown[Math.min(shown.length - 1, Math.max(0, next))]);
  });

  const mark = (body: HTMLElement | undefined, isSelected: boolean): void => {
    body?.toggleAttribute('data-selected', isSelected);
    buttonOf(body)?.setAttribute('aria-pressed', String(isSelected));
  };
  /** One stage is in the tab order; arrows move it. */
  let inTabOrder: HTMLButtonElement | null = null;
  const putInTabOrder = (body: HTMLElement | undefined): void => {
    if (inTabOrder) inTabOrder.tabIndex = -1;
    inTabOrder = buttonOf(body);
    if (inTabOrder) inTabOrder.tabIndex = 0;
  };

  const rebuild = whenChanged(
    ({ reports, between, tolerances, opened }) => [reports, between, tolerances, opened],
    (state) => {
      rows = comparedRows(state);
      element.hidden = rows.length === 0;
      const isFocused = table.contains(document.activeElement);
      bodies = rows.map(stageBody);
      table.replaceChildren(head, ...bodies);
      if (isFocused) buttonOf(bodyOf(state.look.stage))?.focus();
    },
  );
  const show = whenChanged(
    ({ reports, between, tolerances, opened, filter }) => [reports, between, tolerances, opened, filter],
    ({ filter }) => {
      if (search.value !== filter.search) search.value = filter.search;
      onlyFailing.checked = filter.onlyFailing;
      for (const [index, row] of rows.entries()) bodies[index]!.hidden = !isShown(row, filter);
      // The first of the stages that are left; if the stage that is looked at is one of them, the table scrolls to it.
      scroller.scrollTop = 0;
      shown = bodies.filter(({ hidden }) => !hidden);
      setText(numShown, shown.length === 0 ? text.table.none : text.table.shown(shown.length, rows.length));
    },
  );
  const select = whenChanged(
    ({ reports, between, tolerances, opened, filter, look }) => [reports, between, tolerances, opened, filter, look.stage],
    ({ look }) => {
      mark(selected, false);
      selected = bodyOf(look.stage);
      mark(selected, true);
      putInTabOrder(selected && !selected.hidden ? selected : shown[0]);
      if (selected && !selected.hidden) scrollTable(selected);
    },
  );
  return {
    element,
    update(state) {
      rebuild(state);
      show(state);
      select(state);
    },
    reveal(stage) {
      const body = bodyOf(stage);
      buttonOf(body)?.focus({ preventScroll: true });
      if (body) scrollTo(body);
    },
  };
}
