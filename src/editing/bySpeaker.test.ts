import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seeded } from '../../test/editing/synthetic';
import type { EditableTurn } from './annotation';
import { turnsBySpeaker, turnsBySpeakerSteps } from './bySpeaker';
import { compareTurns, exchangeTurns, turnsBetween } from './order';
import { indicesOverlapping } from './overlapping';
import { indexOfTurn } from './turnLookup';
import { atOnce } from '../util/concurrency';

/** Sorted turns of some speakers, which may overlap. */
function randomTurns(seed: number, count: number, firstId = 1): EditableTurn[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, index) => {
    const startSeconds = Math.floor(random() * 40);
    return {
      id: firstId + index,
      startSeconds,
      endSeconds: startSeconds + 1 + Math.floor(random() * 9),
      speaker: `S${Math.floor(random() * 4)}`,
      isCorrected: false,
    };
  }).sort(compareTurns);
}

const cases = fc.record({ seed: fc.nat(), count: fc.integer({ min: 0, max: 60 }), gone: fc.array(fc.nat(59)), added: fc.integer({ min: 0, max: 12 }) });

describe('many turns', () => {
  it('exchanging turns returns the same list as filtering and sorting all of them', () => {
    fc.assert(
      fc.property(cases, ({ seed, count, gone, added }) => {
        const turns = randomTurns(seed, count);
        const removed = [...new Set(gone)].flatMap((index) => turns[index] ?? []).sort(compareTurns);
        const come = randomTurns(seed + 1, added, 100);
        const expected = [...turns.filter((turn) => !removed.includes(turn)), ...come].sort(compareTurns);
        expect(exchangeTurns(turns, [...removed, ...randomTurns(seed + 2, 3, 500)].sort(compareTurns), come)).toEqual(expected);
        expect(turnsBetween(turns, expected)).toEqual({ before: removed, after: come });
      }),
    );
  });

  it('grouping after an edit equals grouping from scratch', () => {
    fc.assert(
      fc.property(cases, ({ seed, count, gone, added }) => {
        const turns = randomTurns(seed, count);
        turnsBySpeaker(turns);
        const removed = [...new Set(gone)].flatMap((index) => turns[index] ?? []).sort(compareTurns);
        const edited = exchangeTurns(turns, removed, randomTurns(seed + 1, added, 100));
        const anew = atOnce(turnsBySpeakerSteps([...edited]));
        const { latest, sorted } = { latest: turnsBySpeaker(turns), sorted: turnsBySpeaker(edited) };
        expect(latest).toBe(turnsBySpeaker(turns));
        expect(new Map([...sorted].sort())).toEqual(new Map([...anew].sort()));
      }),
    );
  });

  it('an edit keeps the lists of the other speakers', () => {
    const turns = randomTurns(7, 60);
    const before = turnsBySpeaker(turns);
    const gone = turns.find(({ speaker }) => speaker === 'S1')!;
    const after = turnsBySpeaker(exchangeTurns(turns, [gone], []));
    expect(after.get('S0')).toBe(before.get('S0'));
    expect(after.get('S1')!.turns).toEqual(before.get('S1')!.turns.filter((turn) => turn !== gone));
  });

  it('finds the turns that overlap a segment or cover a moment, across blocks', () => {
    const turns = randomTurns(3, 3000).map((turn, index) => ({ ...turn, startSeconds: turn.startSeconds * 50, endSeconds: turn.endSeconds * 50 + (index % 700 === 0 ? 900 : 0) }));
    turns.sort(compareTurns);
    for (const [from, to] of [[0, 1], [500, 520], [1000, 1000], [1999, 2500], [-5, -1], [50, 50], [5000, 6000]] as const) {
      const expected = turns.flatMap(({ startSeconds, endSeconds }, index) => ((from === to ? startSeconds <= from : startSeconds < to) && endSeconds > from ? [index] : []));
      expect(indicesOverlapping(turns, from, to)).toEqual(expected);
    }
  });

  it('finds a turn by its id, repeatedly and after it changed', () => {
    const turns = randomTurns(5, 50);
    const { id } = turns[20]!;
    expect([indexOfTurn(turns, id), indexOfTurn(turns, id)]).toEqual([20, 20]);
    const moved = exchangeTurns(turns, [turns[20]!], [{ ...turns[20]!, endSeconds: 99 }]);
    expect(moved[indexOfTurn(moved, id)]).toMatchObject({ id, endSeconds: 99 });
    expect(indexOfTurn(exchangeTurns(turns, [turns[20]!], []), id)).toBe(-1);
    expect([indexOfTurn(turns, 4711), indexOfTurn(turns, null)]).toEqual([-1, -1]);
  });
});
