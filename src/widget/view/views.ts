import { h, mark, setAttribute, setText } from '../../ui-kit/dom';
import { fileButton } from '../../ui-kit/files';
import type { Scope } from '../../ui-kit/scope';
import { errorsDe } from '../../ui-kit/texts/de';
import { errorsEn } from '../../ui-kit/texts/en';
import type { Turn } from '../../timeline/turns';
import type { VoxlaneError } from '../../util/errors';
import type { Playback } from '../playingElement';
import type { SpeakerRename } from '../reflectingElement';
import type { RunState } from '../state/phase';
import type { WidgetWords } from '../words';

/** Actions of the user; the element implements them. */
export interface WidgetActions {
  readonly open: (file: File) => void;
  readonly cancel: () => void;
  readonly retry: () => void;
  /** Returns from an error to the last result. */
  readonly back: () => void;
  readonly hasResult: () => boolean;
  readonly renamed: (rename: SpeakerRename) => void;
  /** @returns whether the page allows playback from the turn */
  readonly turnClicked: (turn: Turn) => boolean;
  /** The position of playback changed. */
  readonly timeUpdated: () => void;
  /** The player of the shown result; null when its view is removed. */
  readonly shown: (playback: Playback | null) => void;
}

/** The arguments shared by all views. */
export interface WidgetContext {
  /** Ends when the view is removed. */
  readonly scope: Scope;
  readonly words: WidgetWords;
  readonly actions: WidgetActions;
  /** Announces a sentence to screen readers. */
  readonly announce: (sentence: string) => void;
  /** Calls the listener when colors change and canvases must be repainted. */
  readonly onColors: (scope: Scope, listener: () => void) => void;
}

export interface WidgetView {
  readonly element: HTMLElement;
  /** Receives the focus if the previous view had it. */
  readonly heading: HTMLElement;
}

export interface DoneView extends WidgetView {
  /** The names in the memory of the outcome have changed. */
  readonly showNames: () => void;
}

/** A bordered button. */
function button(scope: Scope, label: string, onClick: () => void): HTMLButtonElement {
  const element = h('button', { type: 'button', class: 'button', part: 'button' }, label);
  scope.on(element, 'click', onClick);
  return element;
}

/** A button that opens a recording. */
export function recordingButton(scope: Scope, label: string, onFile: (file: File) => void, isPrimary: boolean): HTMLElement {
  const element = fileButton(
    scope,
    label,
    ([file]) => {
      if (file) onFile(file);
    },
    { accept: 'audio/*,video/*', isMultiple: false, isFolder: false, isPrimary, testId: 'file-input' },
  );
  element.querySelector('label')?.setAttribute('part', isPrimary ? 'primary-button' : 'button');
  return element;
}

/** The drop zone. */
export function emptyView({ scope, words, actions }: WidgetContext): WidgetView {
  const { empty } = words;
  const heading = h('h2', { class: 'title', tabindex: -1 }, empty.heading);
  const element = h(
    'div',
    { class: 'view dropzone', part: 'dropzone' },
    h('div', { class: 'dropzone__mark' }, mark()),
    h('slot', {}, heading, h('p', { class: 'lead' }, empty.lead)),
    recordingButton(scope, empty.choose, actions.open, true),
    h('p', { class: 'fine' }, empty.formats),
  );
  return { element, heading };
}

export interface RunningView extends WidgetView {
  readonly update: (run: RunState) => void;
}

/** Text of the current step, also for screen readers. */
export function stepText({ step, download }: RunState, words: WidgetWords): string {
  if (!download) return words.steps[step];
  if (download.step === 'wait') return words.otherTab;
  const say = download.step === 'download' ? words.downloading : words.converting;
  return say(download.receivedBytes, download.totalBytes);
}

/** The view of a run: step, progress bar, remaining time and cancel button. */
export function runningView({ scope, words, actions }: WidgetContext): RunningView {
  const heading = h('h2', { class: 'title', tabindex: -1 });
  const step = h('p', { class: 'step' });
  const percent = h('span', { class: 'percent' });
  const left = h('span', { class: 'fine' });
  const fill = h('div', { class: 'bar__fill', part: 'progress-fill' });
  const bar = h('div', { class: 'bar', part: 'progress', role: 'progressbar', 'aria-label': words.progress, 'aria-valuemin': 0, 'aria-valuemax': 100 }, fill);
  const element = h(
    'div',
    { class: 'view running' },
    h('div', { class: 'head', part: 'header' }, h('div', { class: 'head__text' }, heading, step), button(scope, words.cancel, actions.cancel)),
    bar,
    h('div', { class: 'running__figures' }, percent, left),
  );
  scope.on(element, 'keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    actions.cancel();
  });
  return {
    element,
    heading,
    update(run) {
      setText(heading, run.name);
      setText(step, stepText(run, words));
      const part = run.download ? run.download.receivedBytes / run.download.totalBytes : run.fraction;
      const isBusy = !run.download && (run.step === 'fetching' || run.step === 'waiting' || run.step === 'loading');
      element.classList.toggle('is-busy', isBusy);
      fill.style.transform = `scaleX(${part})`;
      // Without a value, the bar is indeterminate.
      setAttribute(bar, 'aria-valuenow', isBusy ? null : Math.floor(100 * part));
      setText(percent, isBusy ? '' : words.formats.percent(Math.floor(100 * part) / 100));
      setText(left, run.secondsLeft === null ? '' : words.left(run.secondsLeft));
    },
  };
}

/** The view of an error: the problem, what was expected, the remedy, and buttons to continue. */
export function failedView({ scope, words, actions }: WidgetContext, name: string, error: VoxlaneError): WidgetView {
  const { failed } = words;
  const heading = h('h2', { class: 'title', tabindex: -1 }, failed.heading(name));
  // Reading an unreadable file again fails again.
  const canRetry = !error.code.startsWith('audio-');
  const element = h(
    'div',
    { class: 'view failed', part: 'error' },
    h('div', { role: 'alert', class: 'failed__text' }, heading, errorDetails(error, words)),
    h(
      'div',
      { class: 'button-row' },
      recordingButton(scope, failed.choose, actions.open, !canRetry),
      canRetry && button(scope, failed.retry, actions.retry),
      actions.hasResult() && button(scope, failed.back, actions.back),
    ),
    h('p', { class: 'fine mono' }, failed.code(error.code)),
  );
  return { element, heading };
}

/** The collapsed original message of the browser or a library. */
function errorDetails(error: VoxlaneError, words: WidgetWords): HTMLElement {
  const { details } = error;
  const facts = wordsOf(error, words);
  if (details === undefined) return facts;
  return h(
    'div',
    {},
    facts,
    h('details', { class: 'original' }, h('summary', {}, words.failed.details), h('p', { class: 'mono', lang: words.engineLanguage }, details)),
  );
}

/**
 * In other languages than English: first the meaning of the code in that language, then the engine's English message.
 */
function wordsOf({ code, problem, expected, remedy }: VoxlaneError, { failed, engineLanguage }: WidgetWords): HTMLElement {
  if (engineLanguage === null) {
    return factList([
      [failed.problem, problem],
      [failed.expected, expected && sentenceCase(expected)],
      [failed.remedy, remedy ?? errorsEn[code].remedy],
    ]);
  }
  const meant = errorsDe[code];
  const own = [problem, expected && `Expected ${expected}`, remedy].filter((sentence) => sentence !== undefined && sentence !== '');
  return h(
    'div',
    {},
    factList([
      [failed.problem, meant.problem],
      [failed.remedy, meant.remedy],
    ]),
    h('details', { class: 'original' }, h('summary', {}, failed.original), ...own.map((sentence) => h('p', { lang: engineLanguage }, `${sentence}.`))),
  );
}

const sentenceCase = (words: string): string => words.replace(/^[a-z]+(?=[\s,;]|$)/, (first) => first.charAt(0).toUpperCase() + first.slice(1));

function factList(rows: readonly (readonly [name: string, value: string | undefined])[]): HTMLElement {
  return h('dl', { class: 'facts' }, ...rows.map(([name, value]) => (value ? h('div', {}, h('dt', {}, name), h('dd', {}, value)) : null)));
}
