import { History } from '../../editing/history';
import { turnById } from '../../editing/turnById';
import type { Transcript } from '../../transcript/transcript';
import { messageOf, VoxlaneError } from '../../util/errors';
import type { Scope } from '../../util/scope';
import type { Player } from '../player';
import type { Outcome } from '../state';
import type { ThemeControl } from '../theme';
import type { Studio, StudioState } from './studio';
import { studioText } from './text';

/** What outlives the view of a result: it is there again when the person comes back to it. */
export interface StudioMemory {
  readonly history: History;
  transcript: Transcript | null;
}

export interface StudioOptions {
  readonly outcome: Outcome;
  readonly memory: StudioMemory;
  readonly theme: ThemeControl;
  readonly player: Player;
  readonly say: (message: string) => void;
  /** The corrections or the transcript changed and are to be kept. */
  readonly onWork: () => void;
}

type Listener = (next: StudioState, previous: StudioState) => void;

/** The state of one result's page, and all that changes it. */
export function createStudio(scope: Scope, { outcome, memory, theme, player, say, onWork }: StudioOptions): Studio {
  const { history } = memory;
  const listeners = new Set<Listener>();
  const corrected = (): Pick<StudioState, 'annotation' | 'canUndo' | 'canRedo'> => ({
    annotation: history.annotation,
    canUndo: history.canUndo,
    canRedo: history.canRedo,
  });
  let state: StudioState = {
    ...corrected(),
    proposal: null,
    selected: null,
    mode: 'overlapping',
    loop: null,
    transcript: memory.transcript,
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
  /** After a correction, or one that was taken back: what was proposed was proposed against another annotation. */
  const afterHistory = (): void => {
    set({ ...corrected(), proposal: null });
    onWork();
  };

  return {
    scope,
    outcome,
    theme,
    player,
    get: () => state,
    edit(edit) {
      try {
        if (!history.apply(edit)) return true;
      } catch (thrown) {
        if (!(thrown instanceof VoxlaneError)) throw thrown;
        say(studioText.turn.cannot(messageOf(thrown)));
        return false;
      }
      afterHistory();
      return true;
    },
    undo() {
      if (!history.undo()) return;
      afterHistory();
      say(studioText.turn.undone);
    },
    redo() {
      if (!history.redo()) return;
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
      if (mode !== state.mode) set({ mode });
    },
    setLoop(loop) {
      if (loop && (player.position < loop.startSeconds || player.position >= loop.endSeconds)) player.seek(loop.startSeconds);
      player.loop(loop);
      set({ loop });
      if (loop && !player.playing) player.toggle();
    },
    setTranscript(transcript) {
      memory.transcript = transcript;
      set({ transcript });
      onWork();
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
