/** Names that are markup, formulas or keys of `Object.prototype` must stay text in every format. */
import { readFileSync } from 'node:fs';
import { DOMParser } from '@xmldom/xmldom';
import { parse as parseCsv } from 'csv-parse/sync';
import { afterEach, describe, expect, it } from 'vitest';
import { annotationOf } from '../editing/annotationOf';
import { applyEdit } from '../editing/applyEdit';
import { diarizationErrorRate } from '../score/der';
import { jaccardErrorRate } from '../score/jer';
import { annotationToJson } from './annotationJson';
import { readAnyTurns } from './anyTurns';
import { toCsv, toSrt, toWebVtt } from './textExports';
import { toEaf, toTextGrid } from './tiers';
import { parseRttm, toRttm } from './rttm';

const EVIL = readFileSync(new URL('fixtures/cases/evil.json', import.meta.url), 'utf8');
const SOURCE = {
  durationSeconds: 20,
  backend: { name: 'none', adapter: null, threads: 0, reason: 'turns of a file' },
  turns: [],
  exclusiveTurns: [],
  speakers: [],
  timings: {},
};
/** Keys of `Object.prototype`, and the one that sets an object's prototype. */
const KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];
const MARKUP = '<img src=x onerror="window.PWNED=1"><script>window.PWNED=1</script>';

afterEach(() => {
  // No test may change `Object.prototype`.
  const plain = {} as Record<string, unknown>;
  expect(plain.polluted).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(typeof plain.toString).toBe('function');
});

describe('names of object properties', () => {
  const { turns, exclusiveTurns, speakers, durationSeconds } = readAnyTurns('evil.json', EVIL)[0]!;
  const annotation = annotationOf(turns, exclusiveTurns, speakers, durationSeconds!);

  it('are speakers in our JSON, even if the file has keys such as "__proto__"', () => {
    expect(turns.map(({ speaker }) => speaker).slice(0, 4)).toEqual(KEYS.filter((key) => !['prototype', 'valueOf'].includes(key)));
    const merged = applyEdit(annotation, { type: 'merge-speakers', from: annotation.speakers[0]!.id, into: annotation.speakers[1]!.id });
    expect(merged.speakers).toHaveLength(annotation.speakers.length - 1);
    const again = readAnyTurns('again.json', annotationToJson('evil.json', SOURCE, annotation));
    expect(again[0]!.turns.map(({ speaker }) => speaker)).toEqual(turns.map(({ speaker }) => speaker));
  });

  it('are speaker names in our JSON, without formulas in CSV and distinct in RTTM', () => {
    const names = new Map(annotation.speakers.map(({ id, name }) => [id, name]));
    expect([...names.values()].slice(4, 6)).toEqual(['__proto__', 'constructor']);
    const named = annotation.turns.map((turn) => ({ ...turn, speaker: names.get(turn.speaker)! }));
    const rows: string[][] = parseCsv(toCsv(named), { record_delimiter: '\r\n' });
    expect(rows.slice(1, 4).map((row) => row[3]!.slice(0, 5))).toEqual(['<img ', "'=HYP", "'@SUM"]);
    for (const some of [named, annotation.turns]) {
      const read = [...parseRttm(toRttm(some, 'x')).values()].flat();
      expect(new Set(read.map(({ speaker }) => speaker)).size).toBe(13);
    }
  });

  it('are recordings and speakers in RTTM, and can be scored', () => {
    const lines = KEYS.flatMap((uri) => KEYS.map((speaker, i) => `SPEAKER ${uri} 1 ${i}.000 1.000 <NA> <NA> ${speaker} <NA> <NA>`));
    const recordings = parseRttm(lines.join('\n'));
    expect([...recordings.keys()]).toEqual(KEYS);
    for (const [uri, turns] of recordings) {
      expect(turns.map(({ speaker }) => speaker)).toEqual(KEYS);
      expect(parseRttm(toRttm(turns, uri)).get(uri)).toEqual(turns);
      expect(diarizationErrorRate(turns, turns).der).toBe(0);
      expect(jaccardErrorRate(turns, turns).jer).toBe(0);
    }
  });
});

describe('names that are markup', () => {
  const turns = [MARKUP, '"><svg onload=alert(1)>', ']]><!--', '{{7*7}}', '\u202Eevil'].map((speaker, i) => ({ startSeconds: i, endSeconds: i + 1, speaker }));

  it('stay text in every export', () => {
    const eaf = new DOMParser().parseFromString(toEaf(turns, { mediaFile: `${MARKUP}.wav`, date: new Date(0) }), 'text/xml');
    for (const tag of ['img', 'script', 'svg']) expect(eaf.getElementsByTagName(tag)).toHaveLength(0);
    expect(eaf.getElementsByTagName('TIER')).toHaveLength(turns.length);
    // WebVTT can escape markup. SubRip cannot.
    expect(toWebVtt(turns)).not.toMatch(/<(img|script|svg)/i);
    expect(toSrt(turns).split('\n\n')).toHaveLength(turns.length);
    expect(toTextGrid(turns, turns.length).split('\n').filter((line) => line.includes('class = "IntervalTier"'))).toHaveLength(turns.length);
    expect(toCsv(turns).trim().split('\n')).toHaveLength(turns.length + 1);
  });
});
