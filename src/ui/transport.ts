import type { Scope } from '../util/scope';
import { h, icon, setText } from './dom';
import { clock } from './format';
import { swatch } from './lanes/label';
import type { Lanes } from './lanes/lanes';
import type { Lane } from './lanes/model';
import type { Player } from './player';
import type { TurnsMode } from './state';
import { text } from './text';

export interface Transport {
  readonly element: HTMLElement;
  readonly update: (mode: TurnsMode) => void;
  readonly refresh: () => void;
  readonly setZoomed: (zoomed: boolean) => void;
}

/** Play button, clock, who speaks, which turns, zoom. */
export function createTransport(
  scope: Scope,
  player: Player,
  lanes: () => Lanes,
  durationSeconds: number,
  onMode: (mode: TurnsMode) => void,
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
      lanes().zoom(factor);
    });
    return button;
  };
  const out = zoomButton(text.done.zoomOut, 1 / 2, icon('minus'));
  const fit = zoomButton(text.done.zoomFitLabel, 0, text.done.zoomFit);
  const zoom = h('div', { class: 'cluster' }, out, fit, zoomButton(text.done.zoomIn, 2, icon('plus')));
  const unplayable = h('p', { class: 'fine transport__unplayable', hidden: true, role: 'status' });

  const element = h(
    'div',
    { class: 'transport' },
    play,
    h('p', { class: 'clock' }, time, h('span', { class: 'clock__total' }, `/ ${clock(durationSeconds, 2)}`)),
    speaking,
    h(
      'fieldset',
      { class: 'segmented', title: text.done.modeHint },
      h('legend', { class: 'visually-hidden' }, text.done.modeLabel),
      ...modes.map((mode) => mode.element),
    ),
    zoom,
    unplayable,
  );

  let wasPlaying: boolean | null = null;
  let spoken: readonly Lane[] | null = null;
  return {
    element,
    update(mode) {
      for (const entry of modes) entry.radio.checked = entry.mode === mode;
    },
    setZoomed(zoomed) {
      out.disabled = !zoomed;
      fit.disabled = !zoomed;
    },
    refresh() {
      setText(time, clock(player.position, 2));
      const now = lanes().speakingAt(player.position);
      // Sixty times a second, but a speaker changes every few seconds.
      if (now.length !== spoken?.length || now.some((lane, index) => lane !== spoken?.[index])) {
        spoken = now;
        const all = lanes().order();
        speaking.replaceChildren(
          ...now.map((lane) => h('span', { class: 'chip' }, swatch(all.indexOf(lane)), lane.name)),
        );
      }
      play.disabled = !player.playable;
      unplayable.hidden = player.playable;
      setText(unplayable, player.playable ? '' : text.done.unplayable);
      if (wasPlaying === player.playing) return;
      wasPlaying = player.playing;
      play.replaceChildren(icon(wasPlaying ? 'pause' : 'play'));
      play.setAttribute('aria-label', wasPlaying ? text.done.pause : text.done.play);
    },
  };
}
