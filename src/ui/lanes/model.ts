import type { DiarizationResult, Turn } from '../../pipeline/types';
import type { TurnsMode } from '../state';
import { text } from '../text';

/** One speaker's row. */
export interface Lane {
  readonly label: string;
  readonly name: string;
  /** Sorted by start; one speaker's turns do not overlap, so they are sorted by end too. */
  readonly turns: readonly Turn[];
  readonly seconds: number;
  /** Of all speech, 0 to 1. */
  readonly share: number;
}

export function turnsOf(result: DiarizationResult, mode: TurnsMode): readonly Turn[] {
  return mode === 'exclusive' ? result.exclusiveTurns : result.turns;
}

export function lanesOf(result: DiarizationResult, mode: TurnsMode): Lane[] {
  return lanesBy(result.speakers.map(({ label }) => label), turnsOf(result, mode));
}

/**
 * Lanes of provisional turns, in the order in which the voices are first heard: the labels' order can change from one
 * preview to the next, and the colours would jump.
 */
export function lanesSoFar(turns: readonly Turn[]): Lane[] {
  return lanesBy([...new Set(turns.map(({ speaker }) => speaker))], turns);
}

function lanesBy(labels: readonly string[], turns: readonly Turn[]): Lane[] {
  const byLabel = new Map<string, Turn[]>(labels.map((label) => [label, []]));
  for (const turn of turns) byLabel.get(turn.speaker)?.push(turn);
  const lanes = [...byLabel].map(([label, own], index) => ({
    label,
    name: text.done.speaker(index),
    turns: own,
    seconds: own.reduce((sum, { startSeconds, endSeconds }) => sum + endSeconds - startSeconds, 0),
  }));
  const total = lanes.reduce((sum, { seconds }) => sum + seconds, 0);
  return lanes.map((lane) => ({ ...lane, share: total > 0 ? lane.seconds / total : 0 }));
}

/** Index of the first turn that ends after `seconds`; `turns.length` where none does. */
export function firstEndingAfter(turns: readonly Turn[], seconds: number): number {
  let low = 0;
  let high = turns.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((turns[middle]?.endSeconds ?? Infinity) > seconds) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The turn of this lane that covers a moment. `slack` widens each turn, so that thin ones can be hit with a pointer. */
export function turnAt(turns: readonly Turn[], seconds: number, slack = 0): Turn | null {
  const turn = turns[firstEndingAfter(turns, seconds - slack)];
  return turn && turn.startSeconds - slack <= seconds ? turn : null;
}
