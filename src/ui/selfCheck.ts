import type { BackendReport, ModelProof } from '../pipeline/types';
import { h } from './dom';
import { localised } from './format';
import { text } from './text';

/** Where the report of the self-check stands on the page, for links to it. */
export const SELF_CHECK_ID = 'self-check';

/** How each backend that was tried reproduced the golden outputs, stage by stage; null if none was checked. */
export function selfCheckDetails({ selfCheck }: BackendReport): HTMLElement | null {
  if (!selfCheck) return null;
  const passed = selfCheck.every((proof) => proof.passed);
  const names: Readonly<Partial<Record<string, string>>> = text.selfCheck.backends;
  const rows = selfCheck.flatMap(({ model, backend, stages }) =>
    stages.map((stage) =>
      h(
        'tr',
        { 'data-testid': 'self-check-stage' },
        h('th', { scope: 'row' }, stage.stage, h('span', { class: 'fine' }, ` ${[model, names[backend]].filter(Boolean).join(', ')}`)),
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
    ...hintsOf(selfCheck).map((hint) => h('p', { class: 'fine' }, hint)),
    h(
      'ul',
      { class: 'self-check__links' },
      ...Array.from(new Set(selfCheck.map(({ model }) => model)), (model) =>
        h('li', {}, h('a', { href: `${text.compare.href}?${new URLSearchParams({ model }).toString()}` }, text.selfCheck.compare(model))),
      ),
    ),
  );
}

/** What a failure has led to; what the check is, if nothing failed. */
function hintsOf(selfCheck: readonly ModelProof[]): string[] {
  const failed = selfCheck.filter((proof) => !proof.passed);
  const { fallback, kernelFallback, hint } = text.selfCheck;
  if (failed.length === 0) return [hint];
  // Results of earlier releases have proofs of GPUs only, without a name.
  const hasKernels = failed.some(({ backend }) => backend === 'kernels');
  return [...(failed.some(({ backend }) => backend !== 'kernels') ? [fallback] : []), ...(hasKernels ? [kernelFallback] : [])];
}
