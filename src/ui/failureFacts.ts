import { h } from './dom';
import type { Failure } from './state';

/** An expectation is the end of a sentence elsewhere; here it stands alone. What looks like a name is left as it is. */
function sentenceCase(words: string): string {
  return words.replace(/^[a-z]+(?=[\s,;]|$)/, (first) => first.charAt(0).toUpperCase() + first.slice(1));
}

/** What was wrong, what was expected and what to do, as far as the failure says. */
export function failureFacts(
  failure: Failure,
  labels: { readonly problem: string; readonly expected: string; readonly remedy: string },
): HTMLElement {
  const rows = (
    [
      [labels.problem, failure.problem],
      [labels.expected, failure.expected && sentenceCase(failure.expected)],
      [labels.remedy, failure.remedy],
    ] as const
  ).flatMap(([name, value]) => (value ? [h('div', {}, h('dt', {}, name), h('dd', {}, value))] : []));
  return h('dl', { class: 'facts' }, ...rows);
}
