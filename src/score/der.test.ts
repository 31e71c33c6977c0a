import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseRttm } from '../formats/rttm';
import { parseUem } from '../formats/uem';
import type { Turn } from '../timeline/turns';
import { diarizationErrorRate, type Score, type ScoreOptions } from './der';

interface Pair {
  readonly name: string;
  readonly reference: string;
  readonly hypothesis: string;
  readonly uem?: string;
  readonly options: ScoreOptions;
  readonly expected: Score;
}

const FIGURES = ['der', 'total', 'correct', 'missedSpeech', 'falseAlarm', 'confusion'] as const;
const pairs = JSON.parse(readFileSync(new URL('./fixtures/pairs.json', import.meta.url), 'utf8')) as Pair[];
const turnsOf = (text: string) => [...parseRttm(text).values()].flat();
const turn = (startSeconds: number, endSeconds: number, speaker: string): Turn => ({
  startSeconds,
  endSeconds,
  speaker,
});

function scorePair({ reference, hypothesis, uem, options }: Pair): Score {
  const regions = uem === undefined ? {} : { uem: [...parseUem(uem).values()].flat() };
  return diarizationErrorRate(turnsOf(reference), turnsOf(hypothesis), { ...options, ...regions });
}

function expectFigures(found: Score, expected: Score): void {
  for (const figure of FIGURES) {
    const difference = Math.abs(found[figure] - expected[figure]);
    expect(difference, `${figure} is ${found[figure]}, not ${expected[figure]}`).toBeLessThan(1e-6);
  }
}

describe('diarizationErrorRate against pyannote.metrics 4.2.0', () => {
  it.each(pairs.map((pair) => [pair.name, pair] as const))('%s', (_name, pair) => {
    const found = scorePair(pair);
    expectFigures(found, pair.expected);
    expect(found.mapping).toEqual(pair.expected.mapping);
  });
});

describe('diarizationErrorRate', () => {
  /** Turns of every fixture, including overlap, so that the properties below are tested on irregular data. */
  const sides = pairs.flatMap((pair) => [turnsOf(pair.reference), turnsOf(pair.hypothesis)]);
  const uem = [{ startSeconds: 3, endSeconds: 20 }];
  const options: ScoreOptions[] = [{}, { collarSeconds: 0.25 }, { skipOverlap: true }, { uem }];

  it.each(options)('is 0 for a reference against itself, %j', (option) => {
    for (const turns of sides) {
      const score = diarizationErrorRate(turns, turns, option);
      expect(score).toMatchObject({ der: 0, missedSpeech: 0, falseAlarm: 0, confusion: 0 });
      for (const [from, to] of Object.entries(score.mapping)) expect(to).toBe(from);
    }
  });

  it('does not depend on the names of the speakers', () => {
    for (const pair of pairs) {
      const [reference, hypothesis] = [turnsOf(pair.reference), turnsOf(pair.hypothesis)];
      const labels = [...new Set(hypothesis.map((one) => one.speaker))].sort();
      const renamed = hypothesis.map((one) => {
        const next = labels[(labels.indexOf(one.speaker) + 1) % labels.length];
        return { ...one, speaker: next ?? '' };
      });
      const plain = diarizationErrorRate(reference, hypothesis, pair.options);
      expectFigures(diarizationErrorRate(reference, renamed, pair.options), plain);
    }
  });

  it('does not depend on the order of the turns', () => {
    for (const pair of pairs) {
      const [reference, hypothesis] = [reversedLines(pair.reference), reversedLines(pair.hypothesis)];
      expectFigures(scorePair({ ...pair, reference, hypothesis }), scorePair(pair));
    }
  });

  it('does not change if a turn is split in two', () => {
    const halves = (turns: Turn[]) =>
      turns.flatMap(({ startSeconds, endSeconds, speaker }) => {
        const middle = (startSeconds + endSeconds) / 2;
        return [turn(startSeconds, middle, speaker), turn(middle, endSeconds, speaker)];
      });
    for (const pair of pairs) {
      const [reference, hypothesis] = [turnsOf(pair.reference), turnsOf(pair.hypothesis)];
      const whole = diarizationErrorRate(reference, hypothesis, pair.options);
      expectFigures(diarizationErrorRate(reference, halves(hypothesis), pair.options), whole);
      // A new boundary in the reference adds a collar, so that side is split without one.
      const bare = diarizationErrorRate(reference, hypothesis);
      expectFigures(diarizationErrorRate(halves(reference), hypothesis), bare);
    }
  });

  it('adds up: total is correct + missed + confusion', () => {
    for (const pair of pairs) {
      const { total, correct, missedSpeech, confusion } = scorePair(pair);
      expect(correct + missedSpeech + confusion).toBeCloseTo(total, 9);
    }
  });

  it('applies half of the collar on either side of a boundary', () => {
    const score = diarizationErrorRate([turn(1, 3, 'a')], [turn(1, 3, 'x')], { collarSeconds: 0.5 });
    expect(score.total).toBeCloseTo(1.5, 12);
  });

  it('ignores a turn of one microsecond', () => {
    expect(diarizationErrorRate([turn(0, 1e-6, 'a')], [])).toMatchObject({ total: 0, der: 0 });
  });

  it('scores nothing if the UEM has no regions', () => {
    const score = diarizationErrorRate([turn(0, 1, 'a')], [turn(0, 1, 'x')], { uem: [] });
    expect(score).toMatchObject({ total: 0, der: 0, mapping: {} });
  });

  it('has no entry for a speaker without a partner', () => {
    const score = diarizationErrorRate([turn(0, 4, 'a')], [turn(0, 3, 'x'), turn(5, 6, 'y')]);
    expect(score.mapping).toEqual({ x: 'a' });
    expect(score.falseAlarm).toBeCloseTo(1, 12);
  });

  it('maps speakers with the names of object properties', () => {
    const score = diarizationErrorRate([turn(0, 4, 'constructor')], [turn(0, 4, '__proto__')]);
    expect(Object.entries(score.mapping)).toEqual([['__proto__', 'constructor']]);
  });

  it.each([-0.1, NaN, Infinity])('rejects a collar of %s', (collarSeconds) => {
    expect(() => diarizationErrorRate([], [], { collarSeconds })).toThrow(expect.objectContaining({ code: 'options' }));
  });

  it('rejects times that are not finite', () => {
    for (const bad of [turn(NaN, 1, 'a'), turn(0, Infinity, 'a')]) {
      expect(() => diarizationErrorRate([bad], [])).toThrow(/^The reference contains/);
      expect(() => diarizationErrorRate([], [bad])).toThrow(/^The hypothesis contains/);
      expect(() => diarizationErrorRate([], [], { uem: [bad] })).toThrow(/^The UEM contains/);
    }
  });
});

function reversedLines(text: string): string {
  return text.split('\n').reverse().join('\n');
}
