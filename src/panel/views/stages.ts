import type { Pair } from '../../compare/picture';
import type { BackendName, Cause, Measures, StageReport, Verdict } from '../../compare/report';
import { shapeText } from '../../compare/tensor';
import { h, setText } from '../../ui-kit/dom';
import { count } from '../../ui-kit/format';
import { engineLanguage } from '../../ui-kit/texts/language';
import { codeFigure, cosineText, decibels, measured, NONE, shareText } from '../figures';
import { type Section, type SectionContext, whenChanged } from '../section';
import { BACKENDS, comparedRows, isShown, RUNTIMES, type StageRow } from '../state';
import { text, worstText } from '../text';
import { detail } from './detail';

/** A cause with the backends on which it was found. */
interface Shared {
  readonly cause: Cause;
  readonly backends: readonly BackendName[];
}

/** The causes of a stage in the order found, each once with all its backends. */
export function sharedCauses(row: Pick<StageRow, BackendName>): readonly Shared[] {
  const found = new Map<string, { cause: Cause; backends: BackendName[] }>();
  for (const backend of BACKENDS) {
    // A fault that the runtime shares is explained there with more evidence.
    if (backend === 'kernels' && row.wasm?.verdict === 'fail') continue;
    for (const cause of row[backend]?.causes ?? []) {
      const key = `${cause.id}: ${cause.evidence}`;
      const entry = found.get(key);
      if (entry) entry.backends.push(backend);
      else found.set(key, { cause, backends: [backend] });
    }
  }
  return [...found.values()];
}

/** The likely causes for a stage with their evidence; null if there are none. */
function causeList(row: StageRow): HTMLElement | null {
  const causes = sharedCauses(row);
  if (causes.length === 0) return null;
  const numRuntimes = RUNTIMES.filter((backend) => row[backend]).length;
  return h(
    'ul',
    { class: 'causes' },
    ...causes.map(({ cause, backends }) => {
      const [name, look] = text.causes.names[cause.id];
      return h(
        'li',
        { class: 'cause', 'data-testid': 'cause', 'data-cause': cause.id, 'data-stage': row.name, 'data-backends': backends.join(' ') },
        h('span', { class: 'legend legend--alert' }, text.causes.heading),
        h('b', {}, name, ...(backends.length < numRuntimes || backends.includes('kernels') ? [` ${backends.map((backend) => text.causes.on(text.backends[backend])).join(', ')}`] : [])),
        h('span', { class: 'cause__evidence', lang: engineLanguage }, cause.evidence),
        valuesOf(cause),
        h('span', { class: 'fine' }, look),
      );
    }),
  );
}

function valuesOf({ id, values }: Cause): HTMLElement {
  const figures = Object.entries(values).map(([name, value]) => {
    const words = typeof value === 'number' ? codeFigure(value) : typeof value === 'string' ? value : `[${value.map(codeFigure).join(', ')}]`;
    return `${name} ${words}`;
  });
  return h('code', { class: 'cause__values' }, [id, ...figures].join(' · '));
}

const { columns } = text.table;
const COLUMNS = Object.values(columns);

/*
 * On screen, the table is laid out as a grid, which makes rows out of view cheap (styles/stages.css). Browsers remove the table
 * roles in this layout, so each element sets its role explicitly.
 */

/** The table header. */
const stageHead = (): HTMLElement =>
  h(
    'thead',
    { role: 'rowgroup' },
    h(
      'tr',
      { role: 'row' },
      ...COLUMNS.map((name) => h('th', { role: 'columnheader', scope: 'col', title: name === columns.forced ? text.table.forcedHint : null }, name)),
    ),
  );

/** The rows of a stage: one per pair, and one for causes and notes. */
function stageBody(row: StageRow): HTMLTableSectionElement {
  const lines = BACKENDS.flatMap((backend) => {
    const report = row[backend];
    return report ? [pairCells(`golden-${backend}`, row.name, report, report, backend)] : [];
  });
  const known = row.wasm ?? row.webgpu;
  if (row.between && known) lines.push(pairCells('wasm-webgpu', row.name, row.between, known, null));
  const notes = notesOf(row);
  return h(
    'tbody',
    { role: 'rowgroup', 'data-testid': `stage-row-${row.name}`, 'data-stage': row.name },
    ...lines.map((cells, index) => h('tr', { role: 'row' }, ...(index === 0 ? [nameCell(row, lines.length)] : []), ...cells)),
    notes && h('tr', { role: 'row' }, h('td', { role: 'cell', colspan: COLUMNS.length, class: 'stages-table__notes' }, notes)),
  );
}

function nameCell(row: StageRow, span: number): HTMLElement {
  const known = row.wasm ?? row.webgpu;
  const golden = shapeText(row.goldenShape);
  const ours = known ? shapeText(known.shape) : golden;
  const { rtol, maxAbs, cosine } = row.tolerance;
  return h(
    'th',
    { role: 'rowheader', scope: 'rowgroup', rowspan: span, style: `grid-row: 1 / span ${span}` },
    h('button', { type: 'button', class: 'stage-name', 'aria-pressed': 'false' }, row.name),
    h(
      'span',
      { class: known?.shapesFit === false ? 'shapes shapes--differ' : 'shapes', 'data-testid': `shape-${row.name}` },
      ...(ours === golden
        ? [h('span', {}, ours)]
        : [h('span', {}, text.table.ours(ours)), h('span', {}, text.table.golden(golden))]),
    ),
    h('span', { class: 'allowed' }, text.table.allowed(rtol ?? null, maxAbs, cosine)),
    row.isEdited && h('span', { class: 'tag' }, text.table.edited),
  );
}

/** The cells of one pair, after the stage name. `backend`: null for the comparison between backends, which has no verdict. */
function pairCells(
  pair: Pair,
  stage: string,
  measures: Measures,
  { axes, shape }: Pick<StageReport, 'axes' | 'shape'>,
  backend: BackendName | null,
): HTMLElement[] {
  const report = backend && 'forced' in measures ? (measures as StageReport) : null;
  const cell = (className: string, ...content: (Node | string | false)[]): HTMLElement => h('td', { role: 'cell', class: className }, ...content);
  const testId = report ? `verdict-${backend}-${stage}` : null;
  const odd = [measures.nanCount, measures.infCount, measures.zeroCount];
  return [
    cell('pair', text.pairs[pair]),
    cell('verdict-cell', ...(report ? verdictOf(report, testId) : [NONE])),
    cell('verdict-cell', ...forcedOf(report)),
    cell('figure', measured(measures.maxAbs)),
    cell('figure', measured(measures.meanAbs)),
    cell('figure', measured(measures.relative)),
    cell('figure', cosineText(measures.cosine)),
    cell('figure', decibels(measures.snrDb, measures.maxAbs)),
    cell('figure', shareText(measures.argmaxAgreement)),
    cell(measures.nanCount + measures.infCount > 0 ? 'figure odd' : 'figure', odd.map(count).join(' / ')),
    cell('worst', worstText(measures.worst, axes, shape)),
  ];
}

const badge = (verdict: Verdict, testId: string | null): HTMLElement =>
  h('span', { class: `badge badge--${verdict}`, 'data-testid': testId, 'data-verdict': verdict }, text.verdicts[verdict]);

function verdictOf({ verdict, inherited }: StageReport, testId: string | null): HTMLElement[] {
  const mark = badge(verdict, testId);
  if (!inherited) return [mark];
  mark.classList.add('badge--inherited');
  mark.dataset.inherited = 'true';
  mark.title = text.table.inheritedHint;
  // The failure is shown by color. This text is for screen readers.
  mark.replaceChildren(h('span', { class: 'visually-hidden' }, `${text.verdicts[verdict]}, `), text.table.inherited);
  return [mark];
}

function forcedOf(report: StageReport | null): (HTMLElement | string)[] {
  if (!report?.forced) return [NONE];
  const { verdict, maxAbs } = report.forced;
  const mark = badge(verdict, null);
  if (verdict === 'fail' && report.verdict === 'pass') {
    // Not the fault of the stage, so no failure color.
    mark.classList.add('badge--moot');
    mark.title = text.table.mootHint;
  }
  return [mark, ' ', h('span', { class: 'figure' }, measured(maxAbs))];
}

function notesOf(row: StageRow): HTMLElement | null {
  const reports = BACKENDS.flatMap((backend) => row[backend] ?? []);
  // A cause found on every backend is listed once.
  const causes = causeList(row);
  const notes = [...new Set(reports.flatMap((report) => report.notes))];
  if (!causes && notes.length === 0) return null;
  return h(
    'div',
    { class: 'stage-notes' },
    causes,
    ...notes.map((note) => h('p', { class: 'fine' }, h('b', {}, text.causes.note), ' ', h('span', { lang: engineLanguage }, note))),
  );
}

/** Pixels between the row selected by a key and the lower edge of the window. */
const PAGE_MARGIN = 16;

interface StageTable extends Section {
  /** Scrolls a stage into view and focuses it. */
  readonly reveal: (stage: string) => void;
}

/**
 * The table of all stages and pairs, with a filter and a search. The stage name is a button: arrow keys move between stages, and
 * a click anywhere in the rows of a stage selects it.
 *
 * @param onClick after a click on a stage
 */
function stageTable({ scope, actions }: SectionContext, onClick: () => void): StageTable {
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
  /** The table bodies that pass the filter. */
  let shown: HTMLTableSectionElement[] = [];
  /** The selected table body. */
  let selected: HTMLElement | undefined;
  const buttonOf = (body: HTMLElement | undefined): HTMLButtonElement | null => body?.querySelector('button') ?? null;
  const bodyOf = (stage: string | null): HTMLTableSectionElement | undefined => bodies.find(({ dataset }) => dataset.stage === stage);
  const bodyAround = (target: EventTarget | null): HTMLTableSectionElement | undefined =>
    target instanceof Element ? (target.closest<HTMLTableSectionElement>('tbody') ?? undefined) : undefined;
  /** Scrolls only the table, not the page. */
  const scrollTable = (body: HTMLElement): void => {
    const [inner, outer, top] = [body.getBoundingClientRect(), scroller.getBoundingClientRect(), head.getBoundingClientRect().height];
    if (inner.top >= outer.top + top && inner.bottom <= outer.bottom) return;
    scroller.scrollTop += inner.top - outer.top - top - Math.max(0, (outer.height - top - inner.height) / 2);
  };
  /**
   * Scrolls the page no further than necessary, to keep the details in view. The browser's own scrolling would center
   * the row.
   */
  const scrollTo = (body: HTMLElement): void => {
    scrollTable(body);
    const { top, bottom } = body.getBoundingClientRect();
    if (top < 0) scrollBy(0, top - innerHeight / 3);
    else if (bottom > innerHeight) scrollBy(0, Math.min(top, bottom - innerHeight + PAGE_MARGIN));
  };
  const choose = (body: HTMLElement | undefined): void => {
    const stage = body?.dataset.stage;
    if (stage === undefined) return;
    // Arrow keys continue from here.
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
    // Selecting the text of a cell does not select the stage.
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
  /** The stage in the tab order. Arrow keys change it. */
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
      // Scroll to the top of the filtered stages. If the selected stage is one of them, the table then scrolls to it.
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

interface Stages extends Section {
  /** Scrolls to a stage and its details, and focuses the stage. */
  readonly reveal: (stage: string) => void;
}

/** The stage table and the details: side by side if there is room, otherwise one below the other. */
export function stages(context: SectionContext): Stages {
  const showDetails = (): void => {
    const { top, bottom } = details.element.getBoundingClientRect();
    const isOutOfView = bottom < 0 || top > innerHeight;
    if (isStacked() || isOutOfView) details.element.scrollIntoView({ block: 'start' });
  };
  const isStacked = (): boolean => details.element.getBoundingClientRect().top >= table.element.getBoundingClientRect().bottom;
  const table = stageTable(context, showDetails);
  const details = detail(context, (stage) => {
    table.reveal(stage);
  });
  const element = h('div', { class: 'stages' }, table.element, details.element);
  return {
    element,
    update(state) {
      // Shown first, because the table scrolls to the selected stage.
      element.hidden = !(state.reports.wasm ?? state.reports.webgpu);
      table.update(state);
      details.update(state);
    },
    reveal(stage) {
      table.reveal(stage);
      const { top } = table.element.getBoundingClientRect();
      if (!isStacked() && (top < 0 || top > innerHeight / 2)) element.scrollIntoView({ block: 'start' });
      showDetails();
    },
  };
}
