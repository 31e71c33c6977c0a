import { describe, expect, it } from 'vitest';
import { toRttm } from '../formats/rttm';
import type { VoxlaneError } from '../util/errors';
import { readNames, readResult, type ResultToShow } from './givenResult';

const turn = (startSeconds: number, endSeconds: number, speaker: string) => ({ startSeconds, endSeconds, speaker });

/** The error that a value causes. Fails if the value is accepted. */
function refused(value: unknown): Pick<VoxlaneError, 'code' | 'problem' | 'expected'> {
  try {
    readResult(value as ResultToShow);
  } catch (thrown) {
    return thrown as VoxlaneError;
  }
  throw new Error('the value was accepted');
}

describe('readResult', () => {
  it('reads an RTTM file with one recording', () => {
    const turns = [turn(0.5, 2, 'Ada'), turn(1, 3, 'SPEAKER_01')];
    const { result, isLengthKnown, names } = readResult(toRttm(turns, 'talk'));
    expect(result.turns).toEqual(turns);
    expect(result.speakers).toEqual([{ label: 'Ada' }, { label: 'SPEAKER_01' }]);
    expect([result.durationSeconds, isLengthKnown, names.size]).toEqual([3, false, 0]);
  });

  it('sorts turns, and joins overlapping turns of one speaker', () => {
    const { result } = readResult([turn(4, 5, 'b'), turn(1, 3, 'a'), turn(2, 3.5, 'a')]);
    expect(result.turns).toEqual([turn(1, 3.5, 'a'), turn(4, 5, 'b')]);
  });

  it('keeps the order and the names of speakers, the length, and all other fields of a result', () => {
    const source = { turns: [turn(0, 1, 'b')], speakers: [{ label: 'a', name: ' Ada ' }, { label: 'b', name: null }], durationSeconds: 9, preset: 'campplus' };
    const { result, isLengthKnown, names } = readResult(source);
    expect(result).toMatchObject({ speakers: [{ label: 'a' }, { label: 'b' }], durationSeconds: 9, preset: 'campplus' });
    expect([isLengthKnown, [...names]]).toEqual([true, [['a', 'Ada']]]);
  });

  it('accepts a result without turns', () => {
    expect(readResult([]).result).toMatchObject({ turns: [], speakers: [], durationSeconds: 0 });
  });

  it.each([
    [42, 'The property result is 42'],
    [{ turns: 'none' }, 'The property result is an object'],
    [[turn(0, 1, 'a'), null], 'The property result.turns[1] is null'],
    [[turn(NaN, 1, 'a')], 'The property result.turns[0].startSeconds is NaN'],
    [[turn(-1, 1, 'a')], 'The property result.turns[0].startSeconds is -1'],
    [[turn(2, 1, 'a')], 'The property result.turns[0].endSeconds is 1'],
    [[turn(0, 1, '')], 'The property result.turns[0].speaker is ""'],
    [{ turns: [], speakers: {} }, 'The property result.speakers is an object'],
    [{ turns: [], speakers: ['a'] }, 'The property result.speakers[0] is "a"'],
    [{ turns: [], speakers: [{ label: 'a', name: 1 }] }, 'The property result.speakers[0].name is 1'],
    [{ turns: [], durationSeconds: Infinity }, 'The property result.durationSeconds is Infinity'],
    [`${toRttm([turn(0, 1, 'a')], 'x')}${toRttm([turn(0, 1, 'a')], 'y')}`, 'The RTTM text in the property result has 2 recordings'],
  ])('refuses %j', (value, problem) => {
    expect(refused(value)).toMatchObject({ code: 'options', problem, expected: expect.stringMatching(/./) as string });
  });

  it('refuses text that is not RTTM, with its line', () => {
    expect(refused('SPEAKER x 1 0 1 <NA> <NA> a <NA> <NA>\nhello')).toMatchObject({ code: 'format', problem: expect.stringMatching(/line 2/i) as string });
  });
});

describe('readNames', () => {
  it('trims names and leaves out empty ones', () => {
    expect([...readNames({ a: ' Ada ', b: '  ', c: null })]).toEqual([['a', 'Ada']]);
  });

  it.each([['Ada'], [['Ada']], [{ a: 1 }]])('refuses %j', (value) => {
    expect(() => readNames(value)).toThrow(/The property speakerNames/);
  });
});
