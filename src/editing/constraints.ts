import type { Anchors } from '../clustering/anchors';
import type { Annotation } from './annotation';
import { aloneStretches } from './review';

/**
 * What a person has settled, for a re-clustering: the corrected turns by speaker, where nobody else talks, because an
 * embedding of two voices at once would say nothing about either. Stretches of one entry are one person's, those of two
 * entries are of two.
 *
 * @returns in the order of the lanes, without speakers who have no such stretch; stretches sorted by start
 */
export function constraintsOf(annotation: Annotation): Anchors {
  const settled = aloneStretches(annotation).filter(({ turn }) => turn.isCorrected);
  const anchors = annotation.speakers.map(({ id }) => ({
    speaker: id,
    stretches: settled
      .filter(({ turn }) => turn.speaker === id)
      .map(({ startSeconds, endSeconds }) => ({ startSeconds, endSeconds })),
  }));
  return anchors.filter(({ stretches }) => stretches.length > 0);
}
