import type { AuditEntry, AuditReport, Measures, NodeReport, Verdict } from '../../compare/report';
import { shapeText } from '../../compare/tensor';
import { button, fact } from '../../ui-kit/controls';
import { h, icon, setText } from '../../ui-kit/dom';
import { count } from '../../ui-kit/format';
import { engineLanguage } from '../../ui-kit/texts/language';
import { cosineText, decibels, figure, NONE } from '../figures';
import { type Section, type SectionContext, whenChanged } from '../section';
import { text } from '../text';

interface BisectResult extends Section {
  readonly heading: HTMLElement;
}

/** The result of a bisection: the first node on which WebGPU differs from WASM. */
export function bisectResult({ scope, actions }: SectionContext): BisectResult {
  const heading = h('h2', { class: 'verdict__line', tabindex: -1 });
  const facts = h('p', { class: 'status' });
  const content = h('div', { class: 'bisect__content' });
  const save = button(scope, { 'data-testid': 'bug-report' }, actions.saveBugReport, icon('download'), text.bisect.download);
  const element = h(
    'section',
    { class: 'panel bisect', hidden: true, 'data-testid': 'bisect-result' },
    h('div', { class: 'view-head' }, h('div', { class: 'view-head__text' }, h('p', { class: 'legend' }, text.bisect.heading), heading, facts), save),
    content,
  );
  return {
    element,
    heading,
    update: whenChanged(
      ({ bisect }) => [bisect],
      ({ bisect }) => {
        element.hidden = bisect === null;
        if (!bisect) return;
        const { node, range, difference, alone, numNodes, numProbes, tolerance, adapter, verdict } = bisect;
        element.dataset.verdict = verdict;
        save.hidden = node === null && range === null;
        const found = node && h('strong', { class: 'mono', 'data-testid': 'bisect-node' }, node.name);
        heading.replaceChildren(...(found ? [text.bisect.fail, ' ', found] : [range ? text.bisect.range(range.first, range.last) : text.bisect.pass]));
        setText(facts, [adapter, text.bisect.facts(numNodes, numProbes, tolerance)].filter(Boolean).join(' · '));
        content.replaceChildren(
          ...(node ? [nodeDetails(node)] : []),
          ...(difference ? [differenceTable(difference, alone)] : []),
          ...(alone ? [h('p', { class: 'verdict__reading' }, text.bisect.aloneFails)] : []),
          ...(range ? [h('p', { class: 'verdict__reading' }, text.bisect.rangeReading(range.numNodes))] : []),
        );
      },
    ),
  };
}

function nodeDetails({ op, attributes, inputs, outputs }: NodeReport): HTMLElement {
  const values = (list: NodeReport['inputs']): HTMLElement[] =>
    list.map(({ name, shape }) => h('span', { class: 'mono' }, `${name} ${shapeText(shape)}`));
  const attributeList = Object.entries(attributes).map(([name, value]) => h('span', { class: 'mono' }, `${name} = ${value}`));
  return h(
    'dl',
    { class: 'facts facts--dense' },
    fact(text.bisect.op, h('span', { class: 'mono', 'data-testid': 'bisect-op' }, op)),
    ...(attributeList.length > 0 ? [fact(text.bisect.attributes, ...attributeList)] : []),
    fact(text.bisect.inputs, ...values(inputs)),
    fact(text.bisect.outputs, ...values(outputs)),
  );
}

function differenceTable(difference: Measures, alone: (Measures & { readonly verdict: Verdict }) | null): HTMLElement {
  const { columns } = text.table;
  const line = (name: string, { maxAbs, meanAbs, relative, cosine, snrDb }: Measures, verdict: Verdict): HTMLElement =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, name),
      h('td', {}, h('span', { class: `badge badge--${verdict}` }, text.verdicts[verdict])),
      ...[figure(maxAbs), figure(meanAbs), figure(relative), cosineText(cosine), decibels(snrDb, maxAbs)].map((value) => h('td', { class: 'figure' }, value)),
    );
  const figures = [columns.maxAbs, columns.meanAbs, columns.relative, columns.cosine, columns.snr];
  const head = (name: string, className: string | null): HTMLElement => h('th', { scope: 'col', class: className }, name);
  return h(
    'div',
    { class: 'table-scroller' },
    h(
      'table',
      { class: 'plain-table' },
      h('thead', {}, h('tr', {}, h('td', {}), head(columns.verdict, null), ...figures.map((name) => head(name, 'figure')))),
      h('tbody', {}, line(text.bisect.whole, difference, 'fail'), alone && line(text.bisect.alone, alone, alone.verdict)),
    ),
  );
}

/** Digits of a SHA-256 that are shown. The full hash is in the tooltip and in the saved report. */
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

interface AuditResult extends Section {
  readonly heading: HTMLElement;
}

/** The audit table: all weight tensors, or only the flagged ones. */
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
