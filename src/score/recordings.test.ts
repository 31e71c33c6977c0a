import { describe, expect, it } from 'vitest';
import type { Turn } from '../timeline/turns';
import { scoreRecordings } from './score';

const turn = (startSeconds: number, endSeconds: number, speaker: string): Turn => ({
  startSeconds,
  endSeconds,
  speaker,
});
const region = (startSeconds: number, endSeconds: number) => ({ startSeconds, endSeconds });

describe('scoreRecordings', () => {
  it('adds up the seconds of the recordings, each with separate speakers', () => {
    const reference = new Map([
      ['one', [turn(0, 10, 'a')]],
      ['two', [turn(0, 30, 'a')]],
    ]);
    const hypothesis = new Map([
      ['two', [turn(0, 24, 'y')]],
      ['one', [turn(0, 12, 'x')]],
    ]);
    const score = scoreRecordings(reference, hypothesis);
    expect(score).toMatchObject({ total: 40, missedSpeech: 6, falseAlarm: 2, confusion: 0, correct: 34, der: 8 / 40 });
    expect([...score.recordings].map(([name, { mapping }]) => [name, mapping])).toEqual([
      ['one', { x: 'a' }],
      ['two', { y: 'a' }],
    ]);
  });

  it('matches a single recording on either side, regardless of the names', () => {
    const uem = new Map([['third', [region(0, 5)]]]);
    const reference = new Map([['talk', [turn(0, 10, 'a')]]]);
    const score = scoreRecordings(reference, new Map([['talk.wav', [turn(0, 10, 'x')]]]), { uem });
    expect(score).toMatchObject({ total: 5, der: 0, ignored: [] });
    expect([...score.recordings.keys()]).toEqual(['talk']);
  });

  it('counts a recording missing in the hypothesis as missed, and lists one missing in the reference', () => {
    const reference = new Map([
      ['one', [turn(0, 10, 'a')]],
      ['two', [turn(0, 30, 'a')]],
    ]);
    const hypothesis = new Map([
      ['one', [turn(0, 10, 'x')]],
      ['other', [turn(0, 9, 'x')]],
    ]);
    const score = scoreRecordings(reference, hypothesis);
    expect(score).toMatchObject({ total: 40, missedSpeech: 30, falseAlarm: 0, ignored: ['other'] });
  });

  it('scores a recording without speech in the reference if the UEM contains it', () => {
    const uem = new Map([
      ['one', [region(0, 10)]],
      ['silent', [region(0, 4)]],
    ]);
    const hypothesis = new Map([['silent', [turn(0, 9, 'x')]]]);
    const score = scoreRecordings(new Map([['one', [turn(0, 10, 'a')]]]), hypothesis, { uem });
    expect(score).toMatchObject({ falseAlarm: 4, total: 10 });
  });

  it('counts all speech as false alarm if the reference is empty', () => {
    const hypothesis = new Map([
      ['one', [turn(0, 10, 'x')]],
      ['two', [turn(0, 5, 'x')]],
    ]);
    expect(scoreRecordings(new Map(), hypothesis)).toMatchObject({ total: 0, falseAlarm: 15, der: 1, ignored: [] });
    expect(scoreRecordings(new Map(), new Map())).toMatchObject({ total: 0, falseAlarm: 0, der: 0 });
  });

  it('rejects a UEM that lacks a recording of the reference', () => {
    const reference = new Map([
      ['one', [turn(0, 10, 'a')]],
      ['two', [turn(0, 5, 'a')]],
    ]);
    const uem = new Map([['one', [region(0, 10)]]]);
    expect(() => scoreRecordings(reference, new Map(), { uem })).toThrow(/no region for the recording "two"/);
  });
});
