import type { Turn } from '../../pipeline/types';
import { firstEndingAfter } from './model';

/** Seconds of speech in all turns before each turn, axes (turn + 1). Lists of turns are immutable. */
const sums = new WeakMap<readonly Turn[], Float64Array>();

function speechSums(turns: readonly Turn[]): Float64Array {
  let made = sums.get(turns);
  if (made) return made;
  made = new Float64Array(turns.length + 1);
  for (let at = 0; at < turns.length; at += 1) {
    const { startSeconds, endSeconds } = turns[at]!;
    made[at + 1] = made[at]! + endSeconds - startSeconds;
  }
  sums.set(turns, made);
  return made;
}

/**
 * Seconds of speech before a moment.
 *
 * @param turns of one speaker, sorted by start, without overlap
 */
export function speechBefore(turns: readonly Turn[], seconds: number): number {
  const at = firstEndingAfter(turns, seconds);
  const started = turns[at];
  const part = started && started.startSeconds < seconds ? seconds - started.startSeconds : 0;
  return speechSums(turns)[at]! + part;
}
