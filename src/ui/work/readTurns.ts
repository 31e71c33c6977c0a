import { annotationOf } from '../../editing/annotationOf';
import type { Annotation } from '../../editing/annotation';
import { readAnyTurns, type ImportedRecording } from '../../formats/anyTurns';
import type { Scope } from '../../util/scope';
import { stem } from '../format';
import { readTextFile } from '../textFile';
import { chooseRecording } from '../studio/chooseRecording';

/**
 * The turns of a file, for one recording: the one of that name, the only one, or the one that the person chooses.
 *
 * @param say shows a sentence to the person
 * @param recording name of the recording's file; null where there is none to go by
 * @returns null where the person chose none
 * @throws VoxlaneError `format`
 */
export async function readTurnsFor(
  scope: Scope,
  file: File,
  recording: string | null,
  say: (sentence: string) => void,
): Promise<ImportedRecording | null> {
  const recordings = readAnyTurns(file.name, await readTextFile(file, say));
  if (recordings.length === 1) return recordings[0]!;
  const named = recordings.find(({ name }) => recording !== null && (name === recording || name === stem(recording)));
  if (named) return named;
  const chosen = await chooseRecording(scope, file.name, recordings.map(({ name }) => name));
  return recordings.find(({ name }) => name === chosen) ?? null;
}

/**
 * What can be corrected of it.
 *
 * @param durationSeconds length of the recording where it is known; otherwise the file's word, or the end of the last turn
 */
export function importedAnnotation(imported: ImportedRecording, durationSeconds: number | null = null): Annotation {
  const { turns, exclusiveTurns, speakers } = imported;
  const last = turns.reduce((end, turn) => Math.max(end, turn.endSeconds), 0);
  return annotationOf(turns, exclusiveTurns, speakers, durationSeconds ?? Math.max(imported.durationSeconds ?? 0, last));
}
