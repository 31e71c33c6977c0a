import type { Measures, NodeReport, Verdict } from '../../../compare/report';
import { shapeText } from '../../../compare/tensor';
import { h, icon, setText } from '../../dom';
import { button, fact } from '../controls';
import { cosineText, decibels, figure } from '../figures';
import { whenChanged, type Section, type SectionContext } from '../section';
import { text } from '../text';

export interface BisectResult extends Section {
  readonly heading: HTMLElement;
}

/** The node where WebGPU begins to differ from WASM. */
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
          ...(node ? [nodeFacts(node)] : []),
          ...(difference ? [differenceTable(difference, alone)] : []),
          ...(alone ? [h('p', { class: 'verdict__reading' }, text.bisect.aloneFails)] : []),
          ...(range ? [h('p', { class: 'verdict__reading' }, text.bisect.rangeReading(range.numNodes))] : []),
        );
      },
    ),
  };
}

function nodeFacts({ op, attributes, inputs, outputs }: NodeReport): HTMLElement {
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
