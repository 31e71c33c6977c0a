import { Scope } from '../util/scope';
import { announcement } from './announce';
import { acceptDrops } from './drop';
import type { EngineFactory } from './engine';
import { EngineKeeper } from './engineKeeper';
import { rememberedPreset, rememberedSpeed, rememberPreset, rememberSpeed } from './models/choice';
import { sortFiles } from './models/files';
import type { ModelLibrary } from './models/library';
import { ModelsSession } from './models/session';
import { createPageFrame } from './pageFrame';
import { Session } from './session';
import { fileSource, sampleSource } from './sources';
import { INITIAL_STATE, jobOf, optionsProblem, reduce, type Source, type State } from './state';
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
export function mountApp(root: HTMLElement, engine: EngineFactory, library: ModelLibrary): () => void {
  const scope = new Scope();
  const theme = createTheme(scope);
  const options = { ...INITIAL_STATE.options, preset: rememberedPreset(), speed: rememberedSpeed() };
  const store = createStore(reduce, { ...INITIAL_STATE, options }, changed);
  const keeper = new EngineKeeper(engine, (download) => {
    store.dispatch({ type: 'download-progressed', download });
  });
  const session = new Session(keeper, store);
  const models = new ModelsSession(library, keeper, store, rememberPreset);
  scope.add(() => {
    session.dispose();
    keeper.drop();
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
  /** A recording that failed for its model is tried again with the file; otherwise the page goes to where it shows the model. */
  const takeModel = (file: File, isWithRecording: boolean): void => {
    const { phase } = store.get();
    void models.prepare({ name: file.name, blob: file, isTrusted: false });
    if (isWithRecording) return;
    const isWaiting = phase.kind === 'error' && (phase.failure.code?.startsWith('model-') ?? false);
    if (isWaiting) run(phase.source);
    else store.dispatch({ type: 'reset' });
  };
  const actions: Actions = {
    open(files) {
      const sorted = sortFiles(files);
      const [model] = sorted.models;
      const [recording] = sorted.recordings;
      const isBusy = jobOf(store.get()) !== null;
      if (model && isBusy) {
        store.dispatch({ type: 'noticed', notice: 'busy-model' });
        return;
      }
      if (model) takeModel(model, recording !== undefined);
      if ((sorted.models.length > 1 || sorted.recordings.length > 1) && !isBusy) {
        store.dispatch({ type: 'noticed', notice: 'first-only' });
      }
      if (recording) run(fileSource(recording));
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
      if (options.preset) rememberPreset(options.preset);
      if (options.speed) rememberSpeed(options.speed);
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
    downloadModel() {
      void models.prepare(null);
    },
    stopDownload() {
      models.stop();
    },
    answerQuestion(isTrusted) {
      if (isTrusted) void models.trust();
      else store.dispatch({ type: 'model-refused' });
      actions.retry();
    },
    dismissModelFailure() {
      store.dispatch({ type: 'model-failure-dismissed' });
    },
    askDeletion(model) {
      store.dispatch({ type: 'deletion-asked', model });
    },
    deleteModel(model) {
      void models.delete(model);
    },
    dismissNotice() {
      store.dispatch({ type: 'notice-dismissed' });
    },
  };

  const frame = createPageFrame(scope, root, theme, {
    tagline: text.tagline,
    link: text.compare,
    onDismissNotice: actions.dismissNotice,
  });
  const { page, main } = frame;

  let viewScope = scope.child();
  let make: ((context: ViewContext) => View) | null = null;
  let shown: unknown = null;
  let view: View | null = null;
  let pendingFrame = 0;
  scope.add(() => {
    cancelAnimationFrame(pendingFrame);
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
    frame.setNotice(state.notice && text.notices[state.notice]);
    document.title = titleOf(state);
  }

  function changed(next: State, previous: State): void {
    if (scope.disposed) return;
    // A run may have brought a model along.
    if (jobOf(previous) && !jobOf(next)) void models.refresh();
    const sentence = announcement(next, previous);
    if (sentence !== null) frame.announce(sentence);
    // Ticks of progress come faster than frames and are drawn once per frame. A change of phase is drawn at once:
    // a hidden tab has no frames, and its title should still say that the work is done.
    if (next.phase.kind !== previous.phase.kind || next.notice !== previous.notice) {
      cancelAnimationFrame(pendingFrame);
      pendingFrame = 0;
      render(next);
    } else if (pendingFrame === 0) {
      pendingFrame = requestAnimationFrame(() => {
        pendingFrame = 0;
        render(store.get());
      });
    }
  }

  acceptDrops(
    scope,
    (dragging) => {
      frame.setDragging(dragging, jobOf(store.get()) ? text.drop.busy : text.drop.ready);
    },
    actions.open,
  );
  scope.on(document, 'keydown', (event) => {
    if (event.key === 'Escape' && jobOf(store.get())) actions.cancel();
  });

  render(store.get(), true);
  void models.refresh();
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
