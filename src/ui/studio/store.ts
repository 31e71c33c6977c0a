import { turnById } from '../../editing/turnById';
import { messageOf, VoxlaneError } from '../../util/errors';
import type { Scope } from '../../util/scope';
import type { SharedWork } from '../keep/sharedWork';
import type { Player } from '../player';
import type { Outcome } from '../state';
import type { ThemeControl } from '../theme';
import { hasExclusive, prepareExclusive } from './shownTurns';
import type { Studio, StudioState } from './studio';
import { studioText } from './text';

export interface StudioOptions {
  readonly outcome: Outcome;
  /** Outlive the view of the result. Other tabs can change them. */
  readonly corrections: Pick<SharedWork, 'corrections' | 'apply' | 'onReplaced'>;
  readonly theme: ThemeControl;
  readonly player: Player;
  readonly say: (message: string) => void;
}

type Listener = (next: StudioState, previous: StudioState) => void;

/** The state of one result's page, and all that changes it. */
export function createStudio(scope: Scope, { outcome, corrections: shared, theme, player, say }: StudioOptions): Studio {
  const listeners = new Set<Listener>();
  const corrected = (): Pick<StudioState, 'annotation' | 'canUndo' | 'canRedo' | 'transcript'> => {
    const { history, transcript } = shared.corrections;
    return { annotation: history.annotation, canUndo: history.canUndo, canRedo: history.canRedo, transcript };
  };
  let state: StudioState = {
    ...corrected(),
    proposal: null,
    selected: null,
    mode: 'overlapping',
    loop: null,
    marks: [],
  };
  const set = (change: Partial<StudioState>): void => {
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
        say(studioText.turn.cannot(messageOf(thrown)));
        return false;
      }
      afterHistory();
      return true;
    },
    undo() {
      if (!shared.apply({ type: 'undo' })) return;
      afterHistory();
      say(studioText.turn.undone);
    },
    redo() {
      if (!shared.apply({ type: 'redo' })) return;
      afterHistory();
      say(studioText.turn.redone);
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
          say(studioText.turn.cannot(messageOf(thrown)));
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
    play(stretch) {
      player.playStretch(stretch);
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
