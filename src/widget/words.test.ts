import { describe, expect, it } from 'vitest';
import { stepText } from './view/views';
import { wordsIn } from './words';

/** All texts of a table by path; functions are called with sample values. */
function sayings(entry: unknown, path = ''): [string, string][] {
  if (typeof entry === 'string') return [[path, entry]];
  if (typeof entry === 'function') {
    return [0, 1, 2, 1234.5].map((value) => [`${path}(${value})`, String((entry as (...values: unknown[]) => unknown)(value, value, value))]);
  }
  if (entry === null || typeof entry !== 'object') return [];
  return Object.entries(entry).flatMap(([key, value]) => (path === '' && key === 'formats' ? [] : sayings(value, `${path}.${key}`)));
}

const [english, german] = [sayings(wordsIn('en')), new Map(sayings(wordsIn('de')))];
/** Texts that are equal in both languages. */
const SHARED = /^\.(failed\.code|done\.(at|share)|exporting\.what|engineLanguage)/;

describe('texts of the widget', () => {
  it('exist in both languages', () => {
    expect(english.length).toBeGreaterThan(60);
    for (const [path, words] of [...english, ...german]) expect(words, path).toMatch(/^(?!.*(undefined|\[object)).+$/);
  });

  it('name a wait, a download and a conversion differently', () => {
    const words = wordsIn('en');
    const text = (step: 'wait' | 'download' | 'convert'): string =>
      stepText({ name: 'a', step: 'loading', fraction: 0, secondsLeft: null, download: { step, receivedBytes: 40_000_000, totalBytes: 397_000_000 } }, words);
    expect([text('wait'), text('download'), text('convert')]).toEqual(['Waiting for another tab that is downloading or converting the model', 'Downloading the model: 40 MB of 397 MB', 'Converting the model, once: 40 MB of 397 MB']);
  });

  it('are translated', () => {
    expect(english.filter(([path, words]) => !SHARED.test(path) && german.get(path) === words)).toEqual([]);
  });
});
