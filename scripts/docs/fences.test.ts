import { describe, expect, it } from 'vitest';
import { prints, readFences, runsOf, wordOf } from './fences';
import { pages, readPage } from './pages';

const FENCE = '```';
const page = (...lines: string[]): string => lines.join('\n').replaceAll("'''", FENCE);

describe('reading', () => {
  it('returns language, group, path, words, line and code', () => {
    const [block] = readFences(page('# Title', '', "'''js {1,3} #start [main.js] given:file", 'one();', '', 'two();', "'''"), 'a.md');
    expect(block).toEqual({
      page: 'a.md',
      line: 3,
      language: 'js',
      group: 'start',
      path: 'main.js',
      words: ['given:file'],
      code: 'one();\n\ntwo();',
    });
    expect(wordOf(block!, 'given')).toBe('file');
    expect(wordOf(block!, 'fails')).toBeNull();
  });

  it('removes the indentation of lists and keeps shorter fences within longer ones', () => {
    const fences = readFences(page('1. First', "   '''sh", '   ls', '     -l', "   '''", '~~~~md', "'''js", "'''", '~~~~'), 'a.md');
    expect(fences.map(({ code }) => code)).toEqual(['ls\n  -l', '```js\n```']);
  });

  it('rejects an unclosed fence', () => {
    expect(() => readFences(page("'''js", 'one();'), 'a.md')).toThrow('a.md:1');
  });
});

describe('runs', () => {
  const namesOf = (...lines: string[]): string[] => runsOf(readFences(page(...lines), 'a.md')).map(({ name, fences }) => `${name} ${fences.length}`);

  it('merges groups and assigns an output to the preceding fence', () => {
    expect(namesOf("'''js #a", "'''", "'''text", "'''", "'''ts", "'''", "'''js #a", "'''")).toEqual(['program 3', 'program 1']);
    expect(namesOf("'''html #b", "'''", "'''css #b", "'''", "'''http #b", "'''")).toEqual(['page 3']);
    expect(namesOf("'''sh #c", "'''", "'''html #c [index.html]", "'''", "'''text", "'''")).toEqual(['folder 3']);
    expect(namesOf("'''sh repository", "'''", "'''json golden-bundle", "'''")).toEqual(['repository 1', 'bundle 1']);
  });

  it('rejects a fence without a runner', () => {
    for (const language of ['', 'text', 'json', 'python', 'css']) {
      expect(() => namesOf(`'''${language}`, "'''")).toThrow(/a\.md:1 .* no test can run/);
    }
    expect(() => namesOf("'''js #a", "'''", "'''python #a", "'''")).toThrow('no test can run');
  });
});

describe('outputs', () => {
  it('are compared exactly, except for trailing white space', () => {
    expect(prints('one  \ntwo', 'one\ntwo \n')).toBe(true);
    expect(prints('one.', 'oneX')).toBe(false);
    expect(prints('one', 'one\ntwo')).toBe(false);
  });

  it('can omit parts of a line and whole lines', () => {
    expect(prints('took … s (…)', 'took 1.5 s (WASM)')).toBe(true);
    expect(prints('took … s', 'took 1.5\n s')).toBe(false);
    expect(prints('one\n…\nfour', 'one\ntwo\nthree\nfour')).toBe(true);
    expect(prints('one\n…\ntwo', 'one\ntwo')).toBe(true);
    expect(prints('one\n…', 'one\ntwo\nthree')).toBe(true);
    expect(prints('one\n…\nfive', 'one\ntwo\nthree\nfour')).toBe(false);
  });
});

it('every code block of the documentation and of the README has a runner', () => {
  const files = pages();
  expect(files.length).toBeGreaterThan(10);
  for (const file of files) expect(() => runsOf(readFences(readPage(file), file)), file).not.toThrow();
});
