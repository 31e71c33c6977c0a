import type { BaseIssue } from 'valibot';

const MAX_LETTERS = 60;

/** Describes what a schema found wrong. Valibot's own messages are for programmers. */
export function describeIssue({ message, expected, received }: BaseIssue<unknown>): string {
  // Valibot's messages begin like this; those of our schemas do not.
  if (!message.startsWith('Invalid ')) return message;
  const found = received === 'undefined' ? 'nothing' : shortened(received);
  return expected === null || expected === 'never' ? `${found} is not allowed here` : `expected ${expected}, found ${found}`;
}

const shortened = (text: string): string => (text.length > MAX_LETTERS ? `${text.slice(0, MAX_LETTERS)}…` : text);

