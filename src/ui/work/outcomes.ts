import type { Annotation } from '../../editing/annotation';
import { stem } from '../format';
import type { Outcome } from '../state';
import { newWorkId } from './id';
import type { ReadTurns } from './readTurns';

/** What came along with a file of turns. */
export interface ImportContext {
  readonly recording: File | null;
  /** Length of the recording; null where it is not known. */
  readonly soundSeconds: number | null;
  readonly companions: readonly File[];
}

/** Turns of a file as a result that can be corrected, with the recording where it came along. */
export function outcomeOfTurns(imported: ReadTurns, file: File, { recording, soundSeconds, companions }: ImportContext): Outcome {
  return {
    id: newWorkId(),
    name: recording?.name ?? (imported.name || stem(file.name)),
    blob: recording,
    result: null,
    annotation: withLength(imported.annotation, soundSeconds),
    companions,
    options: null,
    processingSeconds: null,
  };
}

/** The same result with the sound that it lacked. Corrections go with the id. */
export function withSound(outcome: Outcome, recording: File, soundSeconds: number | null, companions: readonly File[]): Outcome {
  return { ...outcome, blob: recording, annotation: withLength(outcome.annotation, soundSeconds), companions };
}

/** A file of turns tells where the last one ends; the recording goes on. */
function withLength(annotation: Annotation, soundSeconds: number | null): Annotation {
  return soundSeconds !== null && soundSeconds > annotation.durationSeconds ? { ...annotation, durationSeconds: soundSeconds } : annotation;
}
