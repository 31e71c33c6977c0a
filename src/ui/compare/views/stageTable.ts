import type { Pair } from '../../../compare/picture';
import type { BackendName, Measures, StageReport, Verdict } from '../../../compare/report';
import { shapeText } from '../../../compare/tensor';
import { h } from '../../dom';
import { count } from '../../format';
import { engineLanguage } from '../../texts/language';
import { cosineText, decibels, measured, NONE, shareText } from '../figures';
import { BACKENDS, stageRows, type StageRow } from '../selection';
import { whenChanged, type Section, type SectionContext } from '../section';
import { text } from '../text';
import { worstText } from '../wording';
import { causeList } from './causes';

const { columns } = text.table;
const COLUMNS = Object.values(columns);

/**
 * Every stage on every pair. The stage's name is a button: arrows go from stage to stage, and a click anywhere in the
 * rows of a stage chooses it.
 */
export function stageTable({ scope, actions }: SectionContext): Section {
  const table = h('table', { class: 'stages-table' });
  const element = h(
    'section',
    { class: 'panel stages-panel', hidden: true },
    h('h3', { class: 'legend' }, text.table.label),
    h('div', { class: 'table-scroller', tabindex: 0, role: 'group', 'aria-label': text.table.label }, table),
    h(
      'ul',
      { class: 'keys', 'aria-label': text.table.keysLabel },
      ...text.table.keys.map(([key, meaning]) => h('li', {}, h('kbd', {}, key), ` ${meaning}`)),
    ),
  );
  const head = h(
    'thead',
    {},
    h('tr', {}, ...COLUMNS.map((name) => h('th', { scope: 'col', title: name === columns.forced ? text.table.forcedHint : null }, name))),
  );

  let bodies: HTMLTableSectionElement[] = [];
  const buttonOf = (body: HTMLElement | undefined): HTMLButtonElement | null => body?.querySelector('button') ?? null;
  const bodyOf = (target: EventTarget | null): HTMLTableSectionElement | undefined =>
    bodies.find((body) => target instanceof Node && body.contains(target));

  scope.on(table, 'click', (event) => {
    const body = bodyOf(event.target);
    const stage = body?.dataset.stage;
    // Text of a cell can be marked to be copied; that is no choice of a stage.
    if (stage === undefined || getSelection()?.type === 'Range') return;
    actions.look({ stage });
    // So that the arrow keys go on from here.
    buttonOf(body)?.focus({ preventScroll: true });
  });
  scope.on(table, 'keydown', (event) => {
    const body = bodyOf(event.target);
    if (!body || event.ctrlKey || event.metaKey || event.altKey) return;
    const index = bodies.indexOf(body);
    const moves: Readonly<Record<string, number>> = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: bodies.length - 1 };
    const next = moves[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const target = bodies[Math.min(bodies.length - 1, Math.max(0, next))];
    buttonOf(target)?.focus();
    if (target?.dataset.stage !== undefined) actions.look({ stage: target.dataset.stage });
  });

  const select = (stage: string | null): void => {
    const chosen = bodies.find((body) => body.dataset.stage === stage) ?? bodies[0];
    for (const body of bodies) {
      const isChosen = body === chosen && stage !== null;
      body.toggleAttribute('data-selected', isChosen);
      const name = buttonOf(body);
      name?.setAttribute('aria-pressed', String(isChosen));
      // One stage is in the tab order; arrows move it.
      if (name) name.tabIndex = body === chosen ? 0 : -1;
    }
  };
  const rebuild = whenChanged(
    ({ reports, between, tolerances, opened }) => [reports, between, tolerances, opened],
    (state) => {
      const rows = stageRows(state).filter(({ wasm, webgpu }) => wasm ?? webgpu);
      const missing = stageRows(state).filter(({ wasm, webgpu }) => !wasm && !webgpu);
      element.hidden = rows.length === 0;
      const isFocused = table.contains(document.activeElement);
      bodies = rows.map(stageBody);
      table.replaceChildren(head, ...bodies, ...missing.map(missingBody));
      if (isFocused) buttonOf(bodies.find(({ dataset }) => dataset.stage === state.look.stage))?.focus();
    },
  );
  return {
    element,
    update(state) {
      rebuild(state);
      select(state.look.stage);
    },
  };
}

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
    { 'data-testid': `stage-row-${row.name}`, 'data-stage': row.name },
    ...lines.map((cells, index) => h('tr', {}, ...(index === 0 ? [nameCell(row, lines.length)] : []), ...cells)),
    notes && h('tr', {}, h('td', { colspan: COLUMNS.length, class: 'stages-table__notes' }, notes)),
  );
}

function nameCell(row: StageRow, span: number): HTMLElement {
  const known = row.wasm ?? row.webgpu;
  const golden = shapeText(row.goldenShape);
  const ours = known ? shapeText(known.shape) : golden;
  const { rtol, maxAbs, cosine } = row.tolerance;
  return h(
    'th',
    { scope: 'rowgroup', rowspan: span },
    h('button', { type: 'button', class: 'stage-name', 'aria-pressed': 'false' }, row.name),
    h(
      'span',
      { class: known?.shapesFit === false ? 'shapes shapes--differ' : 'shapes', 'data-testid': `shape-${row.name}` },
      ...(ours === golden
        ? [h('span', {}, ours)]
        : [h('span', {}, text.table.ours(ours)), h('span', {}, text.table.golden(golden))]),
    ),
    h('span', { class: 'allowed' }, text.table.allowed(rtol ?? null, maxAbs, cosine), row.isEdited && h('span', { class: 'tag' }, text.table.edited)),
  );
}

/** The cells of one pair, after the stage's name. `backend`: null between backends, where nothing is judged. */
function pairCells(
  pair: Pair,
  stage: string,
  measures: Measures,
  { axes, shape }: Pick<StageReport, 'axes' | 'shape'>,
  backend: BackendName | null,
): HTMLElement[] {
  const report = backend && 'forced' in measures ? (measures as StageReport) : null;
  const cell = (className: string, ...content: (Node | string | false)[]): HTMLElement => h('td', { class: className }, ...content);
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
  // The looks say that it fails; who does not see them is told.
  mark.replaceChildren(h('span', { class: 'visually-hidden' }, `${text.verdicts[verdict]}, `), text.table.inherited);
  return [mark];
}

function forcedOf(report: StageReport | null): (HTMLElement | string)[] {
  if (!report?.forced) return [NONE];
  const { verdict, maxAbs } = report.forced;
  const mark = badge(verdict, null);
  if (verdict === 'fail' && report.verdict === 'pass') {
    // Not the stage's fault, so not in the colour of one.
    mark.classList.add('badge--moot');
    mark.title = text.table.mootHint;
  }
  return [mark, ' ', h('span', { class: 'figure' }, measured(maxAbs))];
}

function notesOf(row: StageRow): HTMLElement | null {
  const reports = BACKENDS.flatMap((backend) => row[backend] ?? []);
  // A cause that is on every backend is said once.
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

function missingBody({ name, goldenShape }: StageRow): HTMLElement {
  return h(
    'tbody',
    { class: 'stages-table__missing' },
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, h('span', { class: 'mono' }, name), h('span', { class: 'shapes' }, shapeText(goldenShape))),
      h('td', { colspan: COLUMNS.length - 1 }, text.table.notCompared),
    ),
  );
}
