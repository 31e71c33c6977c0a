import { detailsOf, type ErrorCode } from '../util/errors';
import { h } from './dom';
import type { ErrorWords } from './texts/en';
import { engineLanguage } from './texts/language';
import { text } from './texts/text';

/** An error as the page shows it. `code` is null if it is not a `VoxlaneError`. */
export interface Failure {
  readonly code: ErrorCode | null;
  readonly problem: string;
  readonly expected: string | null;
  readonly remedy: string | null;
  /** The message of the browser or a library, usually English. */
  readonly details?: string | null;
}

/**
 * Converts anything thrown to a `Failure`. It checks the shape instead of `instanceof`: an error that crossed a worker
 * boundary may have lost its class.
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
  console.error(thrown);
  const { problem, remedy } = isGone(thrown) ? text.unreadable : text.unexpected;
  return { code: null, problem, expected: null, remedy, details: detailsOf(thrown) };
}

/** The error as a sentence for the page. Messages of browsers and libraries are written to the console. */
export function sentenceOf(thrown: unknown): string {
  const { problem, expected, remedy } = failureOf(thrown);
  return [problem, expected !== null && `Expected ${expected}`, remedy].filter(Boolean).join('. ');
}

const isParts = (thrown: unknown): thrown is Partial<Record<keyof Failure, unknown>> =>
  typeof thrown === 'object' && thrown !== null && 'problem' in thrown && 'code' in thrown;

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** Whether the browser can no longer read a selected file. */
const isGone = (thrown: unknown): boolean => thrown instanceof Error && ['NotFoundError', 'NotReadableError'].includes(thrown.name);

/** Labels of the rows of an error; `remedy` is null if there is none. */
interface FailureLabels {
  readonly problem: string;
  readonly expected: string;
  readonly remedy: string | null;
}

/** Capitalizes an expectation, which otherwise continues a sentence. Leaves names as they are. */
function sentenceCase(words: string): string {
  return words.replace(/^[a-z]+(?=[\s,;]|$)/, (first) => first.charAt(0).toUpperCase() + first.slice(1));
}

/**
 * Texts to show instead of the engine's English message; null to show the message itself. A failure without a code but
 * with a remedy comes from the page (`sources.ts`), in the page's language.
 */
function translated({ code, remedy }: Failure): ErrorWords | null {
  if (engineLanguage === null) return null;
  if (code !== null) return text.errors[code];
  return remedy === null ? text.unexpected : null;
}

/** The problem in the page's language. */
export const problemOf = (failure: Failure): string => translated(failure)?.problem ?? failure.problem;

/**
 * The problem, the expectation and the remedy, if the failure has them. On pages in other languages than English: first
 * the meaning in that language, then the engine's message with the details.
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

/** The original message of the browser or a library, collapsed: it is for bug reports. */
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
