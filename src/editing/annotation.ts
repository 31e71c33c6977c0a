import type { ConfidenceKind } from '../clustering/localSpeakers';
import type { MinDurations } from '../timeline/minDurations';
import type { Turn } from '../timeline/turns';

/** A turn that can be corrected. Its `speaker` is the {@link AnnotationSpeaker.id} of one of the annotation's speakers. */
export interface EditableTurn extends Turn {
  /** Unique within the history of its annotation; ids are never reused. */
  readonly id: number;
  /** Whether the user created, moved, assigned or confirmed it. Such a turn needs no review and constrains a re-clustering. */
  readonly isCorrected: boolean;
}

/** A speaker as shown to the user. */
export interface AnnotationSpeaker {
  /** Label in the result, such as `SPEAKER_00`, or a new label for a speaker who was added. */
  readonly id: string;
  /** Name set by the user; null until then. */
  readonly name: string | null;
  /** Index into the page's speaker colors, 0 or more. */
  readonly color: number;
}

/**
 * The corrected turns and speakers of a recording: an immutable value. Edits return a new annotation
 * (`applyEdit`), which shares unchanged objects.
 */
export interface Annotation {
  /** Length of the recording. */
  readonly durationSeconds: number;
  /** In track order. A speaker may have no turns. */
  readonly speakers: readonly AnnotationSpeaker[];
  /** Sorted by start, then end, then id. Turns of different speakers may overlap. */
  readonly turns: readonly EditableTurn[];
  /**
   * The pipeline's exclusive turns. If several speakers talk at once, `exclusiveOf` prefers the speaker of these turns. They
   * change only if a turn is assigned, speakers are merged, or all turns are replaced. Sorted by start.
   */
  readonly exclusiveHints: readonly Turn[];
  /** The id of the next new turn. */
  readonly nextId: number;
  /** Kind of the turns' `confidence` if it differs from that of the run: set by an accepted re-clustering. */
  readonly confidenceKind?: ConfidenceKind;
  /** Minimum durations of turns and gaps if they differ from those of the run: set by an accepted re-clustering. */
  readonly minDurations?: MinDurations;
  /** Added speakers never get labels below this number: the result still contains embeddings of removed speakers. */
  readonly nextLabel?: number;
}

/** One correction. Times are seconds from the start of the recording. */
export type Edit =
  | { readonly type: 'rename-speaker'; readonly speaker: string; readonly name: string | null }
  | { readonly type: 'recolor-speaker'; readonly speaker: string; readonly color: number }
  /** Moves all turns of `from` to `into` and removes `from`. Turns that then overlap or touch are joined. */
  | { readonly type: 'merge-speakers'; readonly from: string; readonly into: string }
  | { readonly type: 'add-speaker'; readonly name: string | null }
  /** Only for a speaker without turns. */
  | { readonly type: 'remove-speaker'; readonly speaker: string }
  | { readonly type: 'add-turn'; readonly speaker: string; readonly startSeconds: number; readonly endSeconds: number }
  | { readonly type: 'move-turn'; readonly turn: number; readonly startSeconds: number; readonly endSeconds: number }
  | { readonly type: 'split-turn'; readonly turn: number; readonly atSeconds: number }
  | { readonly type: 'assign-turn'; readonly turn: number; readonly speaker: string }
  | { readonly type: 'confirm-turn'; readonly turn: number }
  | { readonly type: 'delete-turn'; readonly turn: number }
  /** Replaces all turns and speakers: with an accepted re-clustering or an imported file. */
  | { readonly type: 'replace'; readonly annotation: Annotation };
