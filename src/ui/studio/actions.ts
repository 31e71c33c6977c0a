import type { Lanes } from '../lanes/lanes';
import { addAtPlayhead, assignSelected, confirmSelected, deleteSelected, selectedTurn, setEdge, splitSelected, stepTurn, toggleLoop } from './corrections';
import type { ShortcutId } from './shortcuts';
import type { Studio } from './studio';

/** Seconds that the arrows skip. */
const SKIP_SECONDS = 5;

/** What the keys reach besides the studio. */
export interface ShortcutTargets {
  readonly studio: Studio;
  readonly lanes: Lanes;
  readonly rename: (speaker: string) => void;
  readonly openExport: () => void;
  readonly openHelp: () => void;
}

/** Does what a key means; false where there is nothing to do, so that the browser has the key. */
export function actOn({ studio, lanes, rename, openExport, openHelp }: ShortcutTargets, id: ShortcutId, key: string): boolean {
  const { player } = studio;
  const state = studio.get();
  switch (id) {
    case 'toggle':
      player.toggle();
      return true;
    case 'back':
      player.skip(-SKIP_SECONDS);
      return true;
    case 'forward':
      player.skip(SKIP_SECONDS);
      return true;
    case 'shuttle-back':
      player.shuttle(-1);
      return true;
    case 'shuttle-stop':
      player.shuttle(0);
      return true;
    case 'shuttle-forward':
      player.shuttle(1);
      return true;
    case 'loop':
      toggleLoop(studio);
      return true;
    case 'next-turn':
      stepTurn(studio, 1);
      return true;
    case 'previous-turn':
      stepTurn(studio, -1);
      return true;
    case 'assign':
      assignSelected(studio, Number(key));
      return true;
    case 'rename': {
      const turn = selectedTurn(studio);
      if (turn) rename(turn.speaker);
      return true;
    }
    case 'split':
      splitSelected(studio);
      return true;
    case 'set-start':
      setEdge(studio, 'start');
      return true;
    case 'set-end':
      setEdge(studio, 'end');
      return true;
    case 'add':
      addAtPlayhead(studio);
      return true;
    case 'confirm':
      confirmSelected(studio);
      return true;
    case 'delete':
      deleteSelected(studio);
      return true;
    case 'undo':
      studio.undo();
      return true;
    case 'redo':
      studio.redo();
      return true;
    case 'zoom-in':
      lanes.zoom(2);
      return true;
    case 'zoom-out':
      lanes.zoom(1 / 2);
      return true;
    case 'zoom-fit':
      lanes.zoom(0);
      return true;
    case 'mode':
      studio.setMode(state.mode === 'exclusive' ? 'overlapping' : 'exclusive');
      return true;
    case 'export':
      openExport();
      return true;
    case 'help':
      openHelp();
      return true;
    case 'leave':
      if (!state.loop && state.selected === null && !state.proposal) return false;
      if (state.proposal) studio.propose(null);
      else if (state.loop) studio.setLoop(null);
      else studio.select(null);
      return true;
  }
}
