/** The tables of texts of the result page in both languages. src/panel/texts/tables.test.ts has the tables of whole pages. */
import { describe, expect, it, vi } from 'vitest';
import * as wholePage from '../ui-kit/texts/en';

const found = vi.hoisted((): (readonly [english: object, german: object])[] => []);
vi.mock(import('../ui-kit/texts/language'), async (original) => ({
  ...(await original()),
  inLanguage: (english, { de }) => {
    found.push([english, de]);
    return english;
  },
}));
const modules = ['./editor/text', './editor/timeline', './result/fileNotes', './review/text', './score/text', './speakerCount/text', './transcript/cueList', './workspace/openFiles', './workspace/text'];
await Promise.all(modules.map((name) => import(/* @vite-ignore */ name)));
const others = new Set<object>(Object.values(wholePage));
const tables = found.filter(([english]) => !others.has(english));

type Saying = (...values: unknown[]) => unknown;

/** Parameters that are names. All others are numbers, or shown as they are. */
const NAMES = new Set(['file', 'format', 'from', 'into', 'name', 'reference', 'speaker', 'what', 'why']);
const NUMBERS = [3, 7, 11, 23, 29];
/** Arguments of functions with other types, by the last part of the path. */
const ARGUMENTS: Readonly<Record<string, readonly (readonly unknown[])[]>> = {
  describeError: (['missed', 'false-alarm', 'confusion'] as const).map((kind) => [{ kind, reference: '«Ada»', speaker: '«Ben»' }]),
  merged: [[['«Ada»', '«Ben»', '«Kim»']], [['«Ada»', '«Ben»']]],
  possibly: [['3 speakers', [5, 6]]],
  'score.shown': [[1, 50, 120]],
  split: [['«Ada»', [3, 70]], ['«Ada»', [1, 2, 3, 4, 5, 6, 7]]],
  trackName: [1, 2, 6].map((channels) => [{ number: 2, name: '«Mix»', language: '«fr»', codec: '«aac»', channels }]),
  'cut-off': [['0:12.5', null], ['0:12.5', 30]],
  shown: [[1, 50, 120]],
};

function entries(table: object, path = ''): [path: string, entry: string | Saying][] {
  return Object.entries(table).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null ? entries(value, `${path}.${key}`) : [[`${path}.${key}`, value as string | Saying]],
  );
}

/** Names of the parameters of an arrow function. */
const parametersOf = (saying: Saying): string[] => (/^\(?([^()=]*?)\)?\s*=>/.exec(saying.toString())?.[1] ?? '').split(',').map((name) => name.trim()).filter(Boolean);

/** Sets of arguments: those of the table, otherwise by the names of the parameters, with several numbers and with one. */
function argumentsOf(path: string, english: Saying): readonly (readonly unknown[])[] {
  const given = ARGUMENTS[path.split('.').at(-1)!];
  const parameters = parametersOf(english);
  if (given && !(path.endsWith('merged') && parameters.length === 2) && !(path.endsWith('split') && parameters.length === 1)) return given;
  return [NUMBERS, NUMBERS.toReversed()].map((numbers) => parameters.map((name, index) => (NAMES.has(name) ? `«${name}»` : numbers[index])));
}

/** The names and numbers in a text, in any order. The examples in texts have the decimal sign of their language. */
const factsOf = (said: unknown): string => (JSON.stringify(said).match(/«\w+»|\d+(?:[.,:]\d+)*/g) ?? []).map((fact) => fact.replaceAll(',', '.')).sort().join(' ');

describe('each table of the result page', () => {
  it('has the same entries in both languages, all with text', () => {
    expect(tables.length).toBeGreaterThanOrEqual(modules.length);
    for (const [english, german] of tables) {
      const [own, theirs] = [entries(english), entries(german)];
      expect(theirs.map(([path]) => path).sort()).toEqual(own.map(([path]) => path).sort());
      for (const [path, entry] of [...own, ...theirs]) if (typeof entry === 'string') expect(entry.trim(), path).not.toBe('');
    }
  });

  it('states the same names and numbers in both languages', () => {
    const differences: unknown[] = [];
    let numCompared = 0;
    for (const [english, german] of tables) {
      const theirs = new Map(entries(german));
      for (const [path, entry] of entries(english)) {
        if (typeof entry === 'string') continue;
        for (const values of argumentsOf(path, entry)) {
          const [own, other] = [entry(...values), (theirs.get(path) as Saying)(...values)];
          const isBroken = /undefined|NaN|\[object/.test(JSON.stringify([own, other]));
          if (isBroken || factsOf(own) !== factsOf(other)) differences.push([path, own, other]);
          numCompared += 1;
        }
      }
    }
    expect(differences).toEqual([]);
    expect(numCompared).toBeGreaterThan(150);
  });
});
