import type { Annotation, Edit } from '../../editing/annotation';
import { turnById } from '../../editing/turnLookup';
import type { Transcript } from '../../transcript/transcript';
import type { ThemeControl } from '../../ui-kit/pageFrame';
import type { Player } from '../../ui-kit/player';
import type { Scope } from '../../ui-kit/scope';
import type { Mark, TurnsMode } from '../../ui-kit/tracks/model';
import type { Segment } from '../../util/segment';
import { messageOf, VoxlaneError } from '../../util/errors';
import type { SharedWork } from '../saved/sharedWork';
import type { Outcome } from '../state';
import { hasExclusive, prepareExclusive } from './shownTurns';
import { editorText } from './text';

/** The state of one result. All panels of the page share one instance per result. */
export interface EditorState {
  /** The corrected result. */
  readonly annotation: Annotation;
  /** A preview before it is accepted (another number of speakers). The tracks show it instead of the annotation. */
  readonly proposal: Annotation | null;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** Id of the turn that keys and buttons act on. */
  readonly selected: number | null;
  readonly mode: TurnsMode;
  /** The looped segment; null if none is looped. */
  readonly loop: Segment | null;
  readonly transcript: Transcript | null;
  /** Marks of the score: segments in which the result differs from a reference. */
  readonly marks: readonly Mark[];
}

/** Shared by all panels. */
export interface Editor {
  /** Ends when the app leaves this result. */
  readonly scope: Scope;
  readonly outcome: Outcome;
  readonly theme: ThemeControl;
  readonly player: Player;
  readonly get: () => EditorState;
  /**
   * Applies a correction. Returns false and shows the reason if the correction is impossible, such as a split outside
   * of its turn.
   */
  readonly edit: (edit: Edit) => boolean;
  readonly undo: () => void;
  readonly redo: () => void;
  /** Selects a turn and scrolls it into view. */
  readonly select: (turn: number | null) => void;
  /** Shows `annotation` until an edit accepts it; null discards it. */
  readonly propose: (annotation: Annotation | null) => void;
  readonly setMode: (mode: TurnsMode) => void;
  readonly setLoop: (loop: Segment | null) => void;
  readonly setTranscript: (transcript: Transcript | null) => void;
  readonly setMarks: (marks: readonly Mark[]) => void;
  /** Plays a segment and then stops. */
  readonly play: (segment: Segment) => void;
  /** Shows a message in the notice line, which screen readers announce. */
  readonly say: (message: string) => void;
  /** Calls the listener with the new and the previous state after every change. Ends with `owner`. */
  readonly onChange: (owner: Scope, listener: (next: EditorState, previous: EditorState) => void) => void;
}

/** A panel of the editor. It updates itself through {@link Editor.onChange}. */
export interface Panel {
  readonly element: HTMLElement;
}

interface EditorOptions {
  readonly outcome: Outcome;
  /** They outlive the result view. Other tabs can change them. */
  readonly corrections: Pick<SharedWork, 'corrections' | 'apply' | 'onReplaced'>;
  readonly theme: ThemeControl;
  readonly player: Player;
  readonly say: (message: string) => void;
}

type Listener = (next: EditorState, previous: EditorState) => void;

/** Creates the state of one result and the operations that change it. */
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
    // A deleted turn cannot stay selected.
    if (next.selected !== null && turnById(next.annotation.turns, next.selected) === null) next.selected = null;
    state = next;
    for (const listener of [...listeners]) listener(state, previous);
  };
  /** Runs after a correction, here or in another tab, and after an undo. A proposal was based on the previous annotation. */
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
