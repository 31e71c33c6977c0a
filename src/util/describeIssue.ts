import type { BaseIssue } from 'valibot';

const MAX_LETTERS = 60;

/** Describes a schema violation. Valibot's own messages are written for programmers. */
export function describeIssue({ message, expected, received }: BaseIssue<unknown>): string {
  // Valibot's own messages begin like this; messages of our schemas do not.
  if (!message.startsWith('Invalid ')) return message;
  const found = received === 'undefined' ? 'nothing' : shortened(received);
  return expected === null || expected === 'never' ? `${found} is not allowed here` : `expected ${expected}, found ${found}`;
}

const shortened = (text: string): string => (text.length > MAX_LETTERS ? `${text.slice(0, MAX_LETTERS)}…` : text);

