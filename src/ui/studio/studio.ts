import type { Annotation, Edit } from '../../editing/annotation';
import type { Scope } from '../../util/scope';
import type { Player } from '../player';
import type { Outcome, TurnsMode } from '../state';
import type { ThemeControl } from '../theme';
import type { Transcript } from '../../transcript/transcript';

/** What the person sees and does with one result. One instance per result; every panel of the page works on it. */
export interface StudioState {
  /** The corrected result. */
  readonly annotation: Annotation;
  /** Something to look at before it is accepted (another number of speakers); the lanes show it in place of the annotation. */
  readonly proposal: Annotation | null;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** Id of the turn that keys and buttons act on. */
  readonly selected: number | null;
  readonly mode: TurnsMode;
  /** The stretch that is played over and over; null while nothing is. */
  readonly loop: Stretch | null;
  readonly transcript: Transcript | null;
  /** Marks of the score: stretches where the result differs from a reference. */
  readonly marks: readonly Mark[];
}

export interface Stretch {
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/** A stretch that the lanes draw over a speaker, or over the whole height where `speaker` is null. */
export interface Mark extends Stretch {
  readonly kind: 'missed' | 'false-alarm' | 'confusion';
  /** Id of the speaker in the annotation; null where the annotation has nobody there (missed speech). */
  readonly speaker: string | null;
}

/** What the panels share. */
export interface Studio {
  /** Ends when the page leaves this result. */
  readonly scope: Scope;
  readonly outcome: Outcome;
  readonly theme: ThemeControl;
  readonly player: Player;
  readonly get: () => StudioState;
  /**
   * Applies a correction; true where it was applied. One that cannot be (a split outside of its turn …) changes nothing, and the page says
   * why.
   */
  readonly edit: (edit: Edit) => boolean;
  readonly undo: () => void;
  readonly redo: () => void;
  /** Selects a turn and brings it into view. */
  readonly select: (turn: number | null) => void;
  /** Shows `annotation` until it is accepted by an edit, or taken back by null. */
  readonly propose: (annotation: Annotation | null) => void;
  readonly setMode: (mode: TurnsMode) => void;
  readonly setLoop: (loop: Stretch | null) => void;
  readonly setTranscript: (transcript: Transcript | null) => void;
  readonly setMarks: (marks: readonly Mark[]) => void;
  /** Plays a stretch and stops at its end. */
  readonly play: (stretch: Stretch) => void;
  /** A sentence for the notice line, read by screen readers too. */
  readonly say: (message: string) => void;
  /** Calls back after every change, with the state before. Ends with `owner`. */
  readonly onChange: (owner: Scope, listener: (next: StudioState, previous: StudioState) => void) => void;
}

/** What a panel of the studio gives: a section of the page that keeps itself up to date through {@link Studio.onChange}. */
export interface Panel {
  readonly element: HTMLElement;
}
