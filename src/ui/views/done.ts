import { toJson } from '../../formats/json';
import { toRttm } from '../../formats/rttm';
import type { Turn } from '../../pipeline/types';
import type { Scope } from '../../util/scope';
import { h, icon, setText } from '../dom';
import { download } from '../download';
import { rttmUri, stem } from '../format';
import { createLanes, type Lanes } from '../lanes/lanes';
import { lanesOf, turnsOf } from '../lanes/model';
import { Player } from '../player';
import { runDetails } from '../runDetails';
import type { Outcome, TurnsMode } from '../state';
import { text } from '../text';
import { createTransport } from '../transport';
import { createTurnTable } from '../turnTable';
import type { View, ViewContext } from '../view';

const SKIP_SECONDS = 5;

export function doneView(context: ViewContext): View {
  const { scope, state, actions } = context;
  if (state.phase.kind !== 'done') throw new Error('The done view needs the done phase');
  const { outcome } = state.phase;
  const { result } = outcome;
  let mode: TurnsMode | null = null;

  const heading = h('h2', { class: 'title' }, outcome.name);
  const summary = h('p', { class: 'status' });
  const button = (
    attributes: Readonly<Record<string, string>>,
    onClick: () => void,
    ...content: (Node | string)[]
  ): HTMLElement => {
    const element = h('button', { type: 'button', class: 'button', ...attributes }, ...content);
    scope.on(element, 'click', onClick);
    return element;
  };
  const head = h(
    'div',
    { class: 'view-head' },
    h('div', { class: 'view-head__text' }, h('p', { class: 'legend' }, text.done.label), heading, summary),
    h(
      'div',
      { class: 'button-row' },
      button(
        { 'data-testid': 'download-rttm', 'aria-label': text.done.rttmLabel, title: text.done.rttmLabel },
        () => {
          saveRttm(outcome, mode ?? 'overlapping');
        },
        icon('download'),
        text.done.rttm,
      ),
      button(
        { 'data-testid': 'download-json', 'aria-label': text.done.jsonLabel, title: text.done.jsonLabel },
        () => {
          download(`${stem(outcome.name)}.json`, 'application/json', toJson(outcome.name, result));
        },
        icon('download'),
        text.done.json,
      ),
      button(
        { 'data-testid': 'new-recording', class: 'button button--primary' },
        actions.reset,
        text.done.again,
      ),
    ),
  );
  const element = h('div', { class: 'view view--done' }, head);
  const details = runDetails(outcome);

  const sound = result.turns.length > 0 ? timeline(context, outcome) : null;
  if (sound) {
    element.append(sound.panel, h('div', { class: 'columns' }, sound.list, details));
  } else {
    element.append(
      h(
        'section',
        { class: 'panel silent' },
        h('div', { class: 'silent__line', 'aria-hidden': 'true' }),
        h('h3', {}, text.silent.heading),
        h('p', {}, text.silent.body(result.durationSeconds)),
        h('p', { class: 'fine' }, text.silent.hint),
      ),
      details,
    );
  }

  return {
    element,
    heading,
    update({ phase }) {
      if (phase.kind !== 'done' || phase.mode === mode) return;
      mode = phase.mode;
      const turns = turnsOf(result, mode);
      setText(summary, text.done.summary(result.speakers.length, turns.length, result.durationSeconds));
      sound?.setMode(mode);
    },
  };
}

function saveRttm(outcome: Outcome, mode: TurnsMode): void {
  const suffix = mode === 'exclusive' ? '.exclusive' : '';
  const rttm = toRttm(turnsOf(outcome.result, mode), rttmUri(outcome.name));
  download(`${stem(outcome.name)}${suffix}.rttm`, 'text/plain', rttm);
}

/** The parts that follow the sound: transport, lanes and table, kept together by one player. */
function timeline(
  { scope, actions, theme }: ViewContext,
  { blob, result }: Outcome,
): { panel: HTMLElement; list: HTMLElement; setMode: (mode: TurnsMode) => void } {
  const player = new Player(scope, blob, result.durationSeconds);
  const playTurn = (turn: Turn): void => {
    player.playFrom(turn.startSeconds);
  };
  const lanes: Lanes = createLanes(scope, {
    durationSeconds: result.durationSeconds,
    theme,
    onSeek: (seconds) => {
      player.seek(seconds);
    },
    onTurn: playTurn,
    onZoomed: (zoomed) => {
      transport.setZoomed(zoomed);
    },
  });
  const transport = createTransport(scope, player, () => lanes, result.durationSeconds, actions.setMode);
  transport.setZoomed(false);
  const table = createTurnTable(scope, playTurn);

  const refresh = (): void => {
    lanes.setPosition(player.position, player.playing);
    table.setPosition(player.position, player.playing);
    transport.refresh();
  };
  player.onChange = refresh;
  steerByKeys(scope, player, lanes.slider, result.durationSeconds);

  const keys = h(
    'ul',
    { class: 'keys', 'aria-label': text.done.keysLabel },
    ...text.done.keys.map(([key, meaning]) => h('li', {}, h('kbd', {}, key), ` ${meaning}`)),
  );
  return {
    panel: h('section', { class: 'panel instrument', 'aria-label': text.done.lanes }, transport.element, lanes.element, keys),
    list: h('section', { class: 'panel list' }, h('h3', { class: 'legend' }, text.done.table), table.element),
    setMode(mode) {
      const next = lanesOf(result, mode);
      lanes.setLanes(next);
      table.setTurns(turnsOf(result, mode), next);
      transport.update(mode);
      refresh();
    },
  };
}

/** Keys for the whole page, except where the focused control needs them for itself. */
function steerByKeys(scope: Scope, player: Player, slider: HTMLElement, durationSeconds: number): void {
  scope.on(document, 'keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest('input, select, textarea')) return;
    const onSlider = target === slider;
    if (event.key === ' ') {
      // Space presses a focused button; taking it away would leave the button dead.
      if (target?.closest('button, a, label, summary')) return;
      player.toggle();
    } else if (event.key === 'ArrowLeft' || (onSlider && event.key === 'ArrowDown')) {
      player.skip(-SKIP_SECONDS);
    } else if (event.key === 'ArrowRight' || (onSlider && event.key === 'ArrowUp')) {
      player.skip(SKIP_SECONDS);
    } else if (onSlider && event.key === 'Home') {
      player.seek(0);
    } else if (onSlider && event.key === 'End') {
      player.seek(durationSeconds);
    } else {
      return;
    }
    event.preventDefault();
  });
}
