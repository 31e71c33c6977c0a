import type { BackendReport } from '../pipeline/types';
import { h } from './dom';
import { localised } from './format';
import { text } from './text';

/** Where the report of the self-check stands on the page, for links to it. */
export const SELF_CHECK_ID = 'self-check';

/** How the GPU reproduced the golden outputs, stage by stage; null where it was not asked to. */
export function selfCheckDetails({ selfCheck, name }: BackendReport): HTMLElement | null {
  if (!selfCheck) return null;
  const passed = selfCheck.every((proof) => proof.passed);
  const rows = selfCheck.flatMap(({ model, stages }) =>
    stages.map((stage) =>
      h(
        'tr',
        { 'data-testid': 'self-check-stage' },
        h('th', { scope: 'row' }, stage.stage, h('span', { class: 'fine' }, ` ${model}`)),
        h('td', { class: 'mono' }, stage.maxAbs < Number.MAX_VALUE ? localised(stage.maxAbs.toPrecision(2)) : '–'),
        h('td', { class: 'mono' }, localised(String(stage.tolerance.maxAbs))),
        h('td', {}, stage.passed ? text.selfCheck.pass : text.selfCheck.fail),
      ),
    ),
  );
  return h(
    'details',
    { class: 'self-check', id: SELF_CHECK_ID, open: !passed, 'data-testid': 'self-check' },
    h('summary', {}, text.selfCheck.heading(passed)),
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h('tr', {}, ...text.selfCheck.columns.map((column) => h('th', { scope: 'col' }, column))),
      ),
      h('tbody', {}, ...rows),
    ),
    h('p', { class: 'fine' }, name === 'wasm' && !passed ? text.selfCheck.fallback : text.selfCheck.hint),
    h(
      'ul',
      { class: 'self-check__links' },
      ...selfCheck.map(({ model }) =>
        h('li', {}, h('a', { href: `${text.compare.href}?${new URLSearchParams({ model }).toString()}` }, text.selfCheck.compare(model))),
      ),
    ),
  );
}
