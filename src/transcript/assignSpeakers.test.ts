import { readFileSync } from 'node:fs';
import { parse as parseCsv } from 'csv-parse/sync';
import fc from 'fast-check';
import { parseText, tokenizeVTTCue } from 'media-captions';
import { parseSync } from 'subtitle';
import { describe, expect, it } from 'vitest';
import { readAnyTurns } from '../formats/anyTurns';
import type { Turn } from '../timeline/turns';
import {
  assignSpeakers,
  type SpokenTranscript,
  toTranscriptCsv,
  toTranscriptJson,
  toTranscriptSrt,
  toTranscriptVtt,
  withNames,
} from './spokenTranscript';
import { readTranscript } from './readTranscript';
import type { Transcript, TranscriptCue } from './transcript';

const turn = (startSeconds: number, endSeconds: number, speaker: string): Turn => ({
  startSeconds,
  endSeconds,
  speaker,
});
const cue = (
  startSeconds: number,
  endSeconds: number,
  text: string,
  words: readonly [number, number, string][] = [],
): TranscriptCue => ({
  startSeconds,
  endSeconds,
  text,
  words: words.map(([start, end, said]) => ({ startSeconds: start, endSeconds: end, text: said })),
});
const transcript = (...cues: TranscriptCue[]): Transcript => ({ file: 'talk.srt', cues });
const speakersOf = (cues: readonly TranscriptCue[], turns: readonly Turn[]) =>
  assignSpeakers(transcript(...cues), turns).cues.map(({ speaker }) => speaker);

describe('assignSpeakers', () => {
  it('takes the speaker who shares the most time, over all turns of the speaker', () => {
    const turns = [turn(0, 1, 'a'), turn(1, 2.2, 'b'), turn(2.2, 2.6, 'a')];
    expect(speakersOf([cue(0, 2.6, 'x')], turns)).toEqual(['a']);
    expect(speakersOf([cue(0.5, 2.6, 'x')], turns)).toEqual(['b']);
  });

  it('takes the speaker whose turn started first if several share the same time', () => {
    expect(speakersOf([cue(1, 2, 'x')], [turn(0.5, 3, 'b'), turn(0, 3, 'a')])).toEqual(['a']);
  });

  it('takes the nearest turn up to half a second away, otherwise no speaker', () => {
    const turns = [turn(1, 2, 'a'), turn(3, 4, 'b')];
    expect(
      speakersOf(
        [cue(0, 0.4, 'x'), cue(2.1, 2.3, 'x'), cue(2.7, 2.8, 'x'), cue(4.5, 5, 'x'), cue(4.51, 5, 'x')],
        turns,
      ),
    ).toEqual([null, 'a', 'b', 'b', null]);
    expect(speakersOf([cue(1, 2, 'x')], [])).toEqual([null]);
  });

  it('assigns a word without length to the turn that contains it', () => {
    expect(speakersOf([cue(3.5, 3.5, 'x')], [turn(1, 3.4, 'a'), turn(3, 4, 'b')])).toEqual(['b']);
  });

  it('splits a cue when the speaker of its words changes, and keeps unassigned words with the words before them', () => {
    const words: [number, number, string][] = [
      [10, 10.2, ' Well,'],
      [10.3, 10.8, ' yes.'],
      [12, 12.2, ' Erm'],
      [14, 14.5, ' No!'],
      [14.6, 15, ' No.'],
    ];
    const turns = [turn(10.25, 11, 'a'), turn(14, 16, 'b')];
    const { cues } = assignSpeakers(transcript(cue(9.9, 15.5, 'Well, yes. Erm No! No.', words)), turns);
    expect(
      cues.map(({ startSeconds, endSeconds, text, speaker }) => [startSeconds, endSeconds, text, speaker]),
    ).toEqual([
      [9.9, 12.2, 'Well, yes. Erm', 'a'],
      [14, 15.5, 'No! No.', 'b'],
    ]);
    expect(cues[0]?.words.map(({ speaker }) => speaker)).toEqual(['a', 'a', null]);
  });

  it('extends the last part to words after the end of the cue, and sorts the parts of overlapping cues', () => {
    const long = cue(0, 2, 'So. No.', [
      [0, 1, ' So.'],
      [3, 3.5, ' No.'],
    ]);
    const { cues } = assignSpeakers(transcript(long, cue(1.5, 2.5, 'Erm')), [turn(0, 2, 'a'), turn(2.9, 4, 'b')]);
    expect(cues.map(({ startSeconds, endSeconds, text }) => [startSeconds, endSeconds, text])).toEqual([
      [0, 1, 'So.'],
      [1.5, 2.5, 'Erm'],
      [3, 3.5, 'No.'],
    ]);
  });

  it('does not change a cue with one speaker', () => {
    const whole = cue(0, 2, 'a  b\nc', [
      [0, 1, 'a  b\n'],
      [1, 2, 'c'],
    ]);
    expect(assignSpeakers(transcript(whole), [turn(0, 2, 'a')]).cues).toEqual([
      { ...whole, speaker: 'a', words: whole.words.map((word) => ({ ...word, speaker: 'a' })) },
    ]);
  });

  it('assigns the same speakers as whisperX to all words that share time with a turn', () => {
    const text = readFileSync(new URL('fixtures/whisperx-speakers.json', import.meta.url), 'utf8');
    const { turns, words } = JSON.parse(text) as {
      turns: [number, number, string][];
      words: [number, number, string | null][];
    };
    const found = speakersOf(
      words.map(([start, end]) => cue(start, end, 'x')),
      turns.map((row) => turn(...row)),
    );
    const known = words.map(([, , speaker]) => speaker);
    expect(known.filter((speaker) => speaker !== null).length).toBeGreaterThan(200);
    expect(found.filter((_, i) => known[i] !== null)).toEqual(known.filter((speaker) => speaker !== null));
  });

  it('finds the same speaker as a search through all turns', () => {
    const segment = fc
      .tuple(fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 1, max: 9000 }))
      .map(([start, length]) => [start / 1000, (start + length) / 1000] as const);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(segment, fc.constantFrom('a', 'b', 'c')), { maxLength: 30 }),
        segment,
        (rows, [start, end]) => {
          const turns = rows.map(([[from, to], speaker]) => turn(from, to, speaker));
          const [speaker] = speakersOf([cue(start, end, 'x')], turns);
          const shares = ['a', 'b', 'c'].map((name) =>
            turns
              .filter((one) => one.speaker === name)
              .reduce(
                (sum, one) => sum + Math.max(0, Math.min(end, one.endSeconds) - Math.max(start, one.startSeconds)),
                0,
              ),
          );
          const gaps = turns.map((one) => Math.max(0, one.startSeconds - end, start - one.endSeconds));
          const most = Math.max(...shares);
          if (speaker == null) expect(Math.min(Infinity, ...gaps)).toBeGreaterThan(0.5 - 1e-9);
          else if (most > 0) expect(shares['abc'.indexOf(speaker)]).toBeCloseTo(most, 6);
          else
            expect(
              gaps[turns.findIndex((one, i) => one.speaker === speaker && gaps[i]! < Math.min(...gaps) + 1e-9)],
            ).toBeLessThanOrEqual(0.5 + 1e-9);
        },
      ),
    );
  });

  it('splits the cues of three hours at speaker changes', () => {
    const turns = Array.from({ length: 8000 }, (_, i) => turn(i * 1.35, i * 1.35 + 2, `S${i % 7}`));
    const cues = Array.from({ length: 3600 }, (_, i) =>
      cue(
        i * 3,
        i * 3 + 3,
        'x',
        Array.from({ length: 10 }, (_w, k): [number, number, string] => [
          i * 3 + k * 0.3,
          i * 3 + k * 0.3 + 0.25,
          ' x',
        ]),
      ),
    );
    expect(assignSpeakers(transcript(...cues), turns).cues.length).toBeGreaterThan(3600);
  });
});

describe('transcripts with speakers in the formats of subtitles', () => {
  const spoken: SpokenTranscript = withNames(
    assignSpeakers(
      transcript(
        cue(1, 2.5, 'Tom & "Jerry", <ok>?', [
          [1, 2, 'Tom & "Jerry",'],
          [2, 2.5, ' <ok>?'],
        ]),
        cue(3, 3, 'no length\nsecond --> line'),
        cue(90, 91, 'nobody'),
      ),
      [turn(1, 2.6, 'SPEAKER_00'), turn(2.9, 4, 'SPEAKER_01')],
    ),
    new Map([['SPEAKER_00', 'Anna <A>, B']]),
  );

  it('does not end a caption at a line of control characters', () => {
    const odd = assignSpeakers(transcript(cue(1, 2, 'one\n\u0000\u0007\ntwo')), []);
    expect(toTranscriptSrt(odd)).toBe('1\n00:00:01,000 --> 00:00:02,000\none\ntwo\n');
    expect(toTranscriptVtt(odd)).toBe('WEBVTT\n\n00:00:01.000 --> 00:00:02.000\none\ntwo\n');
  });

  it('SRT, read by subtitle', () => {
    const cues = parseSync(toTranscriptSrt(spoken)).flatMap((node) => (node.type === 'cue' ? [node.data] : []));
    expect(cues.map(({ start, end, text }) => [start, end, text])).toEqual([
      [1000, 2500, 'Anna <A>, B: Tom & "Jerry", <ok>?'],
      [3000, 3001, 'SPEAKER_01: no length\nsecond -> line'],
      [90_000, 91_000, 'nobody'],
    ]);
  });

  it('WebVTT, read by media-captions', async () => {
    const { cues } = await parseText(toTranscriptVtt(spoken), { type: 'vtt', strict: true });
    expect(cues.map(({ startTime, endTime }) => [startTime, endTime])).toEqual([
      [1, 2.5],
      [3, 3.001],
      [90, 91],
    ]);
    expect(cues.map((one) => tokenizeVTTCue(one)[0])).toMatchObject([
      { type: 'v', voice: 'Anna <A>, B', children: [{ data: 'Tom & "Jerry", <ok>?' }] },
      { type: 'v', voice: 'SPEAKER_01', children: [{ data: 'no length\nsecond --> line' }] },
      { type: 'text', data: 'nobody' },
    ]);
  });

  it('CSV, read by csv-parse', () => {
    expect(parseCsv(toTranscriptCsv(spoken), { record_delimiter: '\r\n' })).toEqual([
      ['start', 'end', 'speaker', 'text'],
      ['1.000', '2.500', 'Anna <A>, B', 'Tom & "Jerry", <ok>?'],
      ['3.000', '3.001', 'SPEAKER_01', 'no length\nsecond --> line'],
      ['90.000', '91.000', '', 'nobody'],
    ]);
  });

  it('JSON in the layout of whisperX, which can be read back with text, words and turns', () => {
    const json = toTranscriptJson(spoken);
    const { cues } = readTranscript('x', json);
    expect(cues.map(({ text }) => text)).toEqual(spoken.cues.map(({ text }) => text));
    expect(cues[0]?.words).toEqual(
      spoken.cues[0]?.words.map(({ startSeconds, endSeconds, text }) => ({ startSeconds, endSeconds, text })),
    );
    expect(readAnyTurns('x', json)[0]?.turns).toEqual([turn(1, 2.5, 'Anna <A>, B')]);
    expect((JSON.parse(json) as { segments: object[] }).segments[2]).toEqual({
      start: 90,
      end: 91,
      text: 'nobody',
      words: [],
    });
  });
});
