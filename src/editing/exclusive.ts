import type { Turn } from '../timeline/turns';
import type { Annotation, EditableTurn } from './annotation';
import { meanConfidence } from './annotationOf';

/** A segment in which the set of active turns does not change. */
interface Piece {
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** At least one; in the order of the annotation, so the turn that started first comes first. */
  readonly talking: readonly EditableTurn[];
}

/**
 * All speech, cut at the start and end of every turn and at additional times.
 *
 * @param turns in the order of an annotation
 * @param cuts additional times to cut at, in any order
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

/** A piece of exclusive speech. */
interface HeardPiece {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly turn: EditableTurn;
  /** The pipeline's choice, if there is one. */
  readonly hint: Turn | null;
}

/**
 * The turns with one speaker at a time: if several talk, the one in the exclusive hints if that speaker is active, otherwise
 * the one whose turn started first. For a result without corrections, these are its `exclusiveTurns`.
 *
 * Turns that only touch, such as the halves of a split, stay separate. Takes linear time plus a sort.
 *
 * @returns sorted by start; each with the confidence of its hint, or of its turn if there is no hint
 */
export function exclusiveOf({ turns, exclusiveHints }: Annotation): Turn[] {
  const cuts = exclusiveHints.flatMap(({ startSeconds, endSeconds }) => [startSeconds, endSeconds]);
  const heard: Turn[] = [];
  let run: HeardPiece[] = [];
  let hints: Turn[] = [];
  let nextHint = 0;
  for (const { startSeconds, endSeconds, talking } of piecesOf(turns, cuts)) {
    hints = hints.filter((hint) => hint.endSeconds > startSeconds);
    while (nextHint < exclusiveHints.length && exclusiveHints[nextHint]!.startSeconds <= startSeconds) {
      const hint = exclusiveHints[nextHint++]!;
      if (hint.endSeconds > startSeconds) hints.push(hint);
    }
    const piece = { startSeconds, endSeconds, ...chosen(talking, hints) };
    const last = run.at(-1);
    if (last && (last.turn !== piece.turn || last.endSeconds !== startSeconds)) {
      heard.push(turnOfRun(run));
      run = [];
    }
    run.push(piece);
  }
  if (run.length > 0) heard.push(turnOfRun(run));
  return heard;
}

/** Hints do not overlap, except hints of a file, by the rounding of its times. */
function chosen(talking: readonly EditableTurn[], hints: readonly Turn[]): { turn: EditableTurn; hint: Turn | null } {
  for (const hint of hints) {
    const turn = talking.find(({ speaker }) => speaker === hint.speaker);
    if (turn) return { turn, hint };
  }
  return { turn: talking[0]!, hint: null };
}

function turnOfRun(run: readonly HeardPiece[]): Turn {
  const { turn, hint, startSeconds } = run[0]!;
  const { endSeconds } = run.at(-1)!;
  if (hint?.startSeconds === startSeconds && hint.endSeconds === endSeconds) return hint;
  const judged = run.map((piece) => {
    const { confidence } = piece.hint ?? piece.turn;
    return { startSeconds: piece.startSeconds, endSeconds: piece.endSeconds, confidence: confidence ?? null };
  });
  // If all values are equal, returns that value without rounding errors.
  const same = judged.every(({ confidence }) => confidence === judged[0]!.confidence);
  return { startSeconds, endSeconds, speaker: turn.speaker, confidence: same ? judged[0]!.confidence : meanConfidence(judged) };
}
