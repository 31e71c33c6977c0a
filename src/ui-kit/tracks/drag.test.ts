import { describe, expect, it } from 'vitest';
import { addedTurn, isRoom, MIN_TURN_SECONDS, withEdge } from './pointing';
import type { Track } from './model';

const turn = { startSeconds: 3, endSeconds: 5, speaker: 'SPEAKER_00' };
const track: Track = { label: 'SPEAKER_00', name: 'Speaker 1', color: 0, turns: [turn], seconds: 2, share: 1 };

describe('dragging', () => {
  it('moves one edge, but not past the other edge or out of the recording', () => {
    expect(withEdge(turn, 'start', 2, 10)).toEqual({ startSeconds: 2, endSeconds: 5 });
    expect(withEdge(turn, 'end', 7, 10)).toEqual({ startSeconds: 3, endSeconds: 7 });
    expect(withEdge(turn, 'start', 9, 10)).toEqual({ startSeconds: 5 - MIN_TURN_SECONDS, endSeconds: 5 });
    expect(withEdge(turn, 'end', 1, 10)).toEqual({ startSeconds: 3, endSeconds: 3 + MIN_TURN_SECONDS });
    expect(withEdge(turn, 'start', -1, 10).startSeconds).toBe(0);
    expect(withEdge(turn, 'end', 11, 10).endSeconds).toBe(10);
  });

  it('does not shorten a turn that is below the minimum length', () => {
    const short = { startSeconds: 3, endSeconds: 3.01, speaker: 'SPEAKER_00' };
    expect(withEdge(short, 'start', 3.005, 10)).toEqual({ startSeconds: 3, endSeconds: 3.01 });
    expect(withEdge(short, 'end', 2, 10)).toEqual({ startSeconds: 3, endSeconds: 3.01 });
  });

  it('adds a turn in either direction', () => {
    expect(addedTurn(4, 6, 10, [])).toEqual({ startSeconds: 4, endSeconds: 6 });
    expect(addedTurn(4, 1, 10, [])).toEqual({ startSeconds: 1, endSeconds: 4 });
    expect(addedTurn(4, 12, 10, [])).toEqual({ startSeconds: 4, endSeconds: 10 });
  });

  it('ends an added turn at the next turn of the track', () => {
    const turns = [turn, { ...turn, startSeconds: 8, endSeconds: 9 }];
    expect(addedTurn(6, 20, 10, turns)).toEqual({ startSeconds: 6, endSeconds: 8 });
    expect(addedTurn(6, 0, 10, turns)).toEqual({ startSeconds: 5, endSeconds: 6 });
    expect(addedTurn(1, 4, 10, turns)).toEqual({ startSeconds: 1, endSeconds: 3 });
  });

  it('starts a turn only in an empty part of the track', () => {
    expect([2, 4, 6, -1, 11].map((seconds) => isRoom(track, seconds, 10))).toEqual([true, false, true, false, false]);
  });
});
