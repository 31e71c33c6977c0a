import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Turn } from '../../timeline/turns';
import { carryOver, changesBetween, greatest, sharedSeconds, talkingOf, transposed } from './changes';
import { annotationWith } from '../../../test/app/annotation';
import { sentencesOf } from './text';

const randomTurns = fc
  .array(fc.tuple(fc.constantFrom('A', 'B', 'C', 'D'), fc.integer({ min: 0, max: 200 }), fc.integer({ min: 1, max: 40 })), { maxLength: 30 })
  .map((turns) => turns.map(([speaker, start, length]) => [speaker, start, start + length] as const));

/** The overlap summed over every pair of turns. */
function sharedByPairs(before: readonly Turn[], after: readonly Turn[], one: string, other: string): number {
  let seconds = 0;
  for (const turn of before.filter(({ speaker }) => speaker === one)) {
    for (const found of after.filter(({ speaker }) => speaker === other)) {
      seconds += Math.max(0, Math.min(turn.endSeconds, found.endSeconds) - Math.max(turn.startSeconds, found.startSeconds));
    }
  }
  return seconds;
}

describe('the overlap of two speakers', () => {
  it('is the sum over all pairs of turns, from either side', () => {
    fc.assert(
      fc.property(randomTurns, randomTurns, (one, other) => {
        const [before, after] = [annotationWith(one), annotationWith(other)];
        const shared = sharedSeconds(before.turns, after.turns);
        const turned = transposed(shared);
        for (const { id } of before.speakers) {
          for (const { id: found } of after.speakers) {
            const expected = sharedByPairs(before.turns, after.turns, id, found);
            expect(shared.get(id)?.get(found) ?? 0).toBe(expected);
            expect(turned.get(found)?.get(id) ?? 0).toBe(expected);
          }
        }
      }),
    );
  });

  it('assigns the speaker with the largest overlap', () => {
    const shared = sharedSeconds(annotationWith([['A', 0, 10]]).turns, annotationWith([['X', 0, 4], ['Y', 4, 10]]).turns);
    expect([...greatest(shared)]).toEqual([['A', 'Y']]);
  });
});

describe('names and colors after a re-clustering', () => {
  const named = annotationWith([['A', 0, 10], ['B', 10, 20], ['C', 20, 30]], {
    speakers: [
      { id: 'A', name: 'Ada', color: 5 },
      { id: 'B', name: null, color: 1 },
      { id: 'C', name: 'Cleo', color: 2 },
    ],
  });

  it('stay with the voices, in the order of the tracks, regardless of cluster labels', () => {
    const after = carryOver(named, annotationWith([['SPEAKER_00', 20, 30], ['SPEAKER_01', 0, 10], ['SPEAKER_02', 10, 20]]));
    expect(after.speakers).toEqual(named.speakers);
    expect(after.turns.map(({ speaker }) => speaker)).toEqual(['A', 'B', 'C']);
  });

  it('of two merged speakers are those of the one with more speech', () => {
    const before = { ...named, turns: annotationWith([['A', 0, 10], ['B', 10, 14], ['C', 14, 30]]).turns };
    const after = carryOver(before, annotationWith([['X', 0, 10], ['Y', 10, 30]]));
    expect(after.speakers.map(({ name }) => name)).toEqual(['Ada', 'Cleo']);
  });

  it('a new speaker comes last, with an unused id and color', () => {
    const after = carryOver(named, annotationWith([['X', 0, 3], ['A', 3, 10], ['Y', 10, 20], ['Z', 20, 30]]));
    expect(after.speakers.slice(0, 3)).toEqual(named.speakers);
    expect(after.speakers[3]).toEqual({ id: 'SPEAKER_00', name: null, color: 0 });
    expect(after.turns[0]!.speaker).toBe('SPEAKER_00');
  });

  it('maximizes the total overlap of all pairs', () => {
    // X shares more with A than with B, but Y shares with A alone.
    const before = annotationWith([['A', 0, 16], ['B', 16, 22]]);
    const after = carryOver(before, annotationWith([['X', 9, 22], ['Y', 0, 9]]));
    expect(after.turns.map(({ speaker }) => speaker)).toEqual(['A', 'B']);
  });

  it('a speaker named by a constraint keeps that identity even against the overlap', () => {
    const after = carryOver(named, annotationWith([['B', 0, 10], ['SPEAKER_00', 10, 30]]), new Set(['B']));
    expect(after.turns[0]!.speaker).toBe('B');
    // Without a constraint, the same label has no meaning.
    expect(carryOver(named, annotationWith([['B', 0, 10], ['SPEAKER_00', 10, 30]])).turns[0]!.speaker).toBe('A');
  });

  it('assigns every turn a new id and an existing speaker, and every speaker a unique id and color', () => {
    fc.assert(
      fc.property(randomTurns, randomTurns, fc.subarray(['A', 'B']), (one, other, certain) => {
        const [before, found] = [annotationWith(one), annotationWith(other)];
        const after = carryOver(before, found, new Set(certain));
        const ids = after.speakers.map(({ id }) => id);
        expect(new Set(ids).size).toBe(found.speakers.length);
        expect(new Set(after.speakers.map(({ color }) => color)).size).toBe(ids.length);
        expect(after.turns.map(({ id }) => id)).toEqual(found.turns.map((_, index) => before.nextId + index));
        for (const { speaker } of after.turns) expect(ids).toContain(speaker);
      }),
    );
  });

  it('a corrected turn stays corrected if it is the same turn of the same speaker', () => {
    const turns = annotationWith([['A', 0, 10], ['B', 10, 20], ['A', 20, 30]]).turns.map((turn) => ({ ...turn, isCorrected: true }));
    const before = annotationWith([['A', 0, 10], ['B', 10, 20]], { turns, nextId: 3 });
    const after = carryOver(before, annotationWith([['X', 0, 10.5], ['X', 12, 14], ['Y', 14, 20], ['X', 20, 23]]));
    expect(after.turns.map(({ isCorrected }) => isCorrected)).toEqual([true, false, false, false]);
  });
});

describe('the sentences of a proposal', () => {
  const names = new Map([['A', 'Ada'], ['B', 'Ben'], ['C', 'Cleo']]);
  const say = (before: ReturnType<typeof annotationWith>, after: ReturnType<typeof annotationWith>, choice: number | 'auto' = 'auto') =>
    sentencesOf(
      { request: { choice, minDurations: { minDurationOn: 0, minDurationOff: 0 }, isKeepingCorrections: false }, annotation: after, changes: changesBetween(before, after), brief: [], speakerCount: { value: 0, alternatives: [], unmet: null } },
      names,
      names,
    );

  it('state merged speakers', () => {
    const before = annotationWith([['A', 0, 10], ['B', 10, 20], ['C', 20, 30]]);
    const after = annotationWith([['A', 0, 10], ['B', 10, 30]]);
    expect(changesBetween(before, after).speakers).toEqual([{ kind: 'merged', from: ['B', 'C'], into: 'B' }]);
    expect(say(before, after, 2)).toEqual(['Preview: 2 speakers', 'Ben and Cleo are merged.']);
  });

  it('state split speakers, with the speech of each', () => {
    const before = annotationWith([['A', 0, 900], ['B', 900, 1000]]);
    const after = annotationWith([['A', 0, 720], ['C', 720, 900], ['B', 900, 1000]]);
    expect(say(before, after, 4)).toEqual([
      'Preview: 3 speakers',
      'Requested 4, found 3.',
      'Ada is split into two: 12 min and 3 min.',
    ]);
  });

  it('state that only turns change, or nothing', () => {
    const before = annotationWith([['A', 0, 10], ['B', 10, 20], ['A', 20, 22]]);
    expect(say(before, annotationWith([['A', 0, 9.8], ['B', 9.9, 20], ['A', 20, 22]])).slice(1)).toEqual(['No speakers are merged or split. Only turn boundaries change.']);
    expect(say(before, before)[1]).toBe('Nothing changes.');
  });

  it('state how much speech moves between speakers', () => {
    const before = annotationWith([['A', 0, 100], ['B', 100, 200], ['A', 200, 237]]);
    expect(say(before, annotationWith([['A', 0, 100], ['B', 100, 237]])).slice(1)).toEqual(['37 s of speech moves from Ada to Ben.']);
    // Overlapped speech does not count as moved.
    const overlapping = annotationWith([['A', 0, 100], ['B', 50, 200]]);
    expect(say(overlapping, annotationWith([['A', 0, 100], ['B', 50, 190]])).slice(1)).toEqual(['No speakers are merged or split. Only turn boundaries change.']);
    // The moves of a merge are not listed again, unlike other moves.
    const three = annotationWith([['A', 0, 100], ['B', 100, 200], ['C', 200, 300], ['A', 300, 320]]);
    expect(say(three, annotationWith([['A', 0, 90], ['B', 90, 300], ['A', 300, 320]])).slice(1)).toEqual(['Ben and Cleo are merged.', '10 s of speech moves from Ada to Ben.']);
  });

  it('list the longest of many moves and the sum of the others', () => {
    const turns = Array.from({ length: 8 }, (_, i): [string, number, number] => [`S${i}`, 100 * i, 100 * i + 90]);
    const moved = turns.flatMap(([speaker, start, end], i): [string, number, number][] => [
      [speaker, start, end - 10 - i],
      [`S${(i + 1) % 8}`, end - 10 - i, end],
    ]);
    const sentences = say(annotationWith(turns), annotationWith(moved));
    expect(sentences.slice(1)).toEqual([...[7, 6, 5, 4, 3].map((i) => `${10 + i} s of speech moves from S${i} to S${(i + 1) % 8}.`), 'Another 33 s moves between 3 other pairs of speakers.']);
  });

  it('state speakers without turns', () => {
    const before = annotationWith([['A', 0, 10], ['B', 30, 31]]);
    expect(say(before, annotationWith([['A', 0, 10]]))).toContain('Ben has no turns left.');
  });

  it('count only speakers with turns', () => {
    const silent = annotationWith([['A', 0, 10]], { speakers: [{ id: 'A', name: null, color: 0 }, { id: 'B', name: null, color: 1 }] });
    expect(talkingOf(silent)).toEqual(['A']);
  });
});
