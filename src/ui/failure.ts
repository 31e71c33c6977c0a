import { detailsOf, type ErrorCode } from '../util/errors';
import type { Failure } from './state';
import { text } from './text';

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
