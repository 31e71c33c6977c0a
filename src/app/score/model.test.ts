import { describe, expect, it } from 'vitest';
import type { Turn } from '../../timeline/turns';
import {
  currentIndex,
  initialScore,
  readReference,
  readUem,
  recordingFor,
  reduceScore,
  roleOf,
  type ScoreAction,
  type ScoreState,
  stepFrom,
} from './model';

const turn = (startSeconds: number, endSeconds: number, speaker: string): Turn => ({ startSeconds, endSeconds, speaker });
const rttm = (recording: string, ...turns: Turn[]): string =>
  turns.map(({ startSeconds, endSeconds, speaker }) => `SPEAKER ${recording} 1 ${startSeconds} ${endSeconds - startSeconds} <NA> <NA> ${speaker} <NA> <NA>\n`).join('');

const REFERENCE = [turn(0, 10, 'Anna'), turn(10, 20, 'Ben'), turn(25, 30, 'Anna')];
const RESULT = [turn(1, 12, 'SPEAKER_00'), turn(12, 22, 'SPEAKER_01')];
const read = (text: string): ScoreAction => ({ type: 'reference-read', reference: readReference('ref.rttm', text) });
const scored: ScoreAction = { type: 'scored', turns: RESULT };
const after = (...actions: ScoreAction[]): ScoreState => actions.reduce(reduceScore, initialScore('talk.wav'));
const withReference = after(read(rttm('other', ...REFERENCE)), scored);
const starts = ({ errors }: ScoreState) => errors.map(({ kind, startSeconds }) => [kind, startSeconds]);
const go = (state: ScoreState, step: 1 | -1) => reduceScore(state, { type: 'went', error: stepFrom(state, step) });

describe('the score panel: files', () => {
  it('distinguishes a reference from a UEM by name, and otherwise by the first record', () => {
    expect(roleOf('a.RTTM', '')).toBe('reference');
    expect(roleOf('a.uem', 'SPEAKER')).toBe('uem');
    expect(roleOf('a.txt', '\n;; a comment\ntalk 1 0.0 30.5\n')).toBe('uem');
    expect(roleOf('a.txt', rttm('talk', turn(0, 1, 'Anna')))).toBe('reference');
    expect(roleOf('a.txt', 'no such format')).toBe('reference');
  });

  it('finds the recording by the name of the file', () => {
    expect(recordingFor(['only'], 'talk.wav')).toBe('only');
    expect(recordingFor(['one', 'my_talk'], 'my talk.wav')).toBe('my_talk');
    expect(recordingFor(['one', 'talk.wav'], 'talk.wav')).toBe('talk.wav');
    expect(recordingFor(['one', 'talk.flac'], 'talk.wav')).toBe('talk.flac');
    expect(recordingFor(['one', 'two'], 'talk.wav')).toBeNull();
  });

  it('rejects files without turns or regions, or with an unreadable line', () => {
    const format = (problem: RegExp): unknown => expect.objectContaining({ code: 'format', problem: expect.stringMatching(problem) as unknown });
    expect(() => readReference('ref.rttm', ';; nothing\n')).toThrow(format(/^ref.rttm contains no turns/));
    expect(() => readUem('a.uem', '')).toThrow(format(/^a.uem contains no regions/));
    expect(() => readReference('ref.rttm', `${rttm('talk', ...REFERENCE)}SPEAKER talk 1 x 2 <NA> <NA> Anna\n`)).toThrow(format(/^Line 4 has the start "x"/));
  });
});

describe('the score panel: scoring', () => {
  it('scores as soon as there is a reference, regardless of its recording name', () => {
    expect(withReference.evaluation?.score).toMatchObject({ total: 25, missedSpeech: 6, falseAlarm: 2, confusion: 2, der: 10 / 25 });
    expect(starts(withReference)).toEqual([['missed', 0], ['confusion', 10], ['false-alarm', 20], ['missed', 25]]);
    expect(after(scored)).toMatchObject({ evaluation: null, errors: [], failure: null });
  });

  it('requires a choice between several recordings unless one matches by name', () => {
    const several = rttm('one', turn(0, 5, 'Anna')) + rttm('two', ...REFERENCE);
    const asked = after(read(several), scored);
    expect(asked).toMatchObject({ recording: null, evaluation: null });
    const answered = reduceScore(reduceScore(asked, { type: 'recording-chosen', recording: 'two' }), scored);
    expect(answered.evaluation).toEqual(withReference.evaluation);
    expect(after(read(several + rttm('talk', turn(0, 5, 'Anna'))))).toMatchObject({ recording: 'talk' });
  });

  it('scores the parts not excluded by collar, overlap and UEM', () => {
    const options: ScoreAction = { type: 'options-changed', collarSeconds: 0.5 };
    expect(reduceScore(reduceScore(withReference, options), scored).evaluation?.score.total).toBeCloseTo(23.5, 9);
    const uem: ScoreAction = { type: 'uem-read', uem: readUem('a.uem', 'third 1 0 9\n') };
    const cut = reduceScore(reduceScore(withReference, uem), scored);
    expect(cut.evaluation?.score).toMatchObject({ total: 9, missedSpeech: 1, der: 1 / 9 });
    expect(reduceScore(reduceScore(cut, { type: 'uem-removed' }), scored).evaluation).toEqual(withReference.evaluation);
    const overlapping = after(read(rttm('talk', turn(0, 4, 'Anna'), turn(3, 5, 'Ben'))), { type: 'options-changed', skipOverlap: true }, scored);
    expect(overlapping.evaluation?.score.total).toBeCloseTo(4, 9);
  });

  it('reports once that a UEM lacks the recording, and scores again without it', () => {
    const both = rttm('talk', ...REFERENCE) + rttm('two', turn(0, 1, 'Anna'));
    const failed = after(read(both), { type: 'uem-read', uem: readUem('a.uem', 'two 1 0 9\n') }, scored);
    expect(failed).toMatchObject({ evaluation: null, errors: [], failure: { file: null, failure: { code: 'format' } } });
    expect(reduceScore(failed, scored).failure).toBe(failed.failure);
    const mended = reduceScore(reduceScore(failed, { type: 'uem-removed' }), scored);
    expect(mended).toMatchObject({ failure: null, evaluation: withReference.evaluation });
  });

  it('keeps the score if another file is rejected, and the rejection while it scores', () => {
    const failure = { code: 'format', problem: 'Line 1 is odd', expected: null, remedy: null } as const;
    const refused = reduceScore(withReference, { type: 'file-refused', file: 'odd.rttm', failure });
    expect(refused).toMatchObject({ evaluation: withReference.evaluation, failure: { file: 'odd.rttm' } });
    expect(reduceScore(refused, scored).failure).toEqual({ file: 'odd.rttm', failure });
    expect(reduceScore(refused, read(rttm('talk', ...REFERENCE))).failure).toBeNull();
  });

  it('keeps the errors if unchanged turns are scored again', () => {
    expect(reduceScore(withReference, { type: 'scored', turns: [...RESULT] }).errors).toBe(withReference.errors);
  });

  it('removes the score with its reference', () => {
    const removed = reduceScore(go(withReference, 1), { type: 'reference-removed' });
    expect(removed).toEqual(initialScore('talk.wav'));
  });
});

describe('the score panel: stepping through the errors', () => {
  it('steps forward and back, wrapping around at the ends', () => {
    let state = withReference;
    const seen = [];
    for (let step = 0; step < 5; step++) {
      state = go(state, 1);
      seen.push(state.current?.startSeconds);
    }
    expect(seen).toEqual([0, 10, 20, 25, 0]);
    expect(go(state, -1).current?.startSeconds).toBe(25);
    expect(go(withReference, -1).current?.startSeconds).toBe(25);
    expect(stepFrom(after(scored), 1)).toBeNull();
  });

  it('lists the errors that pass the filter', () => {
    const missed = reduceScore(withReference, { type: 'filtered', kind: 'missed' });
    expect(starts(missed)).toEqual([['missed', 0], ['missed', 25]]);
    const long = reduceScore(missed, { type: 'filtered', shortestSeconds: 2 });
    expect(starts(long)).toEqual([['missed', 25]]);
    expect(starts(reduceScore(long, { type: 'filtered', kind: null }))).toEqual([['confusion', 10], ['false-alarm', 20], ['missed', 25]]);
    expect(reduceScore(long, { type: 'filtered', shortestSeconds: 60 })).toMatchObject({ errors: [], evaluation: withReference.evaluation });
  });

  it('stays on an error while others are corrected', () => {
    const at = go(go(withReference, 1), 1);
    expect(currentIndex(at)).toBe(1);
    const corrected = reduceScore(at, { type: 'scored', turns: [turn(0, 12, 'SPEAKER_00'), RESULT[1]!] });
    expect(corrected.current).toMatchObject({ kind: 'confusion', startSeconds: 10 });
    expect(currentIndex(corrected)).toBe(0);
  });

  it('continues from the position of a corrected error', () => {
    const at = go(go(withReference, 1), 1);
    const corrected = reduceScore(at, { type: 'scored', turns: [turn(1, 10, 'SPEAKER_00'), turn(10, 22, 'SPEAKER_01')] });
    expect(currentIndex(corrected)).toBe(-1);
    expect(go(corrected, 1).current?.startSeconds).toBe(20);
    expect(go(corrected, -1).current?.startSeconds).toBe(0);
    // The last one was corrected: forward to the first, back to the new last one.
    const last = go(withReference, -1);
    const without = reduceScore(last, { type: 'scored', turns: [...RESULT, turn(25, 30, 'SPEAKER_00')] });
    expect(go(without, 1).current?.startSeconds).toBe(0);
    expect(go(without, -1).current?.startSeconds).toBe(20);
  });
});
