import type { BaseIssue } from 'valibot';

const MOST_LETTERS = 60;

/** What a schema found to be wrong, in words of ours: valibot's own sentences are for programmers. */
export function describeIssue({ message, expected, received }: BaseIssue<unknown>): string {
  // The schemas' own messages never begin like this.
  if (!message.startsWith('Invalid ')) return message;
  const found = received === 'undefined' ? 'nothing' : shortened(received);
  return expected === null || expected === 'never' ? `${found} is not allowed here` : `expected ${expected}, found ${found}`;
}

const shortened = (words: string): string => (words.length > MOST_LETTERS ? `${words.slice(0, MOST_LETTERS)}…` : words);
