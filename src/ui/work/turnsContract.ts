import type { PackedAnnotation, PackedTurns } from '../../editing/packed';
import type { ExportFormat, ExportRequest } from '../studio/exports';

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
