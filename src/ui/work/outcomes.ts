import type { ImportedRecording } from '../../formats/anyTurns';
import { stem } from '../format';
import type { Outcome } from '../state';
import { newWorkId } from './id';
import { importedAnnotation } from './readTurns';

/** Turns of a file as a result that can be corrected, with the recording where it came along. */
export function outcomeOfTurns(imported: ImportedRecording, file: File, recording: File | null): Outcome {
  return {
    id: newWorkId(),
    name: recording?.name ?? (imported.name || stem(file.name)),
    blob: recording,
    result: null,
    annotation: importedAnnotation(imported),
    options: null,
    processingSeconds: null,
  };
}

/** The same result with the sound that it lacked. Corrections go with the id. */
export function withSound(outcome: Outcome, recording: File): Outcome {
  return { ...outcome, blob: recording };
}
