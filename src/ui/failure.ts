import { messageOf, type ErrorCode } from '../util/errors';
import type { Failure } from './state';

/**
 * Anything thrown, in the form that the page shows. Told by its shape and not by `instanceof`: an error that
 * crossed a worker boundary may have lost its class.
 */
export function failureOf(thrown: unknown): Failure {
  if (typeof thrown === 'object' && thrown !== null && 'problem' in thrown && 'code' in thrown) {
    const parts = thrown as { code: unknown; problem: unknown; expected?: unknown; remedy?: unknown };
    return {
      code: typeof parts.code === 'string' ? (parts.code as ErrorCode) : null,
      problem: String(parts.problem),
      expected: typeof parts.expected === 'string' ? parts.expected : null,
      remedy: typeof parts.remedy === 'string' ? parts.remedy : null,
    };
  }
  return { code: null, problem: messageOf(thrown), expected: null, remedy: null };
}
