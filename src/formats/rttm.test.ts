import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Turn } from '../timeline/turns';
import { decodeText } from '../util/decodeText';
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
  it.each(cases)('is byte-identical to pyannote.core: "$uri"', ({ turns, uri, text }) => {
    expect(toRttm(turns, uri)).toBe(text);
  });

  it('does not change the order of its input', () => {
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

describe('labels that differ only in white space', () => {
  it('stay distinct, and labels without white space do not change', () => {
    const labels = ['A B', 'A_B', 'A\tB', 'A_B_2', '', '<NA>', '\ud800x', '\ud801x'];
    const turns = labels.map((speaker, i) => ({ startSeconds: i, endSeconds: i + 1, speaker }));
    const read = parseRttm(toRttm(turns, 'x')).get('x')!.map(({ speaker }) => speaker);
    expect(read).toEqual(['A_B_3', 'A_B', 'A_B_4', 'A_B_2', '<NA>_2', '<NA>', '\uFFFDx', '\uFFFDx_2']);
  });

  it('stay the same number in the file as in the turns', () => {
    const label = fc.oneof(fc.string({ unit: 'grapheme' }), fc.array(fc.constantFrom('A', ' ', '_', '\t', '\u0085', '2', '\ud800')).map((parts) => parts.join('')));
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 20 }), (labels) => {
        const turns = labels.map((speaker, i) => ({ startSeconds: i, endSeconds: i + 1, speaker }));
        const bytes = new TextEncoder().encode(toRttm(turns, 'x'));
        const read = parseRttm(decodeText(bytes, 'x').text).get('x')!.map(({ speaker }) => speaker);
        expect(new Map(labels.map((own, i) => [own, read[i]])).size).toBe(new Set(read).size);
        expect(read.map((one) => labels[read.indexOf(one)])).toEqual(labels);
      }),
    );
  });
});

describe('parseRttm', () => {
  it('reads the output of toRttm', () => {
    for (const { turns, uri } of cases) {
      const text = toRttm(turns, uri);
      const read = [...parseRttm(text).values()].flat();
      expect(toRttm(read, uri)).toBe(text);
    }
  });

  it('accepts tabs, a byte order mark, all line ends, comments, blank lines and other record types', () => {
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

  const inCase = (name: string) =>
    parseRttm(decodeText(readFileSync(new URL(`fixtures/cases/${name}`, import.meta.url)), name).text);
  const namesIn = (name: string) => Array.from(inCase(name), ([uri, turns]) => [uri, turns.map(({ speaker }) => speaker)]);

  it('reads names with spaces', () => {
    expect(namesIn('nemo_file_name_with_space.rttm')).toEqual([['mono vocals', ['speaker_0', 'speaker_1', 'speaker_0']]]);
    expect(inCase('nemo_file_name_with_space.rttm').get('mono vocals')?.[1]).toMatchObject({ startSeconds: 12.5, endSeconds: 15.5 });
    expect(namesIn('speaker_names_with_spaces.rttm')).toEqual([['talk', ['John Smith', 'John Doe']]]);
  });

  it('reads UTF-16 from PowerShell', () => {
    expect(namesIn('utf16_from_powershell.rttm')).toEqual([['mono_vocals', ['A', 'B', 'A']]]);
  });

  it('rejects speakers 0 and 1 that may be confidences, and reads a constant confidence of 1', () => {
    const file = (...names: string[]) => names.map((name, i) => `SPEAKER x 1 ${i} 1 <NA> <NA> ${name}\n`).join('');
    for (const end of ['', ' <NA>']) {
      expect(() => parseRttm(file(`Speaker 0${end}`, `Speaker 1${end}`))).toThrow(/Line 2 is ambiguous: "1" is either the confidence or the end of the name "Speaker 1"/);
      expect(() => parseRttm(file(`Speaker 01${end}`, `Speaker 02${end}`))).toThrow(/Line 2 is ambiguous: .* the end of the name "Speaker 02"/);
      expect(parseRttm(file(`a 1${end}`, `b 1${end}`, `a 1${end}`)).get('x')?.map(({ speaker }) => speaker)).toEqual(['a', 'b', 'a']);
    }
  });

  it('reads names with spaces in both the uri and the speaker, and between tabs', () => {
    expect(parseRttm('SPEAKER my long talk.wav 1 0.5 1 <NA> <NA> John van Smith <NA> <NA>\n')).toEqual(
      new Map([['my long talk.wav', [{ startSeconds: 0.5, endSeconds: 1.5, speaker: 'John van Smith' }]]]),
    );
    const text = 'SPEAKER\tmy talk\t1\t0.5\t1\tx\ty\tSpeaker 2\t<NA>\t<NA>\n';
    expect(parseRttm(text)).toEqual(new Map([['my talk', [{ startSeconds: 0.5, endSeconds: 1.5, speaker: 'Speaker 2' }]]]));
  });

  it.each([
    ['a b', '<NA> <NA>', 'a b'],
    ['a b', '0.5 <NA>', 'a b'],
    ['a b', '<NA>', 'a b'],
    ['a b', '', 'a b'],
    ['a', '1 <NA>', 'a'],
    ['<NA>', '<NA> <NA>', '<NA>'],
    ['7', '0.9 <NA>', '7'],
    ['Speaker 2', '<NA> <NA>', 'Speaker 2'],
  ])('reads the speaker "%s" before "%s"', (name, end, speaker) => {
    expect(parseRttm(`SPEAKER x 1 2 3 <NA> <NA> ${name} ${end}\n`).get('x')).toEqual([{ startSeconds: 2, endSeconds: 5, speaker }]);
  });

  /** A word of a name: not `<NA>`, and without spaces. */
  const word = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }).filter((text) => !/[\s\p{C}]/u.test(text)),
    fc.constantFrom('1', '0.5', '-', 'John', 'Zoë', '12', 'speaker_0', 'NA', ';;', '<v>'),
  );
  const words = fc.array(word, { minLength: 1, maxLength: 4 }).map((some) => some.join(' '));
  const seconds = fc.integer({ min: 0, max: 1e6 }).map((ms) => (ms / 1000).toFixed(3));

  it('reads names with spaces correctly or rejects the line', () => {
    const record = fc.record({
      uri: words, channel: fc.constantFrom('1', '2', 'A'), start: seconds, duration: seconds, speaker: words,
      end: fc.constantFrom('<NA> <NA>', '0.75 <NA>', '<NA>', ''),
      // A lost field, too many fields, other separators.
      fault: fc.constantFrom('none', 'tabs', 'no channel', 'no duration', 'no <NA>', 'one <NA>', 'no speaker', 'comma', 'trailing text', 'quotes'),
    });
    fc.assert(
      fc.property(record, ({ uri, channel, start, duration, speaker, end, fault }) => {
        const fields = ['SPEAKER', uri, channel, start, duration, '<NA>', '<NA>', speaker, ...end.split(' ').filter(Boolean)];
        const lost = { 'no channel': 2, 'no duration': 4, 'one <NA>': 5, 'no speaker': 7 }[fault as string];
        const kept = fields.filter((_, at) => at !== lost && (fault !== 'no <NA>' || (at !== 5 && at !== 6)));
        if (fault === 'comma') kept[3] = start.replace('.', ',');
        if (fault === 'quotes') kept[7] = `"${speaker}"`;
        if (fault === 'trailing text') kept.push('and', 'more');
        const text = kept.join(fault === 'tabs' ? '\t' : ' ');
        const right = [uri, [Number(start), Number(start) + Number(duration), fault === 'quotes' ? `"${speaker}"` : speaker]];
        let read: unknown;
        try {
          read = Array.from(parseRttm(text), ([name, turns]) => [name, ...turns.map((turn) => [turn.startSeconds, turn.endSeconds, turn.speaker])])[0];
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'format', problem: expect.stringMatching(/^Line 1 /) as string });
          return;
        }
        // With another ending, a name that ends in a number cannot be distinguished from a name and a confidence.
        if (fault === 'none' && end === '<NA> <NA>') expect(read).toEqual(right);
        if (fault === 'tabs' || fault === 'quotes') expect(read).toEqual(right);
      }),
      { numRuns: 1000 },
    );
  });

  it('treats a run of carriage returns as blank lines', () => {
    const returns = '\r'.repeat(500_000);
    expect(parseRttm(`${returns}${line('x', '1', '1', 'a')}${returns}`).get('x')).toHaveLength(1);
  });

  it('returns nothing for an empty file', () => {
    expect(parseRttm('')).toEqual(new Map());
  });

  it.each([
    ['a duration below zero', line('x', '1', '-0.5', 'a'), /duration -0.5, which is below zero/],
    ['a duration that is NaN', line('x', '1', 'nan', 'a'), /duration "nan", which is not a number/],
    ['an infinite start', line('x', 'Infinity', '1', 'a'), /start "Infinity"/],
    ['a start beyond the range of doubles', line('x', '1e999', '1', 'a'), /start "1e999"/],
    ['a hexadecimal start', line('x', '0x10', '1', 'a'), /start "0x10"/],
    ['a missing speaker', 'SPEAKER x 1 0 1 <NA> <NA>\n', /7 fields instead of 8 to 10/],
    ['another format', '{"turns": []}\n', /does not start with an RTTM record type/],
    ['a record type that NIST does not define', line('x', '1', '1', 'a').replace('SPEAKER', 'SPEAKR'), /does not start with an RTTM record type/],
    ['a UEM of a recording in capitals', 'AMI 1 0 100\n', /does not start with an RTTM record type/],
    ['a uri with a space and no <NA>', 'SPEAKER my talk 1 0.5 2.0 x y a z\n', /10 fields, shifted by a name with spaces/],
    ['a uri with a space and no speaker', 'SPEAKER my talk 1 0 1 <NA> <NA>\n', /8 fields, shifted by a name with spaces/],
    ['too many fields without <NA>', 'SPEAKER x 1 0 1 - - John Smith - -\n', /11 fields instead of 8 to 10/],
    ['a name that ends in a number', 'SPEAKER x 1 0 1 <NA> <NA> Speaker 2 <NA>\n', /"2" is either the confidence or the end of the name "Speaker 2"/],
    ['a decimal comma', line('x', '0,5', '1', 'a'), /start "0,5", which is not a number/],
    ['<NA> in the middle of a name', 'SPEAKER x 1 0 1 <NA> <NA> A <NA> B <NA> <NA>\n', /12 fields instead of 8 to 10/],
    ['columns of a table', 'SPEAKER,x,1,0,1,<NA>,<NA>,a,<NA>,<NA>\n', /does not start with an RTTM record type/],
  ])('rejects %s and reports the line number', (_name, bad, found) => {
    const read = () => parseRttm(`;; first\n\n${bad}`);
    expect(read).toThrow(expect.objectContaining({ code: 'format' }));
    expect(read).toThrow(found);
    expect(read).toThrow(/^Line 3 .*Expected "SPEAKER <uri>.*Correct or remove/);
  });

  it('limits the length of a quoted line in its error', () => {
    expect(() => parseRttm('x'.repeat(10_000))).toThrow(/^.{0,400}$/);
  });
});
