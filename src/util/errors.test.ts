import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VoxlaneError } from './errors';

describe('VoxlaneError', () => {
  const parts = { code: 'audio-decode', problem: 'Decoding failed', remedy: 'Convert the file' } as const;

  it('keeps the words of what was thrown before it as details, out of its own sentences', () => {
    const cause = new TypeError('Failed to fetch');
    const error = new VoxlaneError(parts, { cause });
    expect(error).toMatchObject({ message: 'Decoding failed. Convert the file.', details: 'TypeError: Failed to fetch', cause });
    // Across a worker boundary too.
    expect(new VoxlaneError(error.toParts()).details).toBe('TypeError: Failed to fetch');
  });

  it('has none without a cause, and those of a cause that has some', () => {
    expect(new VoxlaneError(parts).toParts()).toEqual(parts);
    expect(new VoxlaneError(parts, { cause: new VoxlaneError({ ...parts, details: 'first' }) }).details).toBe('first');
  });
});

it('no sentence for the user is made of what a browser or a library says', () => {
  const files = ['src', 'workers'].flatMap((folder) => (readdirSync(folder, { recursive: true }) as string[]).map((name) => join(folder, name)));
  const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== join('src', 'util', 'errors.ts'));
  // Of `cause` it becomes `details`; in a sentence it would be foreign words.
  const found = sources.filter((file) => /\$\{(messageOf\(|(issue|cause|thrown|e|err)\.message\b)/.test(readFileSync(file, 'utf8')));
  expect(sources.length).toBeGreaterThan(300);
  expect(found).toEqual([]);
});

it('does not repeat a name or a value of any length', () => {
  const { problem, message } = new VoxlaneError({ code: 'format', problem: 'x'.repeat(9000), expected: 'y'.repeat(9000) });
  expect([problem.length, message.length]).toEqual([2001, 4005]);
});

it('shows control characters of names from files as what cannot be shown', () => {
  const error = new VoxlaneError({ code: 'format', problem: 'x\u001b[31m\0y has\nno end', expected: 'a\u0085b', remedy: 'Look' });
  expect(error.toParts()).toEqual({ code: 'format', problem: 'x\uFFFD[31m\uFFFDy has\nno end', expected: 'a\uFFFDb', remedy: 'Look' });
  expect(error.message).toBe('x\uFFFD[31m\uFFFDy has\nno end. Expected a\uFFFDb. Look.');
});
