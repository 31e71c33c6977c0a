import { messageOf, VoxlaneError, type ErrorParts } from '../src/util/errors';

/** An error as one line without a full stop at its end. In parentheses: what the browser or a library reported. */
export function errorLine(thrown: unknown): string {
  const details = thrown instanceof VoxlaneError ? thrown.details : undefined;
  const text = messageOf(thrown) + (details === undefined ? '' : ` (${details})`);
  return text.trim().replace(/\s*\n\s*/g, ' ');
}

/** The line of an error that came from the page as plain data. */
export const failureText = (parts: ErrorParts): string => errorLine(new VoxlaneError(parts));
