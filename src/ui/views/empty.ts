import { h, icon, setText } from '../dom';
import { fileButton } from '../fileButton';
import { modelBox } from '../models/views/modelBox';
import { storedModels } from '../models/views/storedModels';
import type { RunOptions } from '../state';
import { text } from '../text';
import type { View, ViewContext } from '../view';
import { createRecentPanel } from '../work/recentPanel';
import { optionsPanel } from './options';

/** A still life of a result: it says at a glance what the page gives. Start, length in percent, by lane. */
const GHOST: readonly (readonly (readonly [number, number])[])[] = [
  [[0, 17], [31, 12], [58, 23], [94, 6]],
  [[15, 14], [44, 16], [83, 9]],
  [[27, 3], [60, 2], [78, 8]],
];

function ghost(): HTMLElement {
  const lanes = GHOST.map((bars, lane) =>
    h(
      'div',
      { class: `ghost__lane ghost__lane--${lane}` },
      ...bars.map(([start, length]) =>
        h('span', { class: 'ghost__bar', style: `left:${start}%;width:${length}%` }),
      ),
    ),
  );
  return h('div', { class: 'ghost', 'aria-hidden': 'true' }, h('div', { class: 'ghost__ruler' }), ...lanes);
}

export function emptyView({ scope, state, actions }: ViewContext): View {
  const heading = h('h2', { class: 'drop-zone__heading' }, text.empty.heading);
  const sample = h(
    'button',
    { type: 'button', class: 'button', 'data-testid': 'try-sample' },
    text.empty.sample,
  );
  scope.on(sample, 'click', actions.trySample);

  const zone = h(
    'section',
    { class: 'drop-zone', 'data-testid': 'drop-zone' },
    ghost(),
    h(
      'div',
      { class: 'drop-zone__body' },
      heading,
      h('p', { class: 'drop-zone__lead' }, text.empty.lead),
      h('div', { class: 'button-row' }, fileButton(scope, text.empty.choose, actions.open), sample),
      h('p', { class: 'fine' }, text.empty.formats),
    ),
    h(
      'dl',
      { class: 'drop-zone__facts' },
      ...text.empty.facts.map(([name, value]) => h('div', {}, h('dt', { class: 'legend' }, name), h('dd', {}, value))),
    ),
  );

  const now = h('span', { class: 'options__now' });
  const panel = optionsPanel(scope, state.options, actions.setOptions, actions.open, actions.checkGpuAgain);
  const stored = storedModels(scope, actions);
  const details = h(
    'details',
    { class: 'options', open: state.optionsOpen },
    h('summary', { class: 'options__summary' }, h('span', {}, text.options.summary), now),
    panel.element,
    stored.element,
  );
  scope.on(details, 'toggle', () => {
    actions.toggleOptions(details.open);
  });

  const box = modelBox(scope, actions);
  const recent = createRecentPanel(scope, actions);
  // Earlier work first: returning visitors more often continue it than start anew.
  const element = h('div', { class: 'view view--empty' }, recent.element, zone, box.element, details);
  const last = state.lastOutcome;
  if (last) {
    const back = h('button', { type: 'button', class: 'link-button' }, icon('back'), text.empty.back(last.name));
    scope.on(back, 'click', actions.back);
    element.prepend(back);
  }

  return {
    element,
    heading,
    update({ options, optionsOpen, models, kept }) {
      recent.update(kept);
      details.open = optionsOpen;
      panel.update(options, models);
      box.update(models);
      stored.update(models);
      setText(now, summaryOf(options));
    },
  };
}

/** The choice in words, so that it can be read with the panel closed. */
function summaryOf(options: RunOptions): string {
  const { speedNow, speakersNow, backendNow } = text.options;
  const speakers =
    options.speakerMode === 'exact'
      ? speakersNow.exact(options.exact)
      : options.speakerMode === 'range'
        ? speakersNow.range(options.min, options.max)
        : speakersNow.auto;
  return text.options.now(
    text.models.presetNow[options.preset],
    speedNow[options.speed],
    speakers,
    backendNow[options.backend],
  );
}
