import type { Annotation, EditableTurn } from '../../editing/annotation';
import { representativeTurns, reviewOrder } from '../../editing/review';
import type { Segment } from '../../ui-kit/tracks/model';

/** A voice is known after some seconds, and two clips are compared better while the first is still in the ear. */
export const CLIP_SECONDS = 8;

/** So many segments of a speaker are offered to compare with. */
const CHOICES = 4;

/** What is played of a segment to compare voices: its beginning. */
export function clipOf({ startSeconds, endSeconds }: Segment): Segment {
  return { startSeconds, endSeconds: Math.min(endSeconds, startSeconds + CLIP_SECONDS) };
}

/** Segments to know a speaker's voice by, the best first, without the turn that is compared with them. */
export function clipsOf(annotation: Annotation, speaker: string, turn: EditableTurn): Segment[] {
  return representativeTurns(annotation, speaker, CHOICES + 1)
    .filter((segment) => segment.turn.id !== turn.id)
    .slice(0, CHOICES)
    .map(clipOf);
}

/** The player's position may be this far from the end of a segment that it has played to its end. */
const SLACK_SECONDS = 0.06;

/**
 * Segments that are played one after the other. Hears of the player's every change; ends when a person stops the
 * player or moves it elsewhere.
 */
export class ClipSequence {
  readonly #play: (segment: Segment) => void;
  #left: readonly Segment[] = [];
  /** Whether the first of those that are left was heard playing. */
  #isHeard = false;

  constructor(play: (segment: Segment) => void) {
    this.#play = play;
  }

  start(...segments: readonly Segment[]): void {
    this.#left = segments;
    this.#playFirst();
  }

  /** Where the player is, and whether it plays. */
  hear(seconds: number, playing: boolean): void {
    const [current] = this.#left;
    if (!current) return;
    const isInside = seconds >= current.startSeconds - SLACK_SECONDS && seconds <= current.endSeconds + SLACK_SECONDS;
    if (playing && isInside) this.#isHeard = true;
    if (!this.#isHeard) return;
    const isOver = !playing && Math.abs(seconds - current.endSeconds) <= SLACK_SECONDS;
    if (isOver) {
      this.#left = this.#left.slice(1);
      this.#playFirst();
    } else if (!playing || !isInside) {
      this.#left = [];
    }
  }

  #playFirst(): void {
    this.#isHeard = false;
    const [first] = this.#left;
    if (first) this.#play(first);
  }
}

/** Where a person is in going through the turns, the most doubtful first. Turns are meant by their ids. */
export interface ReviewQueue {
  /** The turns that nobody has corrected or confirmed yet, in the order in which they are shown. */
  readonly order: readonly number[];
  /** The place in `order` from which it goes on; of `current`, where that is in it. */
  readonly at: number;
  /** The turn that is shown; null where all are reviewed. It can be one that is reviewed, after going back. */
  readonly current: number | null;
  /** The turns that were shown before, the last one last. */
  readonly trail: readonly number[];
}

export function startReview(annotation: Annotation): ReviewQueue {
  const order = orderOf(annotation);
  return { order, at: 0, current: order[0] ?? null, trail: [] };
}

/** The next turn that is not reviewed; after the last one, the first that was passed over. */
export function nextTurn(queue: ReviewQueue): ReviewQueue {
  const { order, at, current } = queue;
  // A reviewed turn is not in the order: what follows it has moved up to its place.
  const next = order[at] === current ? at + 1 : at;
  return goTo(queue, next < order.length ? next : 0);
}

/** The turn that was shown before; without one, the one before in the order. */
export function previousTurn(queue: ReviewQueue): ReviewQueue {
  const { order, at, trail } = queue;
  const before = trail.at(-1);
  if (before !== undefined) return { ...show(queue, before), trail: trail.slice(0, -1) };
  return at > 0 ? { ...queue, at: at - 1, current: order[at - 1] ?? null } : queue;
}

/** A turn that was chosen elsewhere on the page. */
export function visitTurn(queue: ReviewQueue, turn: number): ReviewQueue {
  return turn === queue.current ? queue : { ...show(queue, turn), trail: withCurrent(queue) };
}

/** The same place after a correction. A turn that was reviewed by it, or is gone, gives way to the one that follows. */
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
    // The other half of a split is looked at next, whatever its rank.
    if (at >= 0 && halves.length === 1) return afterCurrent({ ...queue, order, trail }, current, halves);
    return { order, at: at >= 0 ? at : Math.min(queue.at, order.length), current, trail };
  }
  // The first of those that stood behind it and still stand there.
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
