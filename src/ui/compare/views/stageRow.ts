import type { Pair } from '../../../compare/picture';
import type { BackendName, Measures, StageReport, Verdict } from '../../../compare/report';
import { shapeText } from '../../../compare/tensor';
import { h } from '../../dom';
import { count } from '../../format';
import { engineLanguage } from '../../texts/language';
import { cosineText, decibels, measured, NONE, shareText } from '../figures';
import { BACKENDS, type StageRow } from '../selection';
import { text } from '../text';
import { worstText } from '../wording';
import { causeList } from './causes';

const { columns } = text.table;
const COLUMNS = Object.values(columns);

/*
 * The table is laid out as a grid on the screen, so that rows out of view cost nothing (styles/compare/stages.css). Browsers
 * take the roles from a table with such a layout, so each element has its own.
 */

/** The names of the columns. */
export const stageHead = (): HTMLElement =>
  h(
    'thead',
    { role: 'rowgroup' },
    h(
      'tr',
      { role: 'row' },
      ...COLUMNS.map((name) => h('th', { role: 'columnheader', scope: 'col', title: name === columns.forced ? text.table.forcedHint : null }, name)),
    ),
  );

/** The lines of a stage: one for each pair, and one for causes and notes. */
export function stageBody(row: StageRow): HTMLTableSectionElement {
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

/** The cells of one pair, after the stage's name. `backend`: null for one backend against another, which is not judged. */
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
  // Colors show that it fails. This text is for screen readers.
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
