import { turnById } from '../../editing/turnById';
import { h } from '../dom';
import { createLanes, type Lanes } from '../lanes/lanes';
import { lanesOfAnnotation } from '../lanes/model';
import { text } from '../text';
import { createTransport } from '../transport';
import { addTurn, assignTurn, moveTurn, toggleLoop } from './corrections';
import { shownTurns } from './shownTurns';
import type { Studio } from './studio';
import { studioText } from './text';

export interface Timeline {
  readonly element: HTMLElement;
  readonly lanes: Lanes;
}

/** Transport, waveform and lanes, kept together by the one player. */
export function createTimeline(studio: Studio, onPosition: () => void): Timeline {
  const { scope, player, theme } = studio;
  const { durationSeconds } = studio.get().annotation;
  const lanes: Lanes = createLanes(scope, {
    durationSeconds,
    theme,
    waveform: studio.outcome.blob !== null,
    onSeek: (seconds) => {
      player.seek(seconds);
    },
    onTurn: (turn) => {
      player.playFrom(turn.startSeconds);
    },
    onZoomed: (zoomed) => {
      transport.setZoomed(zoomed);
    },
    onSelectTurn: studio.select,
    onLoopTurn: ({ startSeconds, endSeconds }) => {
      studio.setLoop({ startSeconds, endSeconds });
    },
    onMoveTurn: (turn, startSeconds, endSeconds) => {
      moveTurn(studio, turn, startSeconds, endSeconds);
    },
    onAssignTurn: (turn, speaker) => {
      assignTurn(studio, turn, speaker);
    },
    onAddTurn: (speaker, startSeconds, endSeconds) => {
      addTurn(studio, speaker, startSeconds, endSeconds);
    },
  });
  const transport = createTransport(scope, player, () => lanes, durationSeconds, studio.setMode, () => {
    toggleLoop(studio);
  });
  transport.setZoomed(false);

  const refresh = (): void => {
    lanes.setPosition(player.position, player.playing);
    transport.refresh();
    onPosition();
  };
  player.onChange = refresh;

  const showTurns = (): void => {
    const { annotation, proposal, mode } = studio.get();
    const shown = proposal ?? annotation;
    lanes.setLanes(lanesOfAnnotation(shown, shownTurns(shown, mode)), { provisional: proposal !== null });
    transport.update(mode);
    refresh();
  };
  const showRest = (): void => {
    const { annotation, selected, loop, marks } = studio.get();
    lanes.setSelected(selected, turnById(annotation.turns, selected));
    lanes.setLoop(loop);
    lanes.setMarks(marks);
    transport.setLoop(loop !== null, selected !== null);
  };
  studio.onChange(scope, (next, previous) => {
    if (next.annotation !== previous.annotation || next.proposal !== previous.proposal || next.mode !== previous.mode) showTurns();
    showRest();
    if (next.selected === previous.selected) return;
    const turn = turnById(next.annotation.turns, next.selected);
    if (turn) lanes.reveal(turn);
  });
  showTurns();
  showRest();

  const element = h(
    'section',
    { class: studio.outcome.blob ? 'panel instrument' : 'panel instrument instrument--mute', 'aria-label': text.done.lanes },
    transport.element,
    lanes.element,
    studio.outcome.blob === null && h('p', { class: 'fine', 'data-testid': 'no-sound' }, studioText.noSound),
  );
  return { element, lanes };
}
