import type { SpeakerCount } from '../../engine/speakerCount';
import type { MinDurations } from '../../timeline/minDurations';
import { button } from '../../ui-kit/controls';
import { h, setText } from '../../ui-kit/dom';
import { failureDetails } from '../../ui-kit/failure';
import { decimal } from '../../ui-kit/format';
import type { Scope } from '../../ui-kit/scope';
import type { Panel, Editor } from '../editor/editor';
import { namesOf } from '../editor/speakerNames';
import { talkingOf } from './changes';
import { type CountChoice, CountSession, type CountSource } from './session';
import { countText as words, countWithAlternatives, sentencesOf } from './text';

/** Step of the slider. */
const STEP_SECONDS = 0.05;

interface DurationSlider {
  readonly element: HTMLElement;
  /** The displayed value. */
  readonly seconds: number;
  show(seconds: number): void;
}

/**
 * A slider for a minimum duration.
 *
 * @param name last part of its test ids
 * @param onInput called when the user moves the slider
 */
function createDurationSlider(
  scope: Scope,
  { name, words, maxSeconds, onInput }: {
    readonly name: string;
    readonly words: { readonly label: string; readonly hint: string; readonly value: (seconds: string) => string };
    readonly maxSeconds: number;
    readonly onInput: () => void;
  },
): DurationSlider {
  const hintId = `count-${name}-hint`;
  const slider = h('input', {
    type: 'range',
    min: 0,
    max: maxSeconds,
    step: STEP_SECONDS,
    class: 'count__slider',
    'aria-describedby': hintId,
    'data-testid': `count-min-duration-${name}`,
  });
  const number = h('output', { class: 'count__duration', 'aria-hidden': 'true' });
  const element = h(
    'label',
    { class: 'count__duration-row' },
    h('span', { class: 'count__duration-label' }, words.label),
    slider,
    number,
    h('span', { class: 'fine', id: hintId }, words.hint),
  );
  // The exact value of a run may lie between two positions of the slider.
  let seconds = 0;
  const update = (): void => {
    const text = words.value(decimal(seconds, 2));
    slider.setAttribute('aria-valuetext', text);
    setText(number, text);
  };
  scope.on(slider, 'input', () => {
    seconds = Number(slider.value);
    update();
    onInput();
  });
  return {
    element,
    get seconds() {
      return seconds;
    },
    show(next) {
      seconds = next;
      // A run may have used a larger value.
      slider.max = String(Math.max(maxSeconds, Math.ceil(next)));
      slider.value = String(next);
      update();
    },
  };
}

/** The minimum end of the slider, and its margin above the current number of speakers. */
const MIN_MAXIMUM = 10;
const BEYOND = 4;
/** Ends of the sliders for the shortest turn and the shortest pause. */
const MAX_ON_SECONDS = 1;
const MAX_OFF_SECONDS = 2;

/**
 * The speaker count panel. Previews another number of speakers on the tracks before it is accepted. Reads the voice
 * data when the panel is created.
 */
export function createSpeakerCountPanel(editor: Editor, source: CountSource): Panel {
  if ('absence' in source) {
    const { heading, remedy } = words.absent;
    return {
      element: h(
        'section',
        { class: 'count', 'aria-label': words.heading, 'data-testid': 'count-absent' },
        h('h3', {}, heading),
        h('p', {}, words.absent[source.absence]),
        h('p', { class: 'fine' }, remedy),
      ),
    };
  }
  const { scope } = editor;
  /** The last accepted choice and its number of speakers. */
  let accepted: { readonly choice: CountChoice; readonly found: number } | null = null;
  const slider = h('input', { type: 'range', min: 1, step: 1, class: 'count__slider', 'aria-label': words.slider, 'data-testid': 'count-slider' });
  const number = h('output', { class: 'count__number', 'aria-hidden': 'true', 'data-testid': 'count-number' });
  const greatest = h('span', { class: 'count__end' });
  const auto = button(scope, { 'data-testid': 'count-auto', 'aria-pressed': 'false', title: words.autoHint }, () => {
    ask('auto');
  }, words.auto);
  const shortestTurn = createDurationSlider(scope, { name: 'on', words: words.shortestTurn, maxSeconds: MAX_ON_SECONDS, onInput: () => { askDurations(); } });
  const shortestGap = createDurationSlider(scope, { name: 'off', words: words.shortestGap, maxSeconds: MAX_OFF_SECONDS, onInput: () => { askDurations(); } });
  const keep = h('input', { type: 'checkbox', role: 'switch', class: 'switch', 'data-testid': 'count-keep' });
  const keepHint = h('span', { class: 'fine' });
  /** Whether the user has set the switch. Until then, corrections are kept if there are any. */
  let isKeepChosen = false;
  const progress = h('p', { class: 'fine count__progress', role: 'status', 'data-testid': 'count-progress' });
  const answer = h('div', { class: 'count__answer', 'aria-live': 'polite', 'data-testid': 'count-answer' });
  const failure = h('div', { class: 'count__failure', role: 'alert', hidden: true, 'data-testid': 'count-failure' });
  const accept = button(scope, { class: 'button button--primary', 'data-testid': 'count-accept' }, () => {
    const { proposal } = session.state;
    const found = proposal?.annotation;
    if (!found || !session.accept()) return;
    accepted = { choice: proposal.request.choice, found: talkingOf(found).length };
    editor.say(words.accepted(talkingOf(found).length));
    slider.focus();
  }, words.accept);
  const back = button(scope, { 'data-testid': 'count-back' }, () => {
    takeBack();
  }, words.takeBack, h('kbd', { 'aria-hidden': 'true' }, words.escape));
  const element = h(
    'section',
    { class: 'count', 'aria-label': words.heading, 'data-testid': 'count-panel' },
    h('p', { class: 'fine' }, words.lead),
    h(
      'div',
      { class: 'count__control' },
      number,
      h('div', { class: 'count__track' }, h('span', { class: 'count__end' }, '1'), slider, greatest),
      auto,
    ),
    h('div', { class: 'count__durations' }, shortestTurn.element, shortestGap.element),
    h('label', { class: 'count__keep' }, keep, h('span', { class: 'count__keep-text' }, words.keep, keepHint)),
    h('div', { class: 'count__result' }, progress, failure, answer),
    h('div', { class: 'button-row' }, accept, back),
  );

  const session = new CountSession(editor, source.open, update);
  scope.add(() => {
    session.dispose();
  });
  session.warm();

  const ask = (choice: CountChoice): void => {
    session.choose({
      choice,
      minDurations: { minDurationOn: shortestTurn.seconds, minDurationOff: shortestGap.seconds },
      isKeepingCorrections: keep.checked && !keep.disabled,
    });
  };
  /** Uses the number of speakers that the turns come from. Some of them may have no turns left. */
  const askDurations = (): void => {
    const { result, options } = editor.outcome;
    const now = talkingOf(editor.get().annotation).length;
    if (session.state.request) ask(session.state.request.choice);
    else if (now === accepted?.found) ask(accepted.choice);
    else if (now === result?.speakers.length && options?.speakerMode === 'exact') ask(options.exact);
    else ask(now === result?.speakers.length || now === 0 ? 'auto' : now);
  };
  const takeBack = (): void => {
    if (!session.state.request) return;
    session.takeBack();
    editor.say(words.takenBack);
    slider.focus();
  };
  scope.on(slider, 'input', () => {
    ask(Number(slider.value));
  });
  scope.on(keep, 'change', () => {
    isKeepChosen = true;
    const { request } = session.state;
    if (request) ask(request.choice);
  });
  scope.on(element, 'keydown', (event) => {
    if (event.key !== 'Escape' || !session.state.request) return;
    // Elsewhere, Esc clears the selection.
    event.preventDefault();
    takeBack();
  });
  editor.onChange(scope, (next, previous) => {
    const isTakenBack = session.state.proposal !== null && next.proposal === null;
    // A proposal is based on the annotation at its time: after another correction, accepting it would undo that
    // correction.
    if (next.annotation !== previous.annotation || isTakenBack) session.takeBack();
    if (next.annotation !== previous.annotation) update();
  });

  function update(): void {
    const { annotation } = editor.get();
    const { request, work, proposal, failure: failed } = session.state;
    const now = talkingOf(annotation).length;
    const found = proposal ? talkingOf(proposal.annotation).length : now;
    const shown = typeof request?.choice === 'number' ? request.choice : found;
    const max = Math.max(MIN_MAXIMUM, (editor.outcome.result?.speakers.length ?? 0) + BEYOND, now + BEYOND);
    slider.max = String(max);
    slider.value = String(shown);
    slider.setAttribute('aria-valuetext', words.value(shown));
    setText(number, String(shown));
    setText(greatest, String(max));
    const { minDurationOn, minDurationOff } = request?.minDurations ?? annotation.minDurations ?? minDurationsOfRun(editor);
    shortestTurn.show(minDurationOn);
    shortestGap.show(minDurationOff);
    auto.setAttribute('aria-pressed', String(request?.choice === 'auto'));
    keep.disabled = !annotation.turns.some(({ isCorrected }) => isCorrected);
    if (!isKeepChosen) keep.checked = !keep.disabled;
    setText(keepHint, keep.disabled ? words.keepNone : words.keepHint);
    setText(progress, work === 'none' ? (proposal ? words.took(proposal.seconds) : request ? '' : words.now(countNow(editor, now))) : words[work]);
    failure.hidden = failed === null;
    failure.replaceChildren(...(failed ? [h('p', { class: 'legend legend--alert' }, words.failed), failureDetails(failed, words.labels)] : []));
    const isCurrent = proposal?.request === request;
    element.classList.toggle('is-working', work !== 'none');
    accept.disabled = !isCurrent || work !== 'none';
    back.disabled = request === null;
    const sentences = isCurrent ? sentencesOf(proposal, namesOf(annotation), namesOf(proposal.annotation)) : [];
    // Replaced only if the text changes. Otherwise, it would be announced again.
    const told = sentences.join('\n');
    if (answer.dataset.told === told) return;
    answer.dataset.told = told;
    const [head, ...rest] = sentences;
    answer.replaceChildren(
      ...(head === undefined ? [] : [h('p', { class: 'count__found' }, head), h('ul', {}, ...rest.map((sentence) => h('li', {}, sentence)))]),
    );
  }
  update();
  return { element };
}

/** The number of speakers, with likely alternatives if it is the number found by the run. */
function countNow({ outcome }: Editor, now: number): string {
  const found: SpeakerCount | undefined = outcome.result?.speakerCount;
  return countWithAlternatives(found?.value === now ? found : { value: now, alternatives: [], unmet: null });
}

/** Results of earlier releases have no minimum durations. */
function minDurationsOfRun({ outcome }: Editor): MinDurations {
  const { minDurationOn = 0, minDurationOff = 0 }: Partial<MinDurations> = outcome.result ?? {};
  return { minDurationOn, minDurationOff };
}
