import { messageOf, VoxlaneError, type ErrorParts } from '../src/util/errors';

/** An error as one line without a final period. The message of the browser or a library follows in parentheses. */
export function errorLine(thrown: unknown): string {
  const details = partsOf(thrown)?.details;
  const text = messageOf(thrown) + (details === undefined ? '' : ` (${details})`);
  return text.trim().replace(/\s*\n\s*/g, ' ');
}

/** The line for an error that the page returned as plain data. */
export const failureText = (parts: ErrorParts): string => errorLine(new VoxlaneError(parts));

/** The parts of an error of the library, also of another copy of the library; null for all other errors. */
export function partsOf(thrown: unknown): ErrorParts | null {
  if (thrown instanceof VoxlaneError) return thrown.toParts();
  return thrown instanceof Error && thrown.name === 'VoxlaneError' ? (thrown as unknown as VoxlaneError).toParts() : null;
}
