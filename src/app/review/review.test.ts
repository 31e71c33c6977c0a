import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEdit } from '../../editing/applyEdit';
import type { Annotation, Edit } from '../../editing/annotation';
import { annotationWith } from '../../../test/app/annotation';
import type { Segment } from '../../util/segment';
import { certaintyOf } from './card';
import {
  CLIP_SECONDS,
  clipOf,
  ClipSequence,
  clipsOf,
  followReview,
  nextTurn,
  previousTurn,
  type ReviewQueue,
  startReview,
  visitTurn,
} from './queue';

/** Five turns of ten seconds. From least to most certain: 3, 1, 4, 0, 2. */
function doubtful(): Annotation {
  const annotation = annotationWith([['A', 0, 10], ['B', 10, 20], ['A', 20, 30], ['B', 30, 40], ['A', 40, 50]]);
  const confidences = [0.7, 0.3, 0.9, 0.1, 0.5];
  return { ...annotation, turns: annotation.turns.map((turn, index) => ({ ...turn, confidence: confidences[index]! })) };
}

const begin = () => ({ annotation: doubtful(), queue: startReview(doubtful()) });
type Review = ReturnType<typeof begin>;

function correct({ annotation, queue }: Review, edit: Edit): Review {
  const after = applyEdit(annotation, edit);
  return { annotation: after, queue: followReview(queue, after) };
}

describe('the review', () => {
  it('starts with the least certain turn and continues by certainty', () => {
    let { queue } = begin();
    const seen = [queue.current];
    for (let step = 0; step < 5; step += 1) {
      queue = nextTurn(queue);
      seen.push(queue.current);
    }
    // After the last one, the skipped ones.
    expect(seen).toEqual([3, 1, 4, 0, 2, 3]);
  });

  it('continues automatically after a turn is confirmed, assigned or deleted', () => {
    let review = begin();
    review = correct(review, { type: 'confirm-turn', turn: 3 });
    expect(review.queue).toMatchObject({ current: 1, order: [1, 4, 0, 2] });
    review = correct(review, { type: 'assign-turn', turn: 1, speaker: 'A' });
    // Turns 0 and 2 touched it and were merged into it, so they are not reviewed separately.
    expect(review.queue.current).toBe(4);
    review = correct(review, { type: 'delete-turn', turn: 4 });
    expect(review.queue).toMatchObject({ current: null, order: [] });
  });

  it('stays on a split turn and continues with its other half', () => {
    const review = correct(begin(), { type: 'split-turn', turn: 3, atSeconds: 34 });
    expect(review.queue.current).toBe(3);
    expect(review.queue.order.slice(0, 3)).toEqual([3, 5, 1]);
    const confirmed = correct(review, { type: 'confirm-turn', turn: 3 });
    expect(confirmed.queue.current).toBe(5);
    expect(correct(confirmed, { type: 'confirm-turn', turn: 5 }).queue.current).toBe(1);
  });

  it('goes back to shown turns, including reviewed ones, and then continues', () => {
    let review = correct(begin(), { type: 'confirm-turn', turn: 3 });
    review = { ...review, queue: previousTurn(review.queue) };
    expect(review.queue.current).toBe(3);
    // Correcting it again keeps it current.
    expect(correct(review, { type: 'assign-turn', turn: 3, speaker: 'B' }).queue.current).toBe(3);
    expect(nextTurn(review.queue).current).toBe(1);
  });

  it('follows a turn selected elsewhere', () => {
    const queue = visitTurn(begin().queue, 0);
    expect(queue.current).toBe(0);
    expect(nextTurn(queue).current).toBe(2);
    expect(previousTurn(queue).current).toBe(3);
  });

  it('is empty without turns', () => {
    const queue = startReview(annotationWith([]));
    expect(queue.current).toBeNull();
    expect(nextTurn(queue)).toEqual(queue);
    expect(previousTurn(queue)).toEqual(queue);
  });

  it('always shows an existing turn, and ends if and only if none is left', () => {
    const step = fc.record({ what: fc.constantFrom('confirm', 'delete', 'split', 'assign', 'next', 'previous', 'visit'), which: fc.nat({ max: 9 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let review: Review = begin();
        for (const { what, which } of steps) {
          review = walk(review, what, which);
          const { queue, annotation } = review;
          const open = annotation.turns.filter(({ isCorrected }) => !isCorrected).map(({ id }) => id);
          expect([...queue.order].sort()).toEqual([...open].sort());
          if (queue.current === null) expect(open).toEqual([]);
          else expect(annotation.turns.map(({ id }) => id)).toContain(queue.current);
          if (queue.order.includes(queue.current ?? -1)) expect(queue.order[queue.at]).toBe(queue.current);
        }
        // Confirming one after the other reviews all turns.
        for (let left = review.queue.order.length; left > 0; left -= 1) {
          if (!review.queue.order.includes(review.queue.current ?? -1)) review = { ...review, queue: nextTurn(review.queue) };
          review = correct(review, { type: 'confirm-turn', turn: review.queue.current! });
          expect(review.queue.order).toHaveLength(left - 1);
        }
        expect(review.annotation.turns.every(({ isCorrected }) => isCorrected)).toBe(true);
      }),
    );
  });
});

function walk(review: Review, what: string, which: number): Review {
  const { annotation, queue } = review;
  const moved = (next: ReviewQueue): Review => ({ annotation, queue: next });
  const turn = annotation.turns.find(({ id }) => id === queue.current);
  if (what === 'next') return moved(nextTurn(queue));
  if (what === 'previous') return moved(previousTurn(queue));
  const other = annotation.turns[which % Math.max(1, annotation.turns.length)];
  if (what === 'visit') return other ? moved(visitTurn(queue, other.id)) : review;
  if (!turn) return review;
  if (what === 'confirm') return correct(review, { type: 'confirm-turn', turn: turn.id });
  if (what === 'delete') return correct(review, { type: 'delete-turn', turn: turn.id });
  if (what === 'assign') return correct(review, { type: 'assign-turn', turn: turn.id, speaker: which % 2 ? 'A' : 'B' });
  const atSeconds = (turn.startSeconds + turn.endSeconds) / 2;
  return turn.endSeconds - turn.startSeconds < 0.1 ? review : correct(review, { type: 'split-turn', turn: turn.id, atSeconds });
}

describe('clips to compare voices', () => {
  it('are the beginnings of segments, without the turn to compare', () => {
    const annotation = annotationWith([['A', 0, 30], ['B', 30, 40], ['A', 40, 45]]);
    const [long, , short] = annotation.turns;
    expect(clipsOf(annotation, 'A', short!)).toEqual([{ startSeconds: 0, endSeconds: CLIP_SECONDS }]);
    expect(clipsOf(annotation, 'A', long!)).toEqual([{ startSeconds: 40, endSeconds: 45 }]);
    expect(clipOf(short!)).toEqual({ startSeconds: 40, endSeconds: 45 });
  });

  it('play in sequence, each to its end', () => {
    const played: Segment[] = [];
    const sequence = new ClipSequence((segment) => played.push(segment));
    const a = { startSeconds: 10, endSeconds: 12 };
    const b = { startSeconds: 50, endSeconds: 53 };
    sequence.start(a, b);
    // The player seeks before it plays; earlier positions are ignored.
    sequence.hear(3, false);
    sequence.hear(10, false);
    sequence.hear(10.1, true);
    sequence.hear(11.9, true);
    expect(played).toEqual([a]);
    sequence.hear(12, false);
    expect(played).toEqual([a, b]);
    sequence.hear(50.1, true);
    sequence.hear(53, false);
    sequence.hear(53, false);
    expect(played).toEqual([a, b]);
  });

  it('stop if the user stops the player or seeks elsewhere', () => {
    for (const [seconds, playing] of [[11, false], [30, true]] as const) {
      const played: Segment[] = [];
      const sequence = new ClipSequence((segment) => played.push(segment));
      sequence.start({ startSeconds: 10, endSeconds: 12 }, { startSeconds: 50, endSeconds: 53 });
      sequence.hear(10.5, true);
      sequence.hear(seconds, playing);
      sequence.hear(11.9, true);
      sequence.hear(12, false);
      expect(played, `${seconds} s`).toHaveLength(1);
    }
  });
});

describe('the certainty label', () => {
  it('depends on the kind of confidence', () => {
    expect(certaintyOf(0.5, 'margin')).toBe('high');
    expect(certaintyOf(0.5, 'posterior')).toBe('low');
    expect(certaintyOf(0.8, 'posterior')).toBe('middling');
    expect(certaintyOf(null, 'posterior')).toBe('unknown');
  });
});
