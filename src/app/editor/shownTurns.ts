import type { Annotation } from '../../editing/annotation';
import { exclusiveBySpeakerSteps } from '../../editing/bySpeaker';
import { exclusiveOf } from '../../editing/exclusive';
import { packAnnotation, plainTurn, unpackTurns, buffersOf } from '../../editing/packed';
import type { Turn } from '../../timeline/turns';
import { inSlices } from '../../util/concurrency';
import { transfer } from 'comlink';
import type { TurnsMode } from '../../ui-kit/tracks/model';
import { isVast } from '../workspace/limits';
import { withTurnsWorker } from '../workspace/turnsClient';

/** A cache per annotation. Annotations are immutable, and several views show the turns of the same one. */
const exclusive = new WeakMap<Annotation, readonly Turn[]>();

/** The turns to show for an annotation. */
export function shownTurns(annotation: Annotation, mode: TurnsMode): readonly Turn[] {
  if (mode === 'overlapping') return annotation.turns;
  let turns = exclusive.get(annotation);
  if (!turns) exclusive.set(annotation, (turns = exclusiveOf(annotation)));
  return turns;
}

/** Whether {@link shownTurns} returns the exclusive turns without blocking the page. */
export const hasExclusive = (annotation: Annotation): boolean => !isVast(annotation) || exclusive.has(annotation);

/** Computes the exclusive turns of an annotation with a large number of turns, without blocking the page. */
export async function prepareExclusive(annotation: Annotation): Promise<void> {
  if (hasExclusive(annotation)) return;
  const packed = await withTurnsWorker(async (worker) => {
    const given = (await inSlices(packAnnotation(annotation)))!;
    return worker.call((remote) => remote.exclusive(transfer(given, buffersOf(given.turns, given.exclusiveHints))));
  });
  const turns = (await inSlices(unpackTurns(packed, plainTurn)))!;
  await inSlices(exclusiveBySpeakerSteps(turns));
  exclusive.set(annotation, turns);
}
