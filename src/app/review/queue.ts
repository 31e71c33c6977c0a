import type { Annotation, EditableTurn } from '../../editing/annotation';
import { representativeTurns, reviewOrder } from '../../editing/review';
import type { Segment } from '../../util/segment';

/** Duration of a clip. A few seconds are enough to recognize a voice, and short clips are easier to compare. */
export const CLIP_SECONDS = 8;

/** Number of segments of a speaker offered for comparison. */
const CHOICES = 4;

/** The part of a segment that is played for a comparison: its beginning. */
export function clipOf({ startSeconds, endSeconds }: Segment): Segment {
  return { startSeconds, endSeconds: Math.min(endSeconds, startSeconds + CLIP_SECONDS) };
}

/** The best segments for recognizing a speaker's voice, best first, without the turn to compare. */
export function clipsOf(annotation: Annotation, speaker: string, turn: EditableTurn): Segment[] {
  return representativeTurns(annotation, speaker, CHOICES + 1)
    .filter((segment) => segment.turn.id !== turn.id)
    .slice(0, CHOICES)
    .map(clipOf);
}

/** Maximum distance of the player's position from the end of a segment that played to its end. */
const SLACK_SECONDS = 0.06;

/**
 * Plays segments one after the other. Requires a call of `hear` on every change of the player. Ends when the user stops the
 * player or moves it elsewhere.
 */
export class ClipSequence {
  readonly #play: (segment: Segment) => void;
  #left: readonly Segment[] = [];
  /** Whether the first remaining segment has started to play. */
  #hasStarted = false;

  constructor(play: (segment: Segment) => void) {
    this.#play = play;
  }

  start(...segments: readonly Segment[]): void {
    this.#left = segments;
    this.#playFirst();
  }

  /** Reports the position of the player and whether it is playing. */
  hear(seconds: number, playing: boolean): void {
    const [current] = this.#left;
    if (!current) return;
    const isInside = seconds >= current.startSeconds - SLACK_SECONDS && seconds <= current.endSeconds + SLACK_SECONDS;
    if (playing && isInside) this.#hasStarted = true;
    if (!this.#hasStarted) return;
    const isOver = !playing && Math.abs(seconds - current.endSeconds) <= SLACK_SECONDS;
    if (isOver) {
      this.#left = this.#left.slice(1);
      this.#playFirst();
    } else if (!playing || !isInside) {
      this.#left = [];
    }
  }

  #playFirst(): void {
    this.#hasStarted = false;
    const [first] = this.#left;
    if (first) this.#play(first);
  }
}

/** The position of the user in the review, least certain turns first. Turns are referenced by id. */
export interface ReviewQueue {
  /** Turns that are not yet corrected or confirmed, in review order. */
  readonly order: readonly number[];
  /** The index in `order` at which the review continues; that of `current` if it is in `order`. */
  readonly at: number;
  /** The shown turn; null if all are reviewed. After going back, it can be a reviewed turn. */
  readonly current: number | null;
  /** Previously shown turns, the most recent last. */
  readonly trail: readonly number[];
}

export function startReview(annotation: Annotation): ReviewQueue {
  const order = orderOf(annotation);
  return { order, at: 0, current: order[0] ?? null, trail: [] };
}

/** Moves to the next unreviewed turn. After the last one, starts over with the skipped ones. */
export function nextTurn(queue: ReviewQueue): ReviewQueue {
  const { order, at, current } = queue;
  // A reviewed turn is not in the order, so the turn after it has moved up to its index.
  const next = order[at] === current ? at + 1 : at;
  return goTo(queue, next < order.length ? next : 0);
}

/** Returns to the previously shown turn or, without one, to the preceding turn in the order. */
export function previousTurn(queue: ReviewQueue): ReviewQueue {
  const { order, at, trail } = queue;
  const before = trail.at(-1);
  if (before !== undefined) return { ...show(queue, before), trail: trail.slice(0, -1) };
  return at > 0 ? { ...queue, at: at - 1, current: order[at - 1] ?? null } : queue;
}

/** Moves to a turn selected elsewhere. */
export function visitTurn(queue: ReviewQueue, turn: number): ReviewQueue {
  return turn === queue.current ? queue : { ...show(queue, turn), trail: withCurrent(queue) };
}

/** Updates the queue after a correction. If the current turn was reviewed by it or deleted, moves to the next one. */
export function followReview(queue: ReviewQueue, annotation: Annotation): ReviewQueue {
  const order = orderOf(annotation);
  const present = new Set(annotation.turns.map(({ id }) => id));
  const trail = queue.trail.filter((id) => present.has(id));
  const { current } = queue;
  const wasOpen = queue.order.includes(current ?? -1);
  const stays = current !== null && present.has(current) && (order.includes(current) || !wasOpen);
  if (stays) {
    const at = order.indexOf(current);
    const before = new Set(queue.order);
    const halves = order.filter((id) => !before.has(id));
    // The other half of a split comes next, regardless of its rank.
    if (at >= 0 && halves.length === 1) return afterCurrent({ ...queue, order, trail }, current, halves);
    return { order, at: at >= 0 ? at : Math.min(queue.at, order.length), current, trail };
  }
  // The first following turn that is still unreviewed.
  const open = new Set(order);
  const successor = queue.order.slice(queue.at).find((id) => id !== current && open.has(id)) ?? order[0];
  return {
    order,
    at: successor === undefined ? 0 : order.indexOf(successor),
    current: successor ?? null,
    trail: current !== null && present.has(current) ? [...trail, current] : trail,
  };
}

function afterCurrent(queue: ReviewQueue, current: number, halves: readonly number[]): ReviewQueue {
  const order = queue.order.filter((id) => !halves.includes(id));
  const at = order.indexOf(current);
  return { ...queue, at, order: [...order.slice(0, at + 1), ...halves, ...order.slice(at + 1)] };
}

const orderOf = (annotation: Annotation): number[] => reviewOrder(annotation).map(({ id }) => id);

const withCurrent = ({ current, trail }: ReviewQueue): readonly number[] => (current === null ? trail : [...trail, current]);

function goTo(queue: ReviewQueue, at: number): ReviewQueue {
  const current = queue.order[at] ?? null;
  return current === queue.current ? queue : { ...queue, at, current, trail: withCurrent(queue) };
}

function show(queue: ReviewQueue, turn: number): ReviewQueue {
  const at = queue.order.indexOf(turn);
  return { ...queue, at: at >= 0 ? at : queue.at, current: turn };
}
