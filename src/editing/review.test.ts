import { describe, expect, it } from 'vitest';
import { annotationOf, type TurnSource } from './annotationOf';
import { briefSpeakers, linkConstraintsOf, representativeTurns, reviewOrder, speakerShares } from './review';

const turn = (startSeconds: number, endSeconds: number, speaker: string, confidence: number | null = null, isCorrected = false): TurnSource => ({
  startSeconds,
  endSeconds,
  speaker,
  confidence,
  isCorrected,
});
const of = (...turns: TurnSource[]) => annotationOf(turns, [], [], 1000);

describe('reviewOrder', () => {
  it('puts low confidence first, short turns last, and omits corrected turns', () => {
    const order = reviewOrder(
      of(
        turn(0, 2, 'a', 0.9),
        turn(3, 5, 'a', 0.2),
        turn(6, 8, 'a', null),
        turn(9, 9.2, 'a', null),
        turn(10, 10.3, 'a', 0.1),
        turn(12, 14, 'a', 0.1, true),
        turn(15, 19, 'a', 0.9),
      ),
    );
    expect(order.map(({ startSeconds }) => startSeconds)).toEqual([6, 3, 15, 0, 9, 10]);
  });

  it('follows the time if everything else is equal', () => {
    expect(reviewOrder(of(turn(4, 5, 'b'), turn(2, 3, 'a'), turn(0, 1, 'b'))).map(({ startSeconds }) => startSeconds)).toEqual([0, 2, 4]);
  });
});

describe('briefSpeakers', () => {
  it('returns speakers with little speech, both in seconds and as a share', () => {
    const annotation = of(turn(0, 600, 'a'), turn(601, 610, 'b'), turn(611, 623, 'c'));
    expect(briefSpeakers(annotation).map(({ id }) => id)).toEqual(['b']);
    // 3 s of 30 s is a share of 10 %.
    expect(briefSpeakers(of(turn(0, 27, 'a'), turn(27, 30, 'b')))).toEqual([]);
    expect(speakerShares(annotation)[1]).toMatchObject({ speechSeconds: 9, share: 9 / 621 });
  });

  it('does not return a speaker without turns', () => {
    const annotation = annotationOf([turn(0, 600, 'a')], [], [{ label: 'a' }, { label: 'b' }], 600);
    expect(briefSpeakers(annotation)).toEqual([]);
    expect(speakerShares(annotationOf([], [], [{ label: 'a' }], 600))).toMatchObject([{ speechSeconds: 0, share: 0 }]);
  });
});

describe('representativeTurns', () => {
  it('prefers long, confident segments in which the speaker talks alone', () => {
    const annotation = of(
      turn(0, 20, 'a', 0.4),
      turn(5, 6, 'b', 0.9),
      turn(30, 38, 'a', 0.9),
      turn(50, 51, 'a', 1),
      turn(60, 64, 'a', 0.1, true),
      turn(70, 80, 'a', null),
    );
    const chosen = representativeTurns(annotation, 'a', 4).map(({ startSeconds, endSeconds }) => [startSeconds, endSeconds]);
    expect(chosen).toEqual([
      [30, 38],
      [70, 80],
      [6, 20],
      [60, 64],
    ]);
  });

  it('falls back to turns with overlap, or returns nothing', () => {
    const annotation = of(turn(0, 20, 'a'), turn(5, 6, 'b'));
    expect(representativeTurns(annotation, 'b')).toMatchObject([{ startSeconds: 5, endSeconds: 6 }]);
    expect(representativeTurns(annotation, 'nobody')).toEqual([]);
  });
});

describe('linkConstraintsOf', () => {
  it('returns the corrected turns by speaker, without overlap', () => {
    const annotation = of(turn(0, 10, 'a', 1, true), turn(4, 5, 'b', 1), turn(12, 14, 'b', 1, true), turn(16, 18, 'c', 1), turn(20, 21, 'a', 1, true));
    expect(linkConstraintsOf(annotation)).toEqual([
      {
        speaker: 'a',
        segments: [
          { startSeconds: 0, endSeconds: 4 },
          { startSeconds: 5, endSeconds: 10 },
          { startSeconds: 20, endSeconds: 21 },
        ],
      },
      { speaker: 'b', segments: [{ startSeconds: 12, endSeconds: 14 }] },
    ]);
  });
});
