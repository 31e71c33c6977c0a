import { WorkerHandle } from '../../../workers/handle';
import type { Annotation } from '../../editing/annotation';
import { annotationOf } from '../../editing/annotationOf';
import type { PackedAnnotation, PackedTurns } from '../../editing/packed';
import type { ImportedRecording } from '../../formats/anyTurns';
import type { TurnsMode } from '../../ui-kit/tracks/model';
import { VoxlaneError } from '../../util/errors';
import type { Outcome } from '../state';

export const EXPORT_FORMATS = ['rttm', 'json', 'srt', 'vtt', 'csv', 'audacity', 'textgrid', 'eaf'] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** The data to export. */
export interface ExportRequest {
  readonly outcome: Outcome;
  readonly annotation: Annotation;
  readonly mode: TurnsMode;
  /** Whether the user made any corrections. */
  readonly isCorrected: boolean;
  readonly date: Date;
  readonly userAgent: string;
}

/** A recording in a file of turns. */
export interface FoundRecording {
  readonly name: string;
  readonly numTurns: number;
  readonly numSpeakers: number;
}

/** The worker that reads and writes large numbers of turns. Packed arrays are transferred in both directions. */
export interface TurnsWorkerApi {
  /** Reads a file of turns. Rejects with the errors of `readAnyTurns`. `isGuess`: whether the encoding is a guess. */
  read(file: File): Promise<{ readonly found: readonly FoundRecording[]; readonly isGuess: boolean }>;
  /**
   * Returns one of the recordings read as an annotation.
   *
   * @param durationSeconds duration of the recording; null if unknown
   */
  take(index: number, durationSeconds: number | null): Promise<PackedAnnotation>;
  /** Computes the exclusive turns. */
  exclusive(annotation: PackedAnnotation): Promise<PackedTurns>;
  /** Writes a file in one of the export formats. */
  write(format: ExportFormat, request: PackedExport): Promise<WrittenFile>;
}

/** An export request whose turns are packed. */
interface PackedExport extends Omit<ExportRequest, 'annotation' | 'outcome'> {
  readonly annotation: PackedAnnotation;
  /** Without annotation, recording and companions, which no format contains. */
  readonly outcome: Omit<ExportRequest['outcome'], 'annotation' | 'blob' | 'companions'>;
  /** Size of the recording in bytes; null if there is none. */
  readonly soundBytes: number | null;
}

export interface WrittenFile {
  readonly name: string;
  readonly type: string;
  readonly content: Blob;
}

/**
 * Converts an imported recording to an annotation.
 *
 * @param durationSeconds duration of the recording; if null, the one in the file or the end of the last turn is used
 */
export function importedAnnotation(imported: ImportedRecording, durationSeconds: number | null = null): Annotation {
  const { turns, exclusiveTurns, speakers } = imported;
  const last = turns.reduce((end, turn) => Math.max(end, turn.endSeconds), 0);
  return annotationOf(turns, exclusiveTurns, speakers, durationSeconds ?? Math.max(imported.durationSeconds ?? 0, last));
}

/** Runs `use` with a worker for large numbers of turns. The worker is terminated afterward, which frees its memory. */
export async function withTurnsWorker<Result>(use: (worker: WorkerHandle<TurnsWorkerApi>) => Promise<Result>): Promise<Result> {
  // The URL must be a literal inside `new Worker(new URL(…))`: bundlers search for this form.
  const worker = new WorkerHandle<TurnsWorkerApi>(new Worker(new URL('./turns.worker.ts', import.meta.url), { type: 'module', name: 'voxlane turns' }), 'turns');
  try {
    return await use(worker);
  } finally {
    worker.terminate(new VoxlaneError({ code: 'disposed', problem: 'The processing of the turns is complete' }));
  }
}
