import { Scope } from '../util/scope';
import { announcement } from './announce';
import { h, icon, mark, setText } from './dom';
import { acceptDrops } from './drop';
import type { EngineFactory } from './engine';
import { Session } from './session';
import { fileSource, sampleSource } from './sources';
import { INITIAL_STATE, jobOf, optionsProblem, type Source, type State } from './state';
import { createStore } from './store';
import { text } from './text';
import { createTheme } from './theme';
import type { Actions, View, ViewContext } from './view';
import { doneView } from './views/done';
import { emptyView } from './views/empty';
import { errorView } from './views/error';
import { runningView } from './views/running';

const VIEWS: Readonly<Record<State['phase']['kind'], (context: ViewContext) => View>> = {
  empty: emptyView,
  // One view for both, so that the bars do not jump when the first progress arrives.
  loading: runningView,
  running: runningView,
  done: doneView,
  error: errorView,
};

/** Puts the page into `root` and gives the function that takes it out again, with all it holds. */
export function mountApp(root: HTMLElement, engine: EngineFactory): () => void {
  const scope = new Scope();
  const theme = createTheme(scope);
  const store = createStore(INITIAL_STATE, changed);
  const session = new Session(engine, store);
  scope.add(() => {
    session.dispose();
  });

  const run = (source: Source): void => {
    const problem = optionsProblem(store.get().options);
    if (problem) {
      // To where the options are; the result on screen can be come back to.
      store.dispatch({ type: 'reset' });
      store.dispatch({ type: 'options-toggled', open: true });
      store.dispatch({ type: 'noticed', notice: problem });
      return;
    }
    session.start(source);
  };
  const actions: Actions = {
    open(files) {
      const [first, ...others] = files;
      if (!first) return;
      if (others.length > 0 && !jobOf(store.get())) {
        store.dispatch({ type: 'noticed', notice: 'first-only' });
      }
      run(fileSource(first));
    },
    trySample() {
      run(sampleSource());
    },
    cancel() {
      session.cancel();
    },
    retry(options) {
      const { phase } = store.get();
      if (phase.kind !== 'error') return;
      if (options) store.dispatch({ type: 'options-changed', options });
      run(phase.source);
    },
    setOptions(options) {
      store.dispatch({ type: 'options-changed', options });
    },
    toggleOptions(open) {
      store.dispatch({ type: 'options-toggled', open });
    },
    setMode(mode) {
      store.dispatch({ type: 'mode-changed', mode });
    },
    reset() {
      store.dispatch({ type: 'reset' });
    },
    back() {
      store.dispatch({ type: 'returned' });
    },
    dismissNotice() {
      store.dispatch({ type: 'notice-dismissed' });
    },
  };

  const themeButton = h(
    'button',
    { type: 'button', class: 'icon-button', 'aria-label': text.theme, title: text.theme },
    icon('theme'),
  );
  scope.on(themeButton, 'click', theme.toggle);
  const live = h('div', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' });
  const noticeText = h('p', {});
  const noticeClose = h(
    'button',
    { type: 'button', class: 'icon-button', 'aria-label': text.dismiss },
    icon('close'),
  );
  scope.on(noticeClose, 'click', actions.dismissNotice);
  // The live role is on a box that is always there: one that appears together with its text is often not read.
  const notice = h('div', { class: 'notice', hidden: true }, noticeText, noticeClose);
  const main = h('main', { id: 'content', class: 'content', tabindex: -1 });
  const dropFrame = h('div', { class: 'drop-frame', 'aria-hidden': 'true' }, h('p', {}));
  const page = h(
    'div',
    { class: 'page', 'data-testid': 'state', 'data-state': 'empty' },
    h('a', { class: 'skip-link', href: '#content' }, text.skip),
    h(
      'header',
      { class: 'masthead' },
      h('h1', { class: 'masthead__name' }, mark(), text.name),
      h('p', { class: 'masthead__tagline' }, text.tagline),
      themeButton,
    ),
    h('div', { class: 'notices', role: 'status' }, notice),
    main,
    live,
    dropFrame,
  );
  root.append(page);
  scope.add(() => {
    page.remove();
  });

  let viewScope = scope.child();
  let make: ((context: ViewContext) => View) | null = null;
  let shown: unknown = null;
  let view: View | null = null;
  let frame = 0;
  scope.add(() => {
    cancelAnimationFrame(frame);
  });

  function show(state: State, isFirst: boolean): void {
    viewScope.dispose();
    viewScope = scope.child();
    make = VIEWS[state.phase.kind];
    view = make({ scope: viewScope, state, actions, theme });
    view.heading.tabIndex = -1;
    main.replaceChildren(view.element);
    if (isFirst) return;
    view.heading.focus({ preventScroll: true });
    window.scrollTo({ top: 0 });
  }

  /** What identifies the thing shown: a new result needs a new view although the phase is the same. */
  function subject({ phase }: State): unknown {
    if (phase.kind === 'done') return phase.outcome;
    if (phase.kind === 'error') return phase.failure;
    return jobOf({ ...INITIAL_STATE, phase })?.id ?? null;
  }

  function render(state: State, isFirst = false): void {
    page.dataset.state = state.phase.kind;
    if (VIEWS[state.phase.kind] !== make || subject(state) !== shown) {
      shown = subject(state);
      show(state, isFirst);
    }
    view?.update(state);
    setText(noticeText, state.notice ? text.notices[state.notice] : '');
    notice.hidden = state.notice === null;
    document.title = titleOf(state);
  }

  function changed(next: State, previous: State): void {
    if (scope.disposed) return;
    const sentence = announcement(next, previous);
    if (sentence !== null) setText(live, sentence);
    // Ticks of progress come faster than frames and are drawn once per frame. A change of phase is drawn at once:
    // a hidden tab has no frames, and its title should still say that the work is done.
    if (next.phase.kind !== previous.phase.kind || next.notice !== previous.notice) {
      cancelAnimationFrame(frame);
      frame = 0;
      render(next);
    } else if (frame === 0) {
      frame = requestAnimationFrame(() => {
        frame = 0;
        render(store.get());
      });
    }
  }

  acceptDrops(
    scope,
    (dragging) => {
      page.classList.toggle('is-dragging', dragging);
      const message = dropFrame.firstElementChild;
      if (message) setText(message, jobOf(store.get()) ? text.drop.busy : text.drop.ready);
    },
    actions.open,
  );
  scope.on(document, 'keydown', (event) => {
    if (event.key === 'Escape' && jobOf(store.get())) actions.cancel();
  });

  render(store.get(), true);
  return () => {
    scope.dispose();
  };
}

function titleOf({ phase }: State): string {
  switch (phase.kind) {
    case 'empty':
      return text.pageTitle.empty;
    case 'loading':
    case 'running':
      return text.pageTitle.working(phase.job.source.name);
    case 'done':
      return text.pageTitle.done(phase.outcome.name);
    case 'error':
      return text.pageTitle.error;
  }
}
