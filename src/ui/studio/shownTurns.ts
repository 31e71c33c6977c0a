import type { Annotation } from '../../editing/annotation';
import { exclusiveOf } from '../../editing/exclusive';
import type { Turn } from '../../timeline/turn';
import type { TurnsMode } from '../state';

/** The turns that are shown of an annotation. */
export function shownTurns(annotation: Annotation, mode: TurnsMode): readonly Turn[] {
  return mode === 'exclusive' ? exclusiveOf(annotation) : annotation.turns;
}
