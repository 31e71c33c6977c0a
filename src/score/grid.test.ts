import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseRttm } from '../formats/rttm';
import { parseUem } from '../formats/uem';
import type { Turn } from '../timeline/turns';
import { diarizationErrorRate, type Score, type ScoreOptions } from './der';
import { jaccardErrorRate } from './jer';

interface Grid {
  readonly conversations: readonly { readonly reference: string; readonly hypothesis: string; readonly uem?: string }[];
  readonly scores: readonly {
    readonly conversation: number;
    readonly options: ScoreOptions;
    readonly expected: Score & { readonly jer: number };
  }[];
}

const { conversations, scores } = JSON.parse(readFileSync(new URL('./fixtures/grid.json', import.meta.url), 'utf8')) as Grid;
const turnsOf = (text: string): Turn[] => [...parseRttm(text).values()].flat();

/** Both sum the same seconds as doubles, in different orders. */
const TOLERANCE = 1e-9;

it('matches 152 scores of pyannote.metrics 4.2.0: all rates, components and mappings', () => {
  const differing = scores.flatMap(({ conversation, options, expected }) => {
    const { reference, hypothesis, uem } = conversations[conversation]!;
    const settings = { ...options, ...(uem !== undefined && { uem: [...parseUem(uem).values()].flat() }) };
    const found = diarizationErrorRate(turnsOf(reference), turnsOf(hypothesis), settings);
    const { jer } = jaccardErrorRate(turnsOf(reference), turnsOf(hypothesis), settings);
    const figures = ['der', 'total', 'correct', 'missedSpeech', 'falseAlarm', 'confusion'] as const;
    const isSame =
      figures.every((figure) => Math.abs(found[figure] - expected[figure]) < TOLERANCE) &&
      Math.abs(jer - expected.jer) < TOLERANCE &&
      Object.keys(found.mapping).length === Object.keys(expected.mapping).length &&
      Object.entries(expected.mapping).every(([speaker, partner]) => found.mapping[speaker] === partner);
    return isSame ? [] : [{ conversation, options, found: { ...found, jer }, expected }];
  });
  expect(scores).toHaveLength(152);
  expect(differing).toEqual([]);
});
