import type { EditableTurn } from './annotation';

/** A stretch in which the same turns go on: nobody begins or ends within it. */
export interface Piece {
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** At least one; in the order of the annotation, so whose turn began first comes first. */
  readonly talking: readonly EditableTurn[];
}

/**
 * All speech, cut wherever a turn begins or ends and at further times.
 *
 * @param turns in the order of an annotation
 * @param cuts further times to cut at, in any order
 */
export function* piecesOf(turns: readonly EditableTurn[], cuts: readonly number[] = []): Generator<Piece> {
  const times = sortedTimes(turns, cuts);
  let talking: readonly EditableTurn[] = [];
  let next = 0;
  for (let index = 0; index + 1 < times.length; index++) {
    const [startSeconds, endSeconds] = [times[index]!, times[index + 1]!];
    if (startSeconds === endSeconds) continue;
    const before = next;
    while (next < turns.length && turns[next]!.startSeconds <= startSeconds) next++;
    const isEnded = talking.some((turn) => turn.endSeconds <= startSeconds);
    if (isEnded || next > before) {
      talking = [...talking.filter((turn) => turn.endSeconds > startSeconds), ...turns.slice(before, next)];
    }
    if (talking.length > 0) yield { startSeconds, endSeconds, talking };
  }
}

function sortedTimes(turns: readonly EditableTurn[], cuts: readonly number[]): Float64Array {
  const times = new Float64Array(2 * turns.length + cuts.length);
  turns.forEach(({ startSeconds, endSeconds }, index) => {
    times[2 * index] = startSeconds;
    times[2 * index + 1] = endSeconds;
  });
  times.set(cuts, 2 * turns.length);
  return times.sort();
}
