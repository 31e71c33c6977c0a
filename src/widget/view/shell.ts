import { acceptDrops } from '../../ui-kit/files';
import { h, setText } from '../../ui-kit/dom';
import type { VoxlaneError } from '../../util/errors';
import { Scope } from '../../ui-kit/scope';
import type { Outcome, Phase } from '../state/phase';
import type { WidgetWords } from '../words';
import {
  type DoneView,
  emptyView,
  failedView,
  runningView,
  type RunningView,
  stepText,
  type WidgetActions,
  type WidgetContext,
  type WidgetView,
} from './views';
import { doneView } from './done';

/** The part of the widget that persists across views. */
export interface Shell {
  readonly show: (phase: Phase) => void;
  /** Shows a line about invalid attributes; null removes it. */
  readonly setNotice: (error: VoxlaneError | null) => void;
  /** The names in the memory of the shown outcome have changed. */
  readonly showNames: () => void;
  /** Renders everything in another language. */
  readonly setLanguage: (words: WidgetWords) => void;
}

/** Renders into a shadow root; clears it when `scope` ends. */
export function createShell(scope: Scope, root: ShadowRoot, firstWords: WidgetWords, actions: WidgetActions): Shell {
  let words = firstWords;
  let view: WidgetView | null = null;
  let running: RunningView | null = null;
  let done: DoneView | null = null;
  let viewScope = scope.child();
  let phase: Phase | null = null;
  let notice: VoxlaneError | null = null;
  /** The last result that was shown. */
  let known: Outcome | null = null;

  const noticeBox = h('div', { class: 'notice', part: 'notice', role: 'alert', hidden: true });
  const place = h('div', { class: 'place' });
  const live = h('p', { class: 'visually-hidden', role: 'status' });
  const release = h('p', { class: 'release', 'aria-hidden': 'true' });
  const watch = h('span', { class: 'watch', 'aria-hidden': 'true' });
  const section = h('section', { class: 'widget', part: 'base' }, noticeBox, place, h('slot', { name: 'footer' }), release, live, watch);
  root.append(section);
  scope.add(() => {
    root.replaceChildren();
  });
  acceptDrops(
    scope,
    (isDragging) => section.classList.toggle('is-dragging', isDragging),
    ([file]) => {
      if (file) actions.open(file);
    },
    section,
  );

  const announce = (sentence: string): void => {
    setText(live, sentence);
  };
  const context = (): WidgetContext => ({
    scope: viewScope,
    words,
    actions,
    announce,
    onColors(owner, listener) {
      // A CSS transition fires on every color change: by the attribute, by the page, by the system.
      owner.on(watch, 'transitionend', listener);
    },
  });
  const makeView = (next: Phase): WidgetView => {
    running = null;
    done = null;
    switch (next.kind) {
      case 'empty':
        return emptyView(context());
      case 'running':
        return (running = runningView(context()));
      case 'done':
        return (done = doneView(context(), next.outcome));
      case 'failed':
        return failedView(context(), next.name, next.error);
    }
  };
  const replaceView = (next: Phase): void => {
    const hadFocus = place.matches(':focus-within');
    viewScope.dispose();
    viewScope = scope.child();
    view = makeView(next);
    place.replaceChildren(view.element);
    section.dataset.state = next.kind;
    // Move the focus only if it was inside the widget.
    if (!hadFocus) return;
    view.heading.focus({ preventScroll: true });
    // Slotted content of the page may replace the heading.
    if (!place.matches(':focus-within')) place.querySelector<HTMLElement>('input, button')?.focus({ preventScroll: true });
  };
  const label = (): void => {
    section.setAttribute('aria-label', words.label);
    section.setAttribute('lang', words.language);
    setText(release, words.empty.release);
  };
  const showNotice = (): void => {
    noticeBox.hidden = notice === null;
    noticeBox.replaceChildren(...(notice ? [h('p', { class: 'notice__head' }, words.failed.setting), h('p', { lang: words.engineLanguage }, notice.message)] : []));
  };
  label();

  return {
    show(next) {
      const before = phase;
      phase = next;
      if (!view || next.kind !== 'running' || !running) replaceView(next);
      if (next.kind === 'running') running?.update(next.run);
      const sentence = announcement(next, before, known, words);
      if (next.kind === 'done') known = next.outcome;
      if (sentence !== null) announce(sentence);
    },
    setNotice(error) {
      notice = error;
      showNotice();
    },
    showNames() {
      done?.showNames();
    },
    setLanguage(next) {
      if (next === words) return;
      words = next;
      label();
      showNotice();
      if (!phase) return;
      replaceView(phase);
      if (phase.kind === 'running') running?.update(phase.run);
    },
  };
}

/** The screen reader announcement of a change; null for none. Errors have their own live roles. */
function announcement(next: Phase, before: Phase | null, known: Outcome | null, words: WidgetWords): string | null {
  if (next.kind === 'running') {
    if (before?.kind !== 'running' || before.run.name !== next.run.name) return words.announce.started(next.run.name);
    return next.run.step === before.run.step ? null : stepText(next.run, words);
  }
  if (before?.kind !== 'running' || next.kind === 'failed') return null;
  if (next.kind === 'empty' || next.outcome === known) return words.announce.cancelled;
  const { speakers, turns } = next.outcome.result;
  return words.announce.done(speakers.length, turns.length);
}
