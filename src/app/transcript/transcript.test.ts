import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SpokenTranscript } from '../../transcript/spokenTranscript';
import type { TranscriptCue } from '../../transcript/transcript';
import { BLOCK_CUES, blockOf, blocksOf, cueAt, estimatedHeight } from './cueList';
import { transcriptFile } from './panel';

const cue = (startSeconds: number, endSeconds: number, text = 'x'): TranscriptCue => ({ startSeconds, endSeconds, text, words: [] });

describe('blocks of cues', () => {
  it('contain every cue once, in order', () => {
    for (const numCues of [0, 1, BLOCK_CUES, BLOCK_CUES + 1, 10_000]) {
      const indices = blocksOf(numCues).flatMap(({ from, to }) => Array.from({ length: to - from }, (_, offset) => from + offset));
      expect(indices).toEqual(Array.from({ length: numCues }, (_, index) => index));
      blocksOf(numCues).forEach(({ from, to }, index) => {
        expect([blockOf(from), blockOf(to - 1)]).toEqual([index, index]);
      });
    }
  });

  it('are higher with more text and less width', () => {
    const [short, long] = [[cue(0, 1)], [cue(0, 1, 'word '.repeat(60))]];
    const range = { from: 0, to: 1 };
    expect(estimatedHeight(long, range, 600)).toBeGreaterThan(estimatedHeight(short, range, 600));
    expect(estimatedHeight(long, range, 300)).toBeGreaterThan(estimatedHeight(long, range, 600));
  });
});

describe('the cue at a time', () => {
  it('is the last started one that has not ended, as in a linear search', () => {
    const cues = fc
      .array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 8 })), { maxLength: 14 })
      .map((times) => times.map(([start, length]) => cue(start, start + length)).sort((a, b) => a.startSeconds - b.startSeconds));
    fc.assert(
      fc.property(cues, fc.integer({ min: -1, max: 70 }), (all, seconds) => {
        const expected = all.findLastIndex(({ startSeconds, endSeconds }) => startSeconds <= seconds && endSeconds > seconds);
        expect(cueAt(all, seconds)).toBe(expected < 0 ? null : expected);
      }),
    );
  });

  it('is null in a pause', () => {
    expect(cueAt([cue(0, 1), cue(5, 6)], 3)).toBeNull();
  });
});

describe('an exported transcript', () => {
  const spoken: SpokenTranscript = {
    file: 'whisper.json',
    cues: [
      { ...cue(0, 1.5, 'Hello.'), words: [{ startSeconds: 0, endSeconds: 1.5, text: 'Hello.', speaker: 'SPEAKER_00' }], speaker: 'SPEAKER_00' },
      { ...cue(2, 3, 'Hm.'), words: [], speaker: null },
    ],
  };
  const names = new Map([['SPEAKER_00', 'Ada']]);

  it('has the speaker names in each format', () => {
    const of = (format: 'srt' | 'vtt' | 'csv' | 'json') => transcriptFile(format, spoken, names, 'a.meeting.wav');
    expect(of('srt')).toMatchObject({ name: 'a.meeting.transcript.srt' });
    expect(of('srt').content).toContain('00:00:00,000 --> 00:00:01,500\nAda: Hello.');
    expect(of('vtt').content).toContain('<v Ada>Hello.');
    expect(of('csv').content).toContain('Ada,Hello.');
    expect(JSON.parse(of('json').content)).toMatchObject({ segments: [{ speaker: 'Ada', words: [{ word: 'Hello.', speaker: 'Ada' }] }, { text: 'Hm.' }] });
    for (const format of ['srt', 'vtt', 'csv', 'json'] as const) expect(of(format).content).not.toContain('SPEAKER_00');
  });
});
