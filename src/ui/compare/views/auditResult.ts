import type { AuditEntry, AuditReport } from '../../../compare/auditReport';
import { shapeText } from '../../../compare/tensor';
import { h, setText } from '../../dom';
import { count } from '../../format';
import { engineLanguage } from '../../texts/language';
import { figure, NONE } from '../figures';
import { whenChanged, type Section, type SectionContext } from '../section';
import { text } from '../text';

/** Of a SHA-256, enough to tell two apart by eye; the whole is in the tooltip and in the saved report. */
const SHOWN_DIGITS = 12;

const { columns } = text.audit;
const COLUMNS: readonly (readonly [name: string, className: string | null])[] = [
  [columns.tensor, null],
  [columns.dtype, null],
  [columns.shape, null],
  [columns.mean, 'figure'],
  [columns.spread, 'figure'],
  [columns.zeros, 'figure'],
  [columns.nonFinite, 'figure'],
  [columns.match, null],
  [columns.sha256, null],
];

export interface AuditResult extends Section {
  readonly heading: HTMLElement;
}

/** Every tensor of weights, or those that are odd. */
export function auditResult({ scope, actions }: SectionContext): AuditResult {
  const heading = h('h2', { class: 'verdict__line', tabindex: -1, 'data-testid': 'audit-heading' });
  const only = h('input', { type: 'checkbox', 'data-testid': 'only-flagged' });
  scope.on(only, 'change', () => {
    actions.toggleFlagged(only.checked);
  });
  const tables = h('div', { class: 'audit__tables' });
  const element = h(
    'section',
    { class: 'panel audit', hidden: true, 'data-testid': 'audit-result' },
    h(
      'div',
      { class: 'view-head' },
      h('div', { class: 'view-head__text' }, h('p', { class: 'legend' }, text.audit.heading), heading),
      h('label', { class: 'check' }, only, h('span', {}, text.audit.onlyFlagged)),
    ),
    tables,
  );
  return {
    element,
    heading,
    update: whenChanged(
      ({ audit, onlyFlagged }) => [audit, onlyFlagged],
      ({ audit, onlyFlagged }) => {
        element.hidden = audit === null;
        if (!audit) return;
        only.checked = onlyFlagged;
        const total = audit.weights.length + (audit.checkpoint?.weights.length ?? 0);
        setText(heading, audit.numFlagged === 0 ? text.audit.clean(total) : text.audit.flagged(audit.numFlagged, total));
        element.dataset.flagged = String(audit.numFlagged);
        tables.replaceChildren(...tablesOf(audit, onlyFlagged));
      },
    ),
  };
}

function tablesOf({ model, weights, checkpoint }: AuditReport, onlyFlagged: boolean): HTMLElement[] {
  const sides = [{ title: `${text.audit.graph}: ${model}`, weights }, ...(checkpoint ? [{ title: checkpoint.file, weights: checkpoint.weights }] : [])];
  return sides.map((side) => {
    const shown = onlyFlagged ? side.weights.filter(({ flags }) => flags.length > 0) : side.weights;
    return h(
      'div',
      { class: 'audit__side' },
      h('h3', { class: 'legend' }, side.title),
      shown.length === 0
        ? h('p', { class: 'fine' }, text.audit.none)
        : h(
            'div',
            { class: 'table-scroller table-scroller--tall', tabindex: 0, role: 'group', 'aria-label': side.title },
            h(
              'table',
              { class: 'plain-table' },
              h('thead', {}, h('tr', {}, ...COLUMNS.map(([name, className]) => h('th', { scope: 'col', class: className }, name)))),
              h('tbody', {}, ...shown.map(auditRow)),
            ),
          ),
    );
  });
}

function auditRow({ name, dtype, shape, mean, standardDeviation, zeroCount, nonFiniteCount, match, sha256, flags, remarks }: AuditEntry): HTMLElement {
  const number = (value: string): HTMLElement => h('td', { class: 'figure' }, value);
  return h(
    'tr',
    { 'data-testid': 'audit-row', 'data-flags': flags.join(' '), 'data-tensor': name },
    h(
      'th',
      { scope: 'row' },
      h('span', { class: 'mono' }, name),
      ...flags.map((flag) => h('span', { class: 'tag tag--alert' }, text.audit.flags[flag])),
      ...remarks.map((remark) => h('span', { class: 'fine', lang: engineLanguage }, remark)),
    ),
    h('td', { class: 'mono' }, dtype),
    h('td', { class: 'mono' }, shapeText(shape)),
    number(figure(mean)),
    number(figure(standardDeviation)),
    number(count(zeroCount)),
    number(count(nonFiniteCount)),
    h('td', { class: 'match' }, ...(match ? [h('span', { class: 'mono' }, match.name), h('span', { class: 'fine' }, text.audit.matches[match.how])] : [NONE])),
    h('td', { class: 'mono', title: sha256 }, sha256.slice(0, SHOWN_DIGITS)),
  );
}
