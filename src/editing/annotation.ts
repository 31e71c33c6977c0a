import type { ConfidenceKind } from '../clustering/localSpeakers';
import type { MinDurations } from '../timeline/minDurations';
import type { Turn } from '../timeline/turns';

/** A turn that can be corrected. Its `speaker` is the {@link AnnotationSpeaker.id} of one of the annotation's speakers. */
export interface EditableTurn extends Turn {
  /** Unique within its annotation's history; an id is never given to another turn. */
  readonly id: number;
  /** Whether a person made, moved, assigned or confirmed it. Such a turn needs no review, and seeds a re-clustering. */
  readonly isCorrected: boolean;
}

/** One voice, as a person sees it. */
export interface AnnotationSpeaker {
  /** Label of the result, such as `SPEAKER_00`, or one that was made for a speaker who was added. */
  readonly id: string;
  /** What a person called the speaker; null until then. */
  readonly name: string | null;
  /** Index into the page's speaker colors, 0 or more. */
  readonly color: number;
}

/**
 * Who spoke when, as a person has corrected it: an immutable value. Whatever changes it gives a new one
 * (`applyEdit`), which shares what stayed the same.
 */
export interface Annotation {
  /** Length of the recording. */
  readonly durationSeconds: number;
  /** In the order of their tracks. A speaker may have no turn. */
  readonly speakers: readonly AnnotationSpeaker[];
  /** Sorted by start, then end, then id. Turns of different speakers may overlap. */
  readonly turns: readonly EditableTurn[];
  /**
   * Who is heard where several speak, as the pipeline chose: `exclusiveOf` prefers these speakers. They follow the turns
   * that are assigned, and the speakers who are merged; nothing else of them changes but together with all turns. Sorted
   * by start.
   */
  readonly exclusiveHints: readonly Turn[];
  /** The id that the next turn gets. */
  readonly nextId: number;
  /** What the turns' `confidence` is, where they are not those of the run: of a re-clustering that was accepted. */
  readonly confidenceKind?: ConfidenceKind;
  /** Shortest turns and gaps, if they are not those of the run: of a re-clustering that was accepted. */
  readonly minDurations?: MinDurations;
  /** Labels below this number are not given to speakers who are added: of one who is gone, the result still has a voice. */
  readonly nextLabel?: number;
}

/** One correction. Times are seconds from the start of the recording. */
export type Edit =
  | { readonly type: 'rename-speaker'; readonly speaker: string; readonly name: string | null }
  | { readonly type: 'recolor-speaker'; readonly speaker: string; readonly color: number }
  /** All turns of `from` go to `into`, and `from` goes. Turns that then overlap or touch become one. */
  | { readonly type: 'merge-speakers'; readonly from: string; readonly into: string }
  | { readonly type: 'add-speaker'; readonly name: string | null }
  /** Only a speaker without turns. */
  | { readonly type: 'remove-speaker'; readonly speaker: string }
  | { readonly type: 'add-turn'; readonly speaker: string; readonly startSeconds: number; readonly endSeconds: number }
  | { readonly type: 'move-turn'; readonly turn: number; readonly startSeconds: number; readonly endSeconds: number }
  | { readonly type: 'split-turn'; readonly turn: number; readonly atSeconds: number }
  | { readonly type: 'assign-turn'; readonly turn: number; readonly speaker: string }
  | { readonly type: 'confirm-turn'; readonly turn: number }
  | { readonly type: 'delete-turn'; readonly turn: number }
  /** Another set of turns and speakers altogether: a re-clustering that was accepted, or an imported file. */
  | { readonly type: 'replace'; readonly annotation: Annotation };
