import type { Turn } from '../timeline/turn';
import { isEmpty } from './intervals';

/**
 * How many turns of each speaker are open. A speaker who talks over himself, in two turns that overlap, counts
 * twice, as two tracks of a pyannote.core `Annotation` do.
 */
export type SpeakerCounts = ReadonlyMap<string, number>;

/** A stretch of time in which neither side has a boundary. */
export interface Piece {
  readonly seconds: number;
  readonly reference: SpeakerCounts;
  readonly hypothesis: SpeakerCounts;
}

interface Boundary {
  readonly atSeconds: number;
  readonly side: 'reference' | 'hypothesis';
  readonly speaker: string;
  /** +1 where a turn starts, -1 where it ends. */
  readonly change: 1 | -1;
}

/**
 * The time in which somebody speaks on either side, cut at every boundary of either side, in order of time.
 * Meaning of `UEMSupportMixin.common_timeline` and `project` of pyannote.metrics 4.2.0 (`utils.py`).
 *
 * @param reference no turn empty
 * @param hypothesis no turn empty
 */
export function cutAtBoundaries(reference: readonly Turn[], hypothesis: readonly Turn[]): Piece[] {
  const boundaries = [...boundariesOf(reference, 'reference'), ...boundariesOf(hypothesis, 'hypothesis')];
  boundaries.sort((a, b) => a.atSeconds - b.atSeconds);
  const open = { reference: new Map<string, number>(), hypothesis: new Map<string, number>() };
  const pieces: Piece[] = [];
  let startSeconds = -Infinity;
  for (const { atSeconds, side, speaker, change } of boundaries) {
    const somebody = open.reference.size > 0 || open.hypothesis.size > 0;
    if (somebody && !isEmpty({ startSeconds, endSeconds: atSeconds })) {
      pieces.push({
        seconds: atSeconds - startSeconds,
        reference: new Map(open.reference),
        hypothesis: new Map(open.hypothesis),
      });
    }
    const count = (open[side].get(speaker) ?? 0) + change;
    // A count may not stay behind as zero: the sizes tell whether anybody speaks.
    if (count === 0) open[side].delete(speaker);
    else open[side].set(speaker, count);
    startSeconds = atSeconds;
  }
  return pieces;
}

function boundariesOf(turns: readonly Turn[], side: Boundary['side']): Boundary[] {
  return turns.flatMap(({ startSeconds, endSeconds, speaker }): Boundary[] => [
    { atSeconds: startSeconds, side, speaker, change: 1 },
    { atSeconds: endSeconds, side, speaker, change: -1 },
  ]);
}
