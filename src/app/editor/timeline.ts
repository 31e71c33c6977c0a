import { turnById } from '../../editing/turnLookup';
import { h, icon, setText } from '../../ui-kit/dom';
import { clock } from '../../ui-kit/format';
import type { Player } from '../../ui-kit/player';
import type { Scope } from '../../ui-kit/scope';
import { inLanguage, language } from '../../ui-kit/texts/language';
import { text } from '../../ui-kit/texts/text';
import { type Track, tracksOfAnnotation, type TurnsMode } from '../../ui-kit/tracks/model';
import { swatch } from '../../ui-kit/tracks/palette';
import { createTracks, type Tracks } from '../../ui-kit/tracks/tracks';
import { addTurn, assignTurn, moveTurn, toggleLoop } from './corrections';
import type { Editor } from './editor';
import { shownTurns } from './shownTurns';
import { editorText } from './text';

const decimal = (value: number): string => value.toLocaleString(language === 'de' ? 'de-DE' : 'en-GB');

const tracksText = inLanguage(
  {
    speed: 'Playback speed',
    speedOf: (rate: number) => `${decimal(rate)}×`,
    loop: 'Loop',
    loopHint: 'Play the selected turn over and over',
    marks: { missed: 'Missed', 'false-alarm': 'False alarm', confusion: 'Wrong speaker' },
  },
  {
    de: {
      speed: 'Wiedergabetempo',
      speedOf: (rate: number) => `${decimal(rate)}×`,
      loop: 'Schleife',
      loopHint: 'Den ausgewählten Beitrag wiederholt abspielen',
      marks: { missed: 'Übersehen', 'false-alarm': 'Fehlalarm', confusion: 'Verwechselt' },
    },
  },
);

interface Transport {
  readonly element: HTMLElement;
  readonly update: (mode: TurnsMode) => void;
  readonly refresh: () => void;
  readonly setZoomed: (zoomed: boolean) => void;
  /**
   * Updates the loop button.
   *
   * @param canLoop whether there is a turn to loop; the button is always enabled while looping
   */
  readonly setLoop: (isLooping: boolean, canLoop: boolean) => void;
}

/** Maximum number of simultaneous speaker names shown. */
const MAX_CHIPS = 12;
const RATES = [0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3] as const;

/**
 * The transport bar: play button, clock, current speakers, speed, turn mode, zoom.
 *
 * @param onLoop called when the loop button is clicked; without it, there is no loop button
 */
function createTransport(
  scope: Scope,
  player: Player,
  tracks: () => Tracks,
  durationSeconds: number,
  onMode: (mode: TurnsMode) => void,
  onLoop?: () => void,
): Transport {
  const play = h('button', { type: 'button', class: 'play', 'aria-label': text.done.play }, icon('play'));
  scope.on(play, 'click', () => {
    player.toggle();
  });
  const time = h('span', { class: 'clock__now' });
  const speaking = h('p', { class: 'speaking' });
  const modes = (['overlapping', 'exclusive'] as const).map((mode) => {
    const radio = h('input', { type: 'radio', name: 'turns-mode', value: mode, class: 'visually-hidden' });
    scope.on(radio, 'change', () => {
      onMode(mode);
    });
    return { mode, radio, element: h('label', {}, radio, h('span', {}, text.done.mode[mode])) };
  });
  const zoomButton = (label: string, factor: number, ...content: (Node | string)[]): HTMLButtonElement => {
    const button = h('button', { type: 'button', 'aria-label': label, title: label }, ...content);
    scope.on(button, 'click', () => {
      tracks().zoom(factor);
    });
    return button;
  };
  const out = zoomButton(text.done.zoomOut, 1 / 2, icon('minus'));
  const fit = zoomButton(text.done.zoomFitLabel, 0, text.done.zoomFit);
  const zoom = h('div', { class: 'cluster' }, out, fit, zoomButton(text.done.zoomIn, 2, icon('plus')));
  const speed = h(
    'select',
    { class: 'transport__speed', 'aria-label': tracksText.speed, title: tracksText.speed },
    ...RATES.map((rate) => h('option', { value: rate, selected: rate === 1 }, tracksText.speedOf(rate))),
  );
  scope.on(speed, 'change', () => {
    player.setRate(Number(speed.value));
  });
  const loop = h(
    'button',
    { type: 'button', class: 'transport__loop', 'aria-pressed': 'false', disabled: true, title: tracksText.loopHint },
    tracksText.loop,
  );
  scope.on(loop, 'click', () => onLoop?.());
  const problem = h('p', { class: 'fine transport__problem', hidden: true, role: 'status' });

  const element = h(
    'div',
    { class: 'transport' },
    play,
    h('p', { class: 'clock' }, time, h('span', { class: 'clock__total' }, `/ ${clock(durationSeconds, 2)}`)),
    speaking,
    h('div', { class: 'cluster' }, speed, onLoop ? loop : null),
    h(
      'fieldset',
      { class: 'segmented', title: text.done.modeHint },
      h('legend', { class: 'visually-hidden' }, text.done.modeLabel),
      ...modes.map((mode) => mode.element),
    ),
    zoom,
    problem,
  );

  let wasPlaying: boolean | null = null;
  let spoken: readonly Track[] | null = null;
  return {
    element,
    update(mode) {
      for (const entry of modes) entry.radio.checked = entry.mode === mode;
    },
    setZoomed(zoomed) {
      out.disabled = !zoomed;
      fit.disabled = !zoomed;
    },
    setLoop(isLooping, canLoop) {
      loop.setAttribute('aria-pressed', String(isLooping));
      loop.disabled = !isLooping && !canLoop;
    },
    refresh() {
      setText(time, clock(player.position, 2));
      const now = tracks().speakingAt(player.position);
      // This runs sixty times a second, but the speakers change only every few seconds.
      if (now.length !== spoken?.length || now.some((track, index) => track !== spoken?.[index])) {
        spoken = now;
        speaking.replaceChildren(
          ...now.slice(0, MAX_CHIPS).map((track) => h('span', { class: 'chip' }, swatch(track.color), track.name)),
          ...(now.length > MAX_CHIPS ? [h('span', { class: 'chip' }, `+ ${now.length - MAX_CHIPS}`)] : []),
        );
      }
      play.disabled = !player.playable;
      speed.disabled = !player.playable;
      if (Number(speed.value) !== player.rate) speed.value = String(player.rate);
      problem.hidden = player.problem === null;
      setText(problem, player.problem ? text.done.playback[player.problem] : '');
      if (wasPlaying === player.playing) return;
      wasPlaying = player.playing;
      play.replaceChildren(icon(wasPlaying ? 'pause' : 'play'));
      play.setAttribute('aria-label', wasPlaying ? text.done.pause : text.done.play);
    },
  };
}

interface Timeline {
  readonly element: HTMLElement;
  readonly tracks: Tracks;
}

/** The timeline: transport, waveform and tracks, synchronized by one player. */
export function createTimeline(editor: Editor, onPosition: () => void): Timeline {
  const { scope, player, theme } = editor;
  const { durationSeconds } = editor.get().annotation;
  const tracks: Tracks = createTracks(scope, {
    durationSeconds,
    theme,
    waveform: editor.outcome.blob !== null,
    onSeek: (seconds) => {
      player.seek(seconds);
    },
    onTurn: (turn) => {
      player.playFrom(turn.startSeconds);
    },
    onZoomed: (zoomed) => {
      transport.setZoomed(zoomed);
    },
    onSelectTurn: editor.select,
    onLoopTurn: ({ startSeconds, endSeconds }) => {
      editor.setLoop({ startSeconds, endSeconds });
    },
    onMoveTurn: (turn, startSeconds, endSeconds) => {
      moveTurn(editor, turn, startSeconds, endSeconds);
    },
    onAssignTurn: (turn, speaker) => {
      assignTurn(editor, turn, speaker);
    },
    onAddTurn: (speaker, startSeconds, endSeconds) => {
      addTurn(editor, speaker, startSeconds, endSeconds);
    },
  });
  const transport = createTransport(scope, player, () => tracks, durationSeconds, editor.setMode, () => {
    toggleLoop(editor);
  });
  transport.setZoomed(false);

  const refresh = (): void => {
    tracks.setPosition(player.position, player.playing);
    transport.refresh();
    onPosition();
  };
  player.onChange = refresh;

  const showTurns = (): void => {
    const { annotation, proposal, mode } = editor.get();
    const shown = proposal ?? annotation;
    tracks.setTracks(tracksOfAnnotation(shown, shownTurns(shown, mode)), { provisional: proposal !== null });
    transport.update(mode);
    refresh();
  };
  const showRest = (): void => {
    const { annotation, selected, loop, marks } = editor.get();
    tracks.setSelected(selected, turnById(annotation.turns, selected));
    tracks.setLoop(loop);
    tracks.setMarks(marks);
    transport.setLoop(loop !== null, selected !== null);
  };
  editor.onChange(scope, (next, previous) => {
    if (next.annotation !== previous.annotation || next.proposal !== previous.proposal || next.mode !== previous.mode) showTurns();
    showRest();
    if (next.selected === previous.selected) return;
    const turn = turnById(next.annotation.turns, next.selected);
    if (turn) tracks.reveal(turn);
  });
  showTurns();
  showRest();

  const element = h(
    'section',
    { class: editor.outcome.blob ? 'panel instrument' : 'panel instrument instrument--mute', 'aria-label': text.done.tracks },
    transport.element,
    tracks.element,
    editor.outcome.blob === null && h('p', { class: 'fine', 'data-testid': 'no-sound' }, editorText.noSound),
  );
  return { element, tracks };
}
