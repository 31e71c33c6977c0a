/** Names and fields that are dangerous as code, markup or keys are only ever text. */
import { readFileSync } from 'node:fs';
import { DOMParser } from '@xmldom/xmldom';
import { afterEach, describe, expect, it } from 'vitest';
import { annotationOf } from '../editing/annotationOf';
import { applyEdit } from '../editing/applyEdit';
import { diarizationErrorRate } from '../score/der';
import { jaccardErrorRate } from '../score/jer';
import { annotationToJson } from './annotationJson';
import { readAnyTurns } from './anyTurns';
import { toCsv } from './csv';
import { toEaf } from './eaf';
import { parseRttm, toRttm } from './rttm';
import { toSrt } from './srt';
import { toTextGrid } from './textGrid';
import { toWebVtt } from './webVtt';

const EVIL = readFileSync('e2e/fixtures/cases/evil.json', 'utf8');
const SOURCE = {
  durationSeconds: 20,
  backend: { name: 'none', adapter: null, threads: 0, reason: 'turns of a file' },
  turns: [],
  exclusiveTurns: [],
  speakers: [],
  timings: {},
};
/** Keys that every object has, and the one that sets its prototype. */
const KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];
const MARKUP = '<img src=x onerror="window.PWNED=1"><script>window.PWNED=1</script>';

afterEach(() => {
  // Whatever was read: no object has gained a field.
  const plain = {} as Record<string, unknown>;
  expect(plain.polluted).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(typeof plain.toString).toBe('function');
});

describe('names of object properties', () => {
  it('in our JSON, with a prototype and a constructor of its own, are speakers', () => {
    const [recording] = readAnyTurns('evil.json', EVIL);
    const { turns, exclusiveTurns, speakers, durationSeconds } = recording!;
    expect(turns.map(({ speaker }) => speaker).slice(0, 4)).toEqual(KEYS.filter((key) => !['prototype', 'valueOf'].includes(key)));
    const annotation = annotationOf(turns, exclusiveTurns, speakers, durationSeconds ?? 20);
    const merged = applyEdit(annotation, { type: 'merge-speakers', from: annotation.speakers[0]!.id, into: annotation.speakers[1]!.id });
    expect(merged.speakers).toHaveLength(annotation.speakers.length - 1);
    const again = readAnyTurns('again.json', annotationToJson('evil.json', SOURCE, annotation));
    expect(again[0]!.turns.map(({ speaker }) => speaker)).toEqual(turns.map(({ speaker }) => speaker));
  });

  it('in RTTM are recordings and speakers, and are scored', () => {
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

  it('become neither elements nor tags in any export', () => {
    const eaf = new DOMParser().parseFromString(toEaf(turns, { mediaFile: `${MARKUP}.wav`, date: new Date(0) }), 'text/xml');
    for (const tag of ['img', 'script', 'svg']) expect(eaf.getElementsByTagName(tag)).toHaveLength(0);
    expect(eaf.getElementsByTagName('TIER')).toHaveLength(turns.length);
    // WebVTT has markup, and a way to write it as text. SubRip has neither.
    expect(toWebVtt(turns)).not.toMatch(/<(img|script|svg)/i);
    expect(toSrt(turns).split('\n\n')).toHaveLength(turns.length);
    expect(toTextGrid(turns, turns.length).split('\n').filter((line) => line.includes('class = "IntervalTier"'))).toHaveLength(turns.length);
    expect(toCsv(turns).trim().split('\n')).toHaveLength(turns.length + 1);
  });
});
