import type { Annotation, Edit } from '../../editing/annotation';
import { turnById } from '../../editing/turnLookup';
import type { Transcript } from '../../transcript/transcript';
import type { ThemeControl } from '../../ui-kit/pageFrame';
import type { Player } from '../../ui-kit/player';
import type { Scope } from '../../ui-kit/scope';
import type { Mark, Segment, TurnsMode } from '../../ui-kit/tracks/model';
import { messageOf, VoxlaneError } from '../../util/errors';
import type { SharedWork } from '../saved/sharedWork';
import type { Outcome } from '../state';
import { hasExclusive, prepareExclusive } from './shownTurns';
import { editorText } from './text';

/** What the person sees and does with one result. One instance per result; every panel of the page works on it. */
export interface EditorState {
  /** The corrected result. */
  readonly annotation: Annotation;
  /** Something to look at before it is accepted (another number of speakers); the tracks show it in place of the annotation. */
  readonly proposal: Annotation | null;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** Id of the turn that keys and buttons act on. */
  readonly selected: number | null;
  readonly mode: TurnsMode;
  /** The segment that is played over and over; null while nothing is. */
  readonly loop: Segment | null;
  readonly transcript: Transcript | null;
  /** Marks of the score: segments where the result differs from a reference. */
  readonly marks: readonly Mark[];
}

/** What the panels share. */
export interface Editor {
  /** Ends when the page leaves this result. */
  readonly scope: Scope;
  readonly outcome: Outcome;
  readonly theme: ThemeControl;
  readonly player: Player;
  readonly get: () => EditorState;
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
  readonly setLoop: (loop: Segment | null) => void;
  readonly setTranscript: (transcript: Transcript | null) => void;
  readonly setMarks: (marks: readonly Mark[]) => void;
  /** Plays a segment and stops at its end. */
  readonly play: (segment: Segment) => void;
  /** A sentence for the notice line, read by screen readers too. */
  readonly say: (message: string) => void;
  /** Calls back after every change, with the state before. Ends with `owner`. */
  readonly onChange: (owner: Scope, listener: (next: EditorState, previous: EditorState) => void) => void;
}

/** What a panel of the editor gives: a section of the page that keeps itself up to date through {@link Editor.onChange}. */
export interface Panel {
  readonly element: HTMLElement;
}

export interface EditorOptions {
  readonly outcome: Outcome;
  /** Outlive the view of the result. Other tabs can change them. */
  readonly corrections: Pick<SharedWork, 'corrections' | 'apply' | 'onReplaced'>;
  readonly theme: ThemeControl;
  readonly player: Player;
  readonly say: (message: string) => void;
}

type Listener = (next: EditorState, previous: EditorState) => void;

/** The state of one result's page, and all that changes it. */
export function createEditor(scope: Scope, { outcome, corrections: shared, theme, player, say }: EditorOptions): Editor {
  const listeners = new Set<Listener>();
  const corrected = (): Pick<EditorState, 'annotation' | 'canUndo' | 'canRedo' | 'transcript'> => {
    const { history, transcript } = shared.corrections;
    return { annotation: history.annotation, canUndo: history.canUndo, canRedo: history.canRedo, transcript };
  };
  let state: EditorState = {
    ...corrected(),
    proposal: null,
    selected: null,
    mode: 'overlapping',
    loop: null,
    marks: [],
  };
  const set = (change: Partial<EditorState>): void => {
    const previous = state;
    const next = { ...state, ...change };
    // A turn that is gone cannot be selected.
    if (next.selected !== null && turnById(next.annotation.turns, next.selected) === null) next.selected = null;
    state = next;
    for (const listener of [...listeners]) listener(state, previous);
  };
  /** After a correction, here or in another tab, or an undo. A proposal was based on the annotation before. */
  const afterHistory = (): void => {
    const now = corrected();
    // With a large number of turns, a worker computes the exclusive ones on request.
    const mode = hasExclusive(now.annotation) ? state.mode : 'overlapping';
    set({ ...now, mode, proposal: null });
  };
  shared.onReplaced(scope, afterHistory);

  return {
    scope,
    outcome,
    theme,
    player,
    get: () => state,
    edit(edit) {
      try {
        if (!shared.apply({ type: 'edit', edit })) return true;
      } catch (thrown) {
        if (!(thrown instanceof VoxlaneError)) throw thrown;
        say(editorText.turn.cannot(messageOf(thrown)));
        return false;
      }
      afterHistory();
      return true;
    },
    undo() {
      if (!shared.apply({ type: 'undo' })) return;
      afterHistory();
      say(editorText.turn.undone);
    },
    redo() {
      if (!shared.apply({ type: 'redo' })) return;
      afterHistory();
      say(editorText.turn.redone);
    },
    select(turn) {
      if (turn !== state.selected) set({ selected: turn });
    },
    propose(annotation) {
      if (annotation !== state.proposal) set({ proposal: annotation });
    },
    setMode(mode) {
      const { annotation } = state;
      if (mode === 'overlapping' || hasExclusive(annotation)) {
        if (mode !== state.mode) set({ mode });
        return;
      }
      prepareExclusive(annotation).then(
        () => {
          if (!scope.disposed && state.annotation === annotation) set({ mode });
        },
        (thrown: unknown) => {
          // The switch already shows the other mode: render it again.
          set({});
          say(editorText.turn.cannot(messageOf(thrown)));
        },
      );
    },
    setLoop(loop) {
      if (loop && (player.position < loop.startSeconds || player.position >= loop.endSeconds)) player.seek(loop.startSeconds);
      player.loop(loop);
      set({ loop });
      if (loop && !player.playing) player.toggle();
    },
    setTranscript(transcript) {
      shared.apply({ type: 'transcript', transcript });
      set({ transcript });
    },
    setMarks(marks) {
      set({ marks });
    },
    play(segment) {
      player.playSegment(segment);
    },
    say,
    onChange(owner, listener) {
      const own: Listener = (next, previous) => {
        listener(next, previous);
      };
      listeners.add(own);
      owner.add(() => {
        listeners.delete(own);
      });
    },
  };
}
