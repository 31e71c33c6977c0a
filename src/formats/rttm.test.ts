import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Turn } from '../timeline/turn';
import { parseRttm, toRttm } from './rttm';

interface Case {
  readonly uri: string;
  readonly turns: Turn[];
  readonly text: string;
}

const cases = JSON.parse(
  readFileSync(new URL('../score/fixtures/rttm.json', import.meta.url), 'utf8'),
) as Case[];

const line = (uri: string, start: string, duration: string, speaker: string) =>
  `SPEAKER ${uri} 1 ${start} ${duration} <NA> <NA> ${speaker} <NA> <NA>\n`;

describe('toRttm', () => {
  it.each(cases)('writes the bytes of pyannote.core: "$uri"', ({ turns, uri, text }) => {
    expect(toRttm(turns, uri)).toBe(text);
  });

  it('does not change the order of what it was given', () => {
    const turns = [
      { startSeconds: 2, endSeconds: 3, speaker: 'a' },
      { startSeconds: 0, endSeconds: 1, speaker: 'b' },
    ];
    toRttm(turns, 'x');
    expect(turns.map((turn) => turn.speaker)).toEqual(['a', 'b']);
  });

  it('replaces white space in names', () => {
    const text = toRttm([{ startSeconds: 0, endSeconds: 1, speaker: 'Dr Who' }], 'my \t talk.wav');
    expect(text).toBe(line('my_talk.wav', '0.000', '1.000', 'Dr_Who'));
  });
});

describe('parseRttm', () => {
  it('reads what toRttm wrote', () => {
    for (const { turns, uri } of cases) {
      const text = toRttm(turns, uri);
      const read = [...parseRttm(text).values()].flat();
      expect(toRttm(read, uri)).toBe(text);
    }
  });

  it('takes tabs, a byte order mark, every line end, comments, blank lines and other record types', () => {
    const text =
      '\uFEFF;; a comment\r\n' +
      'SPKR-INFO talk 1 <NA> <NA> <NA> unknown a <NA> <NA>\r\n' +
      'SPEAKER\ttalk\t1\t0.5\t1.25\t<NA>\t<NA>\ta\t<NA>\t<NA>\r\n' +
      '\n  \n' +
      '  SPEAKER talk 1 1e1 .5 <NA> <NA> b\r' +
      line('other', '3', '0', 'a').trimEnd();
    expect(parseRttm(text)).toEqual(
      new Map([
        [
          'talk',
          [
            { startSeconds: 0.5, endSeconds: 1.75, speaker: 'a' },
            { startSeconds: 10, endSeconds: 10.5, speaker: 'b' },
          ],
        ],
        ['other', [{ startSeconds: 3, endSeconds: 3, speaker: 'a' }]],
      ]),
    );
  });

  it('finds nothing in an empty file', () => {
    expect(parseRttm('')).toEqual(new Map());
  });

  it.each([
    ['a duration below zero', line('x', '1', '-0.5', 'a'), /duration -0.5, which is below zero/],
    ['a duration that is NaN', line('x', '1', 'nan', 'a'), /duration "nan", which is no number/],
    ['an infinite start', line('x', 'Infinity', '1', 'a'), /start "Infinity"/],
    ['a start beyond all doubles', line('x', '1e999', '1', 'a'), /start "1e999"/],
    ['a hexadecimal start', line('x', '0x10', '1', 'a'), /start "0x10"/],
    ['a missing speaker', 'SPEAKER x 1 0 1 <NA> <NA>\n', /7 fields instead of at least 8/],
    ['another format', '{"turns": []}\n', /no RTTM record type/],
  ])('refuses %s and names the line', (_name, bad, found) => {
    const read = () => parseRttm(`;; first\n\n${bad}`);
    expect(read).toThrow(expect.objectContaining({ code: 'format' }));
    expect(read).toThrow(found);
    expect(read).toThrow(/^Line 3 .*Expected "SPEAKER <uri>.*Correct or remove/);
  });

  it('does not repeat a line of any length in its error', () => {
    expect(() => parseRttm('x'.repeat(10_000))).toThrow(/^.{0,400}$/);
  });
});
