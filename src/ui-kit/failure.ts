import { detailsOf, type ErrorCode } from '../util/errors';
import { h } from './dom';
import type { ErrorWords } from './texts/en';
import { engineLanguage } from './texts/language';
import { text } from './texts/text';

/** A failure in the form that the page shows. `code` is null for what is no VoxlaneError. */
export interface Failure {
  readonly code: ErrorCode | null;
  readonly problem: string;
  readonly expected: string | null;
  readonly remedy: string | null;
  /** The message of the browser or a library, usually English. */
  readonly details?: string | null;
}

/**
 * Anything thrown, in the form that the page shows. Told by its shape and not by `instanceof`: an error that
 * crossed a worker boundary may have lost its class.
 */
export function failureOf(thrown: unknown): Failure {
  if (isParts(thrown)) {
    const { code, problem, expected, remedy, details } = thrown;
    return {
      code: typeof code === 'string' ? (code as ErrorCode) : null,
      problem: String(problem),
      expected: textOrNull(expected),
      remedy: textOrNull(remedy),
      details: textOrNull(details),
    };
  }
  // With its stack.
  console.error(thrown);
  const { problem, remedy } = isGone(thrown) ? text.unreadable : text.unexpected;
  return { code: null, problem, expected: null, remedy, details: detailsOf(thrown) };
}

/** What was thrown, as a sentence for the page. Messages of browsers and libraries go to the console. */
export function sentenceOf(thrown: unknown): string {
  const { problem, expected, remedy } = failureOf(thrown);
  return [problem, expected !== null && `Expected ${expected}`, remedy].filter(Boolean).join('. ');
}

const isParts = (thrown: unknown): thrown is Partial<Record<keyof Failure, unknown>> =>
  typeof thrown === 'object' && thrown !== null && 'problem' in thrown && 'code' in thrown;

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** Whether the browser can no longer read a file that was chosen. */
const isGone = (thrown: unknown): boolean => thrown instanceof Error && ['NotFoundError', 'NotReadableError'].includes(thrown.name);

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
export function failureDetails(failure: Failure, labels: FailureLabels): HTMLElement {
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
