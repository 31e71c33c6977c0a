import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Turn } from '../../timeline/turns';
import { carryOver, changesBetween, greatest, sharedSeconds, talkingOf, transposed } from './changes';
import { annotationWith } from '../../../test/app/annotation';
import { sentencesOf } from './text';

const randomTurns = fc
  .array(fc.tuple(fc.constantFrom('A', 'B', 'C', 'D'), fc.integer({ min: 0, max: 200 }), fc.integer({ min: 1, max: 40 })), { maxLength: 30 })
  .map((turns) => turns.map(([speaker, start, length]) => [speaker, start, start + length] as const));

/** Every pair of turns, one by one. */
function sharedByPairs(before: readonly Turn[], after: readonly Turn[], one: string, other: string): number {
  let seconds = 0;
  for (const turn of before.filter(({ speaker }) => speaker === one)) {
    for (const found of after.filter(({ speaker }) => speaker === other)) {
      seconds += Math.max(0, Math.min(turn.endSeconds, found.endSeconds) - Math.max(turn.startSeconds, found.startSeconds));
    }
  }
  return seconds;
}

describe('time that two speakers share', () => {
  it('is that of all pairs of turns, from either side', () => {
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

  it('goes to the one who shares the most', () => {
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

  it('stay with the voices, in the order of the tracks, whatever the clusters are called', () => {
    const after = carryOver(named, annotationWith([['SPEAKER_00', 20, 30], ['SPEAKER_01', 0, 10], ['SPEAKER_02', 10, 20]]));
    expect(after.speakers).toEqual(named.speakers);
    expect(after.turns.map(({ speaker }) => speaker)).toEqual(['A', 'B', 'C']);
  });

  it('of two that become one are those of the one who said more', () => {
    const before = { ...named, turns: annotationWith([['A', 0, 10], ['B', 10, 14], ['C', 14, 30]]).turns };
    const after = carryOver(before, annotationWith([['X', 0, 10], ['Y', 10, 30]]));
    expect(after.speakers.map(({ name }) => name)).toEqual(['Ada', 'Cleo']);
  });

  it('a new voice comes last, with an id and a color of its own', () => {
    const after = carryOver(named, annotationWith([['X', 0, 3], ['A', 3, 10], ['Y', 10, 20], ['Z', 20, 30]]));
    expect(after.speakers.slice(0, 3)).toEqual(named.speakers);
    expect(after.speakers[3]).toEqual({ id: 'SPEAKER_00', name: null, color: 0 });
    expect(after.turns[0]!.speaker).toBe('SPEAKER_00');
  });

  it('pairs so that all together share the most', () => {
    // X shares more with A than with B, but Y shares with A alone.
    const before = annotationWith([['A', 0, 16], ['B', 16, 22]]);
    const after = carryOver(before, annotationWith([['X', 9, 22], ['Y', 0, 9]]));
    expect(after.turns.map(({ speaker }) => speaker)).toEqual(['A', 'B']);
  });

  it('what an constraint has named is that speaker, even against the overlap', () => {
    const after = carryOver(named, annotationWith([['B', 0, 10], ['SPEAKER_00', 10, 30]]), new Set(['B']));
    expect(after.turns[0]!.speaker).toBe('B');
    // The same label of no constraint is only a number.
    expect(carryOver(named, annotationWith([['B', 0, 10], ['SPEAKER_00', 10, 30]])).turns[0]!.speaker).toBe('A');
  });

  it('gives every turn a new id and a speaker who is there, and no two speakers one id or a color that is taken', () => {
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

  it('a turn that was corrected stays so where it is the same turn of the same speaker', () => {
    const turns = annotationWith([['A', 0, 10], ['B', 10, 20], ['A', 20, 30]]).turns.map((turn) => ({ ...turn, isCorrected: true }));
    const before = annotationWith([['A', 0, 10], ['B', 10, 20]], { turns, nextId: 3 });
    const after = carryOver(before, annotationWith([['X', 0, 10.5], ['X', 12, 14], ['Y', 14, 20], ['X', 20, 23]]));
    expect(after.turns.map(({ isCorrected }) => isCorrected)).toEqual([true, false, false, false]);
  });
});

describe('what a proposal says', () => {
  const names = new Map([['A', 'Ada'], ['B', 'Ben'], ['C', 'Cleo']]);
  const say = (before: ReturnType<typeof annotationWith>, after: ReturnType<typeof annotationWith>, choice: number | 'auto' = 'auto') =>
    sentencesOf(
      { request: { choice, minDurations: { minDurationOn: 0, minDurationOff: 0 }, isKeepingCorrections: false }, annotation: after, changes: changesBetween(before, after), brief: [], speakerCount: { value: 0, alternatives: [], unmet: null } },
      names,
      names,
    );

  it('who becomes one', () => {
    const before = annotationWith([['A', 0, 10], ['B', 10, 20], ['C', 20, 30]]);
    const after = annotationWith([['A', 0, 10], ['B', 10, 30]]);
    expect(changesBetween(before, after).speakers).toEqual([{ kind: 'merged', from: ['B', 'C'], into: 'B' }]);
    expect(say(before, after, 2)).toEqual(['Proposed: 2 speakers', 'Ben and Cleo are merged.']);
  });

  it('who becomes several, and how much each says', () => {
    const before = annotationWith([['A', 0, 900], ['B', 900, 1000]]);
    const after = annotationWith([['A', 0, 720], ['C', 720, 900], ['B', 900, 1000]]);
    expect(say(before, after, 4)).toEqual([
      'Proposed: 3 speakers',
      'Requested 4, found 3.',
      'Ada is split into two: 12 min and 3 min.',
    ]);
  });

  it('that single turns change, or nothing', () => {
    const before = annotationWith([['A', 0, 10], ['B', 10, 20], ['A', 20, 22]]);
    expect(say(before, annotationWith([['A', 0, 9.8], ['B', 9.9, 20], ['A', 20, 22]])).slice(1)).toEqual(['No speakers are merged or split. Only turn boundaries change.']);
    expect(say(before, before)[1]).toBe('Nothing changes.');
  });

  it('how much moves from whom to whom', () => {
    const before = annotationWith([['A', 0, 100], ['B', 100, 200], ['A', 200, 237]]);
    expect(say(before, annotationWith([['A', 0, 100], ['B', 100, 237]])).slice(1)).toEqual(['37 s of speech moves from Ada to Ben.']);
    // Overlapped speech does not move.
    const overlapping = annotationWith([['A', 0, 100], ['B', 50, 200]]);
    expect(say(overlapping, annotationWith([['A', 0, 100], ['B', 50, 190]])).slice(1)).toEqual(['No speakers are merged or split. Only turn boundaries change.']);
    // The moves of a merge are not listed again; other moves are.
    const three = annotationWith([['A', 0, 100], ['B', 100, 200], ['C', 200, 300], ['A', 300, 320]]);
    expect(say(three, annotationWith([['A', 0, 90], ['B', 90, 300], ['A', 300, 320]])).slice(1)).toEqual(['Ben and Cleo are merged.', '10 s of speech moves from Ada to Ben.']);
  });

  it('the longest of many moves, and the sum of the others', () => {
    const turns = Array.from({ length: 8 }, (_, i): [string, number, number] => [`S${i}`, 100 * i, 100 * i + 90]);
    const moved = turns.flatMap(([speaker, start, end], i): [string, number, number][] => [
      [speaker, start, end - 10 - i],
      [`S${(i + 1) % 8}`, end - 10 - i, end],
    ]);
    const sentences = say(annotationWith(turns), annotationWith(moved));
    expect(sentences.slice(1)).toEqual([...[7, 6, 5, 4, 3].map((i) => `${10 + i} s of speech moves from S${i} to S${(i + 1) % 8}.`), 'Another 33 s moves between 3 other pairs of speakers.']);
  });

  it('who has no turn any more', () => {
    const before = annotationWith([['A', 0, 10], ['B', 30, 31]]);
    expect(say(before, annotationWith([['A', 0, 10]]))).toContain('Ben has no turns left.');
  });

  it('counts only who talks', () => {
    const silent = annotationWith([['A', 0, 10]], { speakers: [{ id: 'A', name: null, color: 0 }, { id: 'B', name: null, color: 1 }] });
    expect(talkingOf(silent)).toEqual(['A']);
  });
});
