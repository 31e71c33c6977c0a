import { messageOf, VoxlaneError, type ErrorParts } from '../src/util/errors';

/** An error as one line without a final period. The message of the browser or a library follows in parentheses. */
export function errorLine(thrown: unknown): string {
  const details = thrown instanceof VoxlaneError ? thrown.details : undefined;
  const text = messageOf(thrown) + (details === undefined ? '' : ` (${details})`);
  return text.trim().replace(/\s*\n\s*/g, ' ');
}

/** The line for an error that the page returned as plain data. */
export const failureText = (parts: ErrorParts): string => errorLine(new VoxlaneError(parts));
