import { annotationOf } from '../../editing/annotationOf';
import type { Annotation } from '../../editing/annotation';
import type { ImportedRecording } from '../../formats/anyTurns';

/**
 * An imported recording as an annotation.
 *
 * @param durationSeconds length of the recording; null if unknown: then that of the file, or the end of the last turn
 */
export function importedAnnotation(imported: ImportedRecording, durationSeconds: number | null = null): Annotation {
  const { turns, exclusiveTurns, speakers } = imported;
  const last = turns.reduce((end, turn) => Math.max(end, turn.endSeconds), 0);
  return annotationOf(turns, exclusiveTurns, speakers, durationSeconds ?? Math.max(imported.durationSeconds ?? 0, last));
}
