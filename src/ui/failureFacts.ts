import { h } from './dom';
import type { Failure } from './state';
import { text } from './text';
import type { ErrorWords } from './texts/en/errors';
import { engineLanguage } from './texts/language';

/** What the rows of a failure are called; `remedy` is null where there is nothing to advise. */
export interface FailureLabels {
  readonly problem: string;
  readonly expected: string;
  readonly remedy: string | null;
}

/** An expectation is the end of a sentence elsewhere; here it stands alone. What looks like a name is left as it is. */
function sentenceCase(words: string): string {
  return words.replace(/^[a-z]+(?=[\s,;]|$)/, (first) => first.charAt(0).toUpperCase() + first.slice(1));
}

/**
 * What is to be said in place of the engine's words, which are English; null where the words of the failure can stand.
 * Without a code but with a remedy they are the page's own (`sources.ts`), in its language already.
 */
function translated({ code, remedy }: Failure): ErrorWords | null {
  if (engineLanguage === null) return null;
  if (code !== null) return text.errors[code];
  return remedy === null ? text.unexpected : null;
}

/** What was wrong, in the page's language. */
export const problemOf = (failure: Failure): string => translated(failure)?.problem ?? failure.problem;

/**
 * What was wrong, what was expected and what to do, as far as the failure says. Where the page is not English, first
 * what that means in its language, and then the engine's words with the details.
 */
export function failureFacts(failure: Failure, labels: FailureLabels): HTMLElement {
  const { code, problem, expected } = failure;
  const words = translated(failure);
  if (!words) {
    const remedy = failure.remedy ?? (code && text.errors[code].remedy);
    const facts = factList([
      [labels.problem, problem],
      [labels.expected, expected && sentenceCase(expected)],
      [labels.remedy, remedy],
    ]);
    return failure.details ? h('div', { class: 'failure-words' }, facts, detailsBox(failure.details)) : facts;
  }
  const own = [problem, expected && sentenceCase(`expected ${expected}`), labels.remedy && failure.remedy].filter((sentence) => sentence !== null && sentence !== '');
  return h(
    'div',
    { class: 'failure-words' },
    factList([
      [labels.problem, words.problem],
      [labels.remedy, words.remedy],
    ]),
    h(
      'details',
      { class: 'failure-words__original', open: true },
      h('summary', {}, text.error.original),
      ...own.map((sentence) => h('p', { lang: engineLanguage }, `${sentence}.`)),
    ),
    failure.details ? detailsBox(failure.details) : '',
  );
}

/** The message of the browser or a library. Closed: it is for bug reports. */
function detailsBox(details: string): HTMLElement {
  return h(
    'details',
    { class: 'failure-words__original', 'data-testid': 'failure-details' },
    h('summary', {}, text.error.details),
    h('p', { class: 'mono', lang: engineLanguage }, details),
  );
}

function factList(rows: readonly (readonly [name: string | null, value: string | null])[]): HTMLElement {
  return h(
    'dl',
    { class: 'facts' },
    ...rows.flatMap(([name, value]) => (name && value ? [h('div', {}, h('dt', {}, name), h('dd', {}, value))] : [])),
  );
}
