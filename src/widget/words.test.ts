import { describe, expect, it } from 'vitest';
import { wordsIn } from './words';

/** All that a table says, by path; functions with numbers and names. */
function sayings(entry: unknown, path = ''): [string, string][] {
  if (typeof entry === 'string') return [[path, entry]];
  if (typeof entry === 'function') {
    return [0, 1, 2, 1234.5].map((value) => [`${path}(${value})`, String((entry as (...values: unknown[]) => unknown)(value, value, value))]);
  }
  if (entry === null || typeof entry !== 'object') return [];
  return Object.entries(entry).flatMap(([key, value]) => (path === '' && key === 'formats' ? [] : sayings(value, `${path}.${key}`)));
}

const [english, german] = [sayings(wordsIn('en')), new Map(sayings(wordsIn('de')))];
/** The same word in both. */
const SHARED = /^\.(failed\.code|done\.(at|share)|exporting\.what|engineLanguage)/;

describe('words of the widget', () => {
  it('say something in both languages', () => {
    expect(english.length).toBeGreaterThan(60);
    for (const [path, words] of [...english, ...german]) expect(words, path).toMatch(/^(?!.*(undefined|\[object)).+$/);
  });

  it('are translated', () => {
    expect(english.filter(([path, words]) => !SHARED.test(path) && german.get(path) === words)).toEqual([]);
  });
});
