import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VoxlaneError } from './errors';

describe('VoxlaneError', () => {
  const parts = { code: 'audio-decode', problem: 'Decoding failed', remedy: 'Convert the file' } as const;

  it('keeps the message of its cause as details, not in its own sentences', () => {
    const cause = new TypeError('Failed to fetch');
    const error = new VoxlaneError(parts, { cause });
    expect(error).toMatchObject({ message: 'Decoding failed. Convert the file.', details: 'TypeError: Failed to fetch', cause });
    // Also across a worker boundary.
    expect(new VoxlaneError(error.toParts()).details).toBe('TypeError: Failed to fetch');
  });

  it('has no details without a cause, and copies those of its cause', () => {
    expect(new VoxlaneError(parts).toParts()).toEqual(parts);
    expect(new VoxlaneError(parts, { cause: new VoxlaneError({ ...parts, details: 'first' }) }).details).toBe('first');
  });
});

it('no message for the user contains text of a browser or a library', () => {
  const files = ['src', 'workers'].flatMap((folder) => (readdirSync(folder, { recursive: true }) as string[]).map((name) => join(folder, name)));
  const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== join('src', 'util', 'errors.ts'));
  // As a `cause`, this text becomes `details`.
  const found = sources.filter((file) => /\$\{(messageOf\(|(issue|cause|thrown|e|err)\.message\b)/.test(readFileSync(file, 'utf8')));
  expect(sources.length).toBeGreaterThan(300);
  expect(found).toEqual([]);
});

it('shortens long names and values', () => {
  const { problem, message } = new VoxlaneError({ code: 'format', problem: 'x'.repeat(9000), expected: 'y'.repeat(9000) });
  expect([problem.length, message.length]).toEqual([2001, 4005]);
});

it('replaces control characters in names from files', () => {
  const error = new VoxlaneError({ code: 'format', problem: 'x\u001b[31m\0y has\nno end', expected: 'a\u0085b', remedy: 'Look' });
  expect(error.toParts()).toEqual({ code: 'format', problem: 'x\uFFFD[31m\uFFFDy has\nno end', expected: 'a\uFFFDb', remedy: 'Look' });
  expect(error.message).toBe('x\uFFFD[31m\uFFFDy has\nno end. Expected a\uFFFDb. Look.');
});
