import { describe, expect, it } from 'vitest';
import { longAnnotation } from '../../test/editing/synthetic';
import { atOnce } from '../util/concurrency';
import { applyEdit } from './applyEdit';
import { turnsBySpeaker } from './bySpeaker';
import { buffersOf, packAnnotation, packTurns, plainTurn, unpackAnnotation, unpackTurns } from './packed';

describe('a packed annotation', () => {
  it('restores the exact values after a transfer', () => {
    const made = longAnnotation(5000, 30);
    const named = applyEdit(made, { type: 'rename-speaker', speaker: made.speakers[3]!.id, name: 'Ada' });
    const confirmed = applyEdit(named, { type: 'confirm-turn', turn: 17 });
    const unsure = { ...confirmed, turns: confirmed.turns.map((turn) => (turn.id % 9 === 0 ? { ...turn, confidence: null } : turn)), exclusiveHints: confirmed.turns.slice(5, 90).map(plainTurn) };
    const packed = atOnce(packAnnotation(unsure));
    const moved = structuredClone(packed, { transfer: buffersOf(packed.turns, packed.exclusiveHints) });
    expect(packed.turns.starts).toHaveLength(0);
    const again = atOnce(unpackAnnotation(moved));
    expect(again).toEqual(unsure);
    expect([...turnsBySpeaker(again.turns).keys()].sort()).toEqual(unsure.speakers.map(({ id }) => id).sort());
  });

  it('packs turns without ids, and empty lists', () => {
    const turns = [{ startSeconds: 1, endSeconds: 2, speaker: 'a', confidence: 0.5 }, { startSeconds: 2, endSeconds: 3, speaker: 'b', confidence: null }];
    expect(atOnce(unpackTurns(atOnce(packTurns(turns)), plainTurn))).toEqual(turns);
    expect(atOnce(unpackTurns(atOnce(packTurns([]))))).toEqual([]);
  });
});
