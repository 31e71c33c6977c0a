import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRttm } from '../formats/rttm';
import type { Turn } from '../timeline/turns';
import { diarizationErrorRate, type ErrorKind, errorsOf, type ErrorSegment, type ScoreOptions } from './der';
import { evaluate } from './score';
import { jaccardErrorRate } from './jer';

const turn = (startSeconds: number, endSeconds: number, speaker: string): Turn => ({ startSeconds, endSeconds, speaker });
const plain = (errors: readonly ErrorSegment[]) =>
  errors.map(({ kind, startSeconds, endSeconds, reference, hypothesis }) => [kind, startSeconds, endSeconds, reference, hypothesis]);

function secondsOf(errors: readonly ErrorSegment[], kind: ErrorKind): number {
  return errors.filter((one) => one.kind === kind).reduce((sum, one) => sum + one.endSeconds - one.startSeconds, 0);
}

describe('errorsOf', () => {
  it('distinguishes missed speech, false alarms and confusion, with the speakers', () => {
    const reference = [turn(0, 10, 'Anna'), turn(10, 20, 'Ben'), turn(25, 30, 'Anna')];
    const hypothesis = [turn(1, 12, 'x'), turn(12, 22, 'y')];
    expect(plain(errorsOf(reference, hypothesis))).toEqual([
      ['missed', 0, 1, 'Anna', null],
      ['confusion', 10, 12, 'Ben', 'x'],
      ['false-alarm', 20, 22, null, 'y'],
      ['missed', 25, 30, 'Anna', null],
    ]);
  });

  it('returns a separate segment for each of several wrong speakers', () => {
    const reference = [turn(0, 9, 'Anna'), turn(0, 9, 'Ben'), turn(10, 30, 'Cleo')];
    const hypothesis = [turn(0, 9, 'x'), turn(10, 30, 'x')];
    expect(plain(errorsOf(reference, hypothesis))).toEqual([
      ['confusion', 0, 9, 'Anna', 'x'],
      ['missed', 0, 9, 'Ben', null],
    ]);
  });

  it('joins consecutive errors across the boundaries of correct turns', () => {
    const reference = [turn(0, 10, 'Anna'), turn(10, 20, 'Anna'), turn(3, 12, 'Ben')];
    const hypothesis = [turn(0, 6, 'x'), turn(6, 20, 'x')];
    expect(plain(errorsOf(reference, hypothesis))).toEqual([['missed', 3, 12, 'Ben', null]]);
  });

  it('does not join errors across a collar', () => {
    const errors = errorsOf([turn(0, 4, 'Anna'), turn(4, 8, 'Anna')], [turn(20, 21, 'x')], { collarSeconds: 1 });
    expect(plain(errors)).toEqual([
      ['missed', 0.5, 3.5, 'Anna', null],
      ['missed', 4.5, 7.5, 'Anna', null],
      ['false-alarm', 20, 21, null, 'x'],
    ]);
  });

  it('is empty for a reference against itself', () => {
    const turns = [turn(0, 4, 'Anna'), turn(3, 8, 'Ben'), turn(3, 5, 'Ben')];
    expect(errorsOf(turns, turns)).toEqual([]);
  });
});

/** Times in milliseconds, so that boundaries of both sides sometimes coincide. */
const someTurns = (names: readonly string[]) =>
  fc.array(
    fc
      .record({ start: fc.nat(20_000), length: fc.integer({ min: 1, max: 4000 }), speaker: fc.constantFrom(...names) })
      .map(({ start, length, speaker }) => turn(start / 1000, (start + length) / 1000, speaker)),
    { maxLength: 25 },
  );
const someOptions: fc.Arbitrary<ScoreOptions> = fc.record(
  {
    collarSeconds: fc.constantFrom(0, 0.25, 0.5),
    skipOverlap: fc.boolean(),
    uem: fc.constant([turn(1, 7.5, ''), turn(9, 18, '')]),
  },
  { requiredKeys: [] },
);

describe('errors and components', () => {
  const anything = [someTurns(['Anna', 'Ben', 'Cleo']), someTurns(['w', 'x', 'y', '__proto__']), someOptions] as const;

  it('add up to the same seconds, kind by kind', () => {
    fc.assert(
      fc.property(...anything, (reference, hypothesis, options) => {
        const errors = errorsOf(reference, hypothesis, options);
        const score = diarizationErrorRate(reference, hypothesis, options);
        expect(secondsOf(errors, 'missed')).toBeCloseTo(score.missedSpeech, 9);
        expect(secondsOf(errors, 'false-alarm')).toBeCloseTo(score.falseAlarm, 9);
        expect(secondsOf(errors, 'confusion')).toBeCloseTo(score.confusion, 9);
      }),
      { numRuns: 300 },
    );
  });

  it('are sorted, never empty, and never continued by an error of the same speakers', () => {
    fc.assert(
      fc.property(...anything, (reference, hypothesis, options) => {
        const errors = errorsOf(reference, hypothesis, options);
        const key = ({ kind, reference: one, hypothesis: other }: ErrorSegment) => JSON.stringify([kind, one, other]);
        for (const [index, error] of errors.entries()) {
          expect(error.endSeconds).toBeGreaterThan(error.startSeconds);
          expect(error.startSeconds).toBeGreaterThanOrEqual(errors[index - 1]?.startSeconds ?? 0);
          const follower = errors.find((one) => one.startSeconds === error.endSeconds && key(one) === key(error));
          expect(follower).toBeUndefined();
        }
      }),
      { numRuns: 300 },
    );
  });

  it('equal the results of evaluate', () => {
    fc.assert(
      fc.property(...anything, (reference, hypothesis, options) => {
        expect(evaluate(reference, hypothesis, options)).toEqual({
          score: diarizationErrorRate(reference, hypothesis, options),
          jaccard: jaccardErrorRate(reference, hypothesis, options),
          errors: errorsOf(reference, hypothesis, options),
        });
      }),
    );
  });

  it('add up on the pairs that pyannote.metrics scored', () => {
    interface Pair {
      readonly reference: string;
      readonly hypothesis: string;
      readonly uem?: string;
      readonly options: ScoreOptions;
      readonly expected: { readonly missedSpeech: number; readonly falseAlarm: number; readonly confusion: number };
    }
    const pairs = JSON.parse(readFileSync(new URL('./fixtures/pairs.json', import.meta.url), 'utf8')) as Pair[];
    const turnsOf = (text: string) => [...parseRttm(text).values()].flat();
    const scored = pairs.filter(({ uem }) => uem === undefined);
    expect(scored.length).toBeGreaterThan(20);
    for (const { reference, hypothesis, options, expected } of scored) {
      const errors = errorsOf(turnsOf(reference), turnsOf(hypothesis), options);
      expect(secondsOf(errors, 'missed')).toBeCloseTo(expected.missedSpeech, 6);
      expect(secondsOf(errors, 'false-alarm')).toBeCloseTo(expected.falseAlarm, 6);
      expect(secondsOf(errors, 'confusion')).toBeCloseTo(expected.confusion, 6);
    }
  });
});
