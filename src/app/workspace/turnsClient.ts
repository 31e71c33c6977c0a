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

/** What is exported, and when. */
export interface ExportRequest {
  readonly outcome: Outcome;
  readonly annotation: Annotation;
  readonly mode: TurnsMode;
  /** Whether a person has changed anything. */
  readonly isCorrected: boolean;
  readonly date: Date;
  readonly userAgent: string;
}

/** A recording of a file of turns. */
export interface FoundRecording {
  readonly name: string;
  readonly numTurns: number;
  readonly numSpeakers: number;
}

/** The worker that reads and writes large numbers of turns. Packed arrays are transferred in both directions. */
export interface TurnsWorkerApi {
  /** Reads a file of turns. Rejects as `readAnyTurns` throws. `isGuess`: the encoding is not certain. */
  read(file: File): Promise<{ readonly found: readonly FoundRecording[]; readonly isGuess: boolean }>;
  /**
   * One of the recordings that were read, as an annotation.
   *
   * @param durationSeconds length of the recording; null if it is not known
   */
  take(index: number, durationSeconds: number | null): Promise<PackedAnnotation>;
  /** The turns with one speaker at a time. */
  exclusive(annotation: PackedAnnotation): Promise<PackedTurns>;
  /** A file of one of the export formats. */
  write(format: ExportFormat, request: PackedExport): Promise<WrittenFile>;
}

/** An export request whose turns are packed. */
export interface PackedExport extends Omit<ExportRequest, 'annotation' | 'outcome'> {
  readonly annotation: PackedAnnotation;
  /** Without annotation, sound and companions, which no format writes. */
  readonly outcome: Omit<ExportRequest['outcome'], 'annotation' | 'blob' | 'companions'>;
  /** Size of the recording's file; null if there is none. */
  readonly soundBytes: number | null;
}

export interface WrittenFile {
  readonly name: string;
  readonly type: string;
  readonly content: Blob;
}

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

/** Uses a worker for large numbers of turns. The worker ends afterwards, which frees its memory. */
export async function withTurnsWorker<Result>(use: (worker: WorkerHandle<TurnsWorkerApi>) => Promise<Result>): Promise<Result> {
  // The address must stand inside `new Worker(new URL(…))`, literally: that is the form bundlers look for.
  const worker = new WorkerHandle<TurnsWorkerApi>(new Worker(new URL('./turns.worker.ts', import.meta.url), { type: 'module', name: 'voxlane turns' }), 'turns');
  try {
    return await use(worker);
  } finally {
    worker.terminate(new VoxlaneError({ code: 'disposed', problem: 'The work on the turns is done' }));
  }
}
