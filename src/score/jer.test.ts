import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseRttm } from '../formats/rttm';
import { parseUem } from '../formats/uem';
import type { Turn } from '../timeline/turns';
import type { ScoreOptions } from './der';
import { jaccardErrorRate } from './jer';
import { scoreRecordings } from './score';

interface Pair {
  readonly name: string;
  readonly reference: string;
  readonly hypothesis: string;
  readonly uem?: string;
  readonly options: ScoreOptions;
  readonly expected: { readonly jer: number; readonly speakerCount: number; readonly speakerError: number };
}

/** Results that pyannote.metrics accumulates over some of the pairs. */
interface Corpus {
  readonly pairs: readonly string[];
  readonly der: number;
  readonly jer: number;
}

const fixture = (name: string): unknown => JSON.parse(readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8'));
const pairs = fixture('pairs.json') as Pair[];
const turnsOf = (text: string) => [...parseRttm(text).values()].flat();
const turn = (startSeconds: number, endSeconds: number, speaker: string): Turn => ({ startSeconds, endSeconds, speaker });

describe('jaccardErrorRate against pyannote.metrics 4.2.0', () => {
  it.each(pairs.map((pair) => [pair.name, pair] as const))('%s', (_name, { reference, hypothesis, uem, options, expected }) => {
    const regions = uem === undefined ? {} : { uem: [...parseUem(uem).values()].flat() };
    const { jer, speakers } = jaccardErrorRate(turnsOf(reference), turnsOf(hypothesis), { ...options, ...regions });
    expect(Math.abs(jer - expected.jer), `JER is ${jer}, not ${expected.jer}`).toBeLessThan(1e-9);
    expect(speakers).toHaveLength(expected.speakerCount);
    const errors = speakers.reduce((sum, { error }) => sum + error, 0);
    expect(Math.abs(errors - expected.speakerError)).toBeLessThan(1e-9);
  });

  it('several recordings', () => {
    const corpus = fixture('corpus.json') as Corpus;
    const chosen = pairs.filter(({ name }) => corpus.pairs.includes(name));
    expect(chosen).toHaveLength(corpus.pairs.length);
    const side = (text: 'reference' | 'hypothesis') => new Map(chosen.map((pair) => [pair.name, turnsOf(pair[text])]));
    const score = scoreRecordings(side('reference'), side('hypothesis'));
    expect(Math.abs(score.jer - corpus.jer)).toBeLessThan(1e-9);
    expect(Math.abs(score.der - corpus.der)).toBeLessThan(1e-9);
  });
});

describe('jaccardErrorRate', () => {
  it('weights all speakers equally, regardless of their speech time', () => {
    const reference = [turn(0, 100, 'Anna'), turn(100, 102, 'Ben')];
    const score = jaccardErrorRate(reference, [turn(0, 100, 'x'), turn(101, 102, 'y')]);
    expect(score.speakers).toEqual([
      { reference: 'Anna', hypothesis: 'x', speechSeconds: 100, error: 0 },
      { reference: 'Ben', hypothesis: 'y', speechSeconds: 2, error: 0.5 },
    ]);
    expect(score.jer).toBe(0.25);
  });

  it('is 1 for a speaker without a partner, and 0 for a reference against itself', () => {
    const reference = [turn(0, 4, 'Anna'), turn(5, 6, 'Ben')];
    expect(jaccardErrorRate(reference, [turn(0, 4, 'x')])).toEqual({
      jer: 0.5,
      speakers: [
        { reference: 'Anna', hypothesis: 'x', speechSeconds: 4, error: 0 },
        { reference: 'Ben', hypothesis: null, speechSeconds: 1, error: 1 },
      ],
    });
    expect(jaccardErrorRate(reference, reference).jer).toBe(0);
  });

  it('ignores a speaker who is not in the reference', () => {
    expect(jaccardErrorRate([turn(0, 4, 'Anna')], [turn(0, 4, 'x'), turn(10, 90, 'y')]).jer).toBe(0);
  });

  it('counts overlapping turns of one speaker once', () => {
    const reference = [turn(0, 10, 'Anna'), turn(2, 8, 'Anna')];
    expect(jaccardErrorRate(reference, [turn(0, 5, 'x'), turn(1, 4, 'x')]).jer).toBeCloseTo(0.5, 12);
  });
});
