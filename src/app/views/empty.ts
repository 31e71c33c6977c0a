import { h, icon, setText } from '../../ui-kit/dom';
import { fileButton } from '../../ui-kit/files';
import type { Scope } from '../../ui-kit/scope';
import { text } from '../../ui-kit/texts/text';
import { modelBox } from '../models/modelBox';
import { storedModels } from '../models/storedModels';
import { appliedOptions, type KeptEntry, type RunOptions } from '../state';
import type { Actions, View, ViewContext } from '../view';
import { workText as words } from '../workspace/text';
import { optionsPanel } from './options';

/** More rows would push the drop zone out of view. A button shows the rest. */
const NUM_SHOWN = 3;

interface RecentPanel {
  readonly element: HTMLElement;
  readonly update: (kept: readonly KeptEntry[]) => void;
}

/** The saved results, to open or delete. */
function createRecentPanel(scope: Scope, actions: Pick<Actions, 'openKept' | 'deleteKept'>): RecentPanel {
  const list = h('ul', { class: 'recent__list' });
  // Receives the focus when the focused row is removed.
  const heading = h('h2', { class: 'legend', tabindex: -1 }, words.heading);
  const more = h('button', { type: 'button', class: 'link-button recent__more', 'data-testid': 'all-kept' });
  const element = h(
    'section',
    { class: 'panel recent', hidden: true, 'data-testid': 'recent' },
    heading,
    h('p', { class: 'fine' }, words.hint),
    list,
    more,
  );
  let isWhole = false;
  const showAsMany = (): void => {
    const all = [...list.children] as HTMLElement[];
    all.forEach((row, index) => {
      row.hidden = !isWhole && index >= NUM_SHOWN;
    });
    more.hidden = isWhole || all.length <= NUM_SHOWN;
    more.textContent = words.all(all.length);
  };
  scope.on(more, 'click', () => {
    isWhole = true;
    showAsMany();
    // The button had the focus and is now hidden.
    list.children[NUM_SHOWN]?.querySelector('button')?.focus();
  });
  let shown: readonly KeptEntry[] | null = null;
  let rows = scope.child();
  return {
    element,
    update(kept) {
      if (kept === shown) return;
      shown = kept;
      rows.dispose();
      rows = scope.child();
      element.hidden = kept.length === 0;
      list.replaceChildren(
        ...kept.map(({ id, name, durationSeconds, numSpeakers, savedAt, bytes, hasSound }) => {
          const open = h('button', { type: 'button', class: 'link-button', 'data-testid': 'open-kept', 'aria-label': words.open(name) }, name);
          const remove = h(
            'button',
            { type: 'button', class: 'icon-button', 'aria-label': words.delete(name), title: words.delete(name), 'data-testid': 'delete-kept' },
            icon('close'),
          );
          rows.on(open, 'click', () => {
            actions.openKept(id);
          });
          const yes = h('button', { type: 'button', class: 'button button--small', 'data-testid': 'delete-kept-yes' }, words.deleteShort);
          const no = h('button', { type: 'button', class: 'button button--small' }, words.keep);
          const question = h('div', { class: 'button-row', role: 'group', 'aria-label': words.sure(name), hidden: true }, h('span', { class: 'fine' }, words.sure(name)), yes, no);
          const ask = (isAsked: boolean): void => {
            question.hidden = !isAsked;
            remove.hidden = isAsked;
            (isAsked ? no : remove).focus();
          };
          rows.on(remove, 'click', () => {
            ask(true);
          });
          rows.on(no, 'click', () => {
            ask(false);
          });
          rows.on(yes, 'click', () => {
            heading.focus();
            actions.deleteKept(id);
          });
          return h(
            'li',
            { class: 'recent__row' },
            open,
            h('span', { class: 'fine' }, words.facts(durationSeconds, numSpeakers, savedAt, bytes), hasSound ? '' : ` · ${words.noSound}`),
            remove,
            question,
          );
        }),
      );
      showAsMany();
    },
  };
}

/** A decorative preview of a result. Start and length in percent, by track. */
const GHOST: readonly (readonly (readonly [number, number])[])[] = [
  [[0, 17], [31, 12], [58, 23], [94, 6]],
  [[15, 14], [44, 16], [83, 9]],
  [[27, 3], [60, 2], [78, 8]],
];

function ghost(): HTMLElement {
  const tracks = GHOST.map((bars, track) =>
    h(
      'div',
      { class: `ghost__track ghost__track--${track}` },
      ...bars.map(([start, length]) =>
        h('span', { class: 'ghost__bar', style: `left:${start}%;width:${length}%` }),
      ),
    ),
  );
  return h('div', { class: 'ghost', 'aria-hidden': 'true' }, h('div', { class: 'ghost__ruler' }), ...tracks);
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
  const box = modelBox(scope, actions);
  const panel = optionsPanel(scope, state.options, actions.setOptions, actions.open, actions.checkGpuAgain, () => {
    box.element.scrollIntoView({ block: 'nearest' });
    box.element.focus({ preventScroll: true });
  });
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
  // The event comes later than the user's action. An update in between must not undo the action.
  let shownOpen = state.optionsOpen;

  const recent = createRecentPanel(scope, actions);
  // Saved results first: returning users continue one more often than they start a new one.
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
      if (optionsOpen !== shownOpen) details.open = optionsOpen;
      shownOpen = optionsOpen;
      panel.update(options, models);
      box.update(models, options.preset);
      stored.update(models);
      setText(now, summaryOf(options));
    },
  };
}

/** The options in words, readable while the panel is closed. */
function summaryOf(chosen: RunOptions): string {
  const options = appliedOptions(chosen);
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
