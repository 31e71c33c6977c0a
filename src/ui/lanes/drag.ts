import type { Turn } from '../../pipeline/types';
import type { Stretch } from '../studio/studio';
import { turnAt, type Lane } from './model';

/** A turn cannot be dragged shorter than this; about the shortest sound of speech. */
export const MIN_TURN_SECONDS = 0.05;

/** What is being dragged, as it would be if it were let go now. `lane` is the index of the lane that it is shown on. */
export type Drag = Stretch & { readonly lane: number } & (
    | { readonly kind: 'edge'; readonly edge: 'start' | 'end'; readonly turn: number }
    | { readonly kind: 'assign'; readonly turn: number; readonly from: number }
    | { readonly kind: 'add'; readonly anchorSeconds: number }
  );

/** Whether a new turn can begin here: within the recording, and in no turn of this lane. */
export function isRoom({ turns }: Lane, seconds: number, durationSeconds: number): boolean {
  return seconds >= 0 && seconds <= durationSeconds && turnAt(turns, seconds) === null;
}

/** A turn with one edge moved to `seconds`, or as near as the recording and the turn's own length allow. */
export function withEdge(
  { startSeconds, endSeconds }: Turn,
  edge: 'start' | 'end',
  seconds: number,
  durationSeconds: number,
): Stretch {
  if (edge === 'start') {
    // A turn that is shorter already stays as long as it is, at the least.
    const latest = Math.max(startSeconds, endSeconds - MIN_TURN_SECONDS);
    return { startSeconds: Math.min(latest, Math.max(0, seconds)), endSeconds };
  }
  const earliest = Math.min(endSeconds, startSeconds + MIN_TURN_SECONDS);
  return { startSeconds, endSeconds: Math.max(earliest, Math.min(durationSeconds, seconds)) };
}

/**
 * The new turn from the start of a drag to the pointer, within the recording and between the nearest turns of its lane.
 *
 * @param turns of the lane; `anchorSeconds` is in none of them
 */
export function addedTurn(anchorSeconds: number, seconds: number, durationSeconds: number, turns: readonly Turn[]): Stretch {
  let [earliest, latest] = [0, durationSeconds];
  for (const turn of turns) {
    if (turn.endSeconds <= anchorSeconds) earliest = Math.max(earliest, turn.endSeconds);
    else latest = Math.min(latest, turn.startSeconds);
  }
  const now = Math.min(latest, Math.max(earliest, seconds));
  return { startSeconds: Math.min(anchorSeconds, now), endSeconds: Math.max(anchorSeconds, now) };
}
