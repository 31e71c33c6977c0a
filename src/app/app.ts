import { acceptDrops } from '../ui-kit/files';
import { createPageFrame, createTheme } from '../ui-kit/pageFrame';
import { createPrivacyLine } from '../ui-kit/privacy/line';
import { Scope } from '../ui-kit/scope';
import { groupProgress } from '../ui-kit/stageGroups';
import { createStore } from '../ui-kit/store';
import { text } from '../ui-kit/texts/text';
import { createActions } from './actions';
import { type EngineFactory, EngineKeeper } from './engineKeeper';
import { type ModelLibrary, ModelsSession, rememberedPreset, rememberedSpeed, rememberPreset } from './models/session';
import { offerLabel } from './models/modelBox';
import { openOtherTabs } from './models/otherTabs';
import { infoOf, offeredPreset } from './models/state';
import { Session } from './session';
import { INITIAL_STATE, jobOf, NOT_LISTED, reduce, type State } from './state';
import type { View, ViewContext } from './view';
import { emptyView } from './views/empty';
import { errorView } from './views/error';
import { runningView } from './views/running';
import { workText } from './workspace/text';
import { Workspace } from './workspace/workspace';

/**
 * The screen reader announcement for a change; null if there is none. Only changes of phase, the start of a stage and
 * the first preview are announced, because announcing each progress step would drown out everything else.
 */
export function announcement(next: State, previous: State): string | null {
  const { phase } = next;
  const job = jobOf(next);
  if (job) {
    const before = jobOf(previous);
    if (before?.id !== job.id) return text.announce.started(job.source.name);
    // Only the first preview is announced.
    if (job.preview && !before.preview) return text.announce.preview(job.preview);
    const earlier = new Set(
      groupProgress(before.stages)
        .filter(({ status }) => status !== 'waiting')
        .map(({ id }) => id),
    );
    const begun = groupProgress(job.stages).find(
      ({ id, status }) => status !== 'waiting' && !earlier.has(id),
    );
    return begun ? text.announce.stage(text.running.stages[begun.id]) : null;
  }
  if (phase.kind === 'done' && previous.phase.kind !== 'done') {
    const { speakers, turns } = phase.outcome.annotation;
    return text.announce.done(speakers.length, turns.length);
  }
  const { preset } = next.options;
  const info = infoOf(next.models, preset);
  if (info && preset !== previous.options.preset && offeredPreset(next.models, preset) === preset) {
    return `${text.models.offer.heading(preset)}: ${offerLabel(next.models, info)}`;
  }
  const { preparing } = next.models;
  if (preparing && preparing.id !== previous.models.preparing?.id) {
    return preparing.file ? text.models.checking(preparing.file.name) : text.models.downloading(preparing.preset);
  }
  if (next.models.download?.step === 'wait' && previous.models.download?.step !== 'wait') return text.models.waiting(preparing?.preset ?? preset);
  // Errors and notices have their own live regions.
  return null;
}

type MakeView = (context: ViewContext) => View;

/** The result view is most of the code. It loads while the first view is visible. */
const loadDoneView = (): Promise<MakeView> => import('./result/result').then(({ doneView }) => doneView);

/** Mounts the app in `root`. Returns a function that unmounts it and releases everything it holds. */
export function mountApp(root: HTMLElement, engine: EngineFactory, library: ModelLibrary): () => void {
  const scope = new Scope();
  const theme = createTheme(scope);
  const options = { ...INITIAL_STATE.options, preset: rememberedPreset(), speed: rememberedSpeed() };
  const store = createStore(reduce, { ...INITIAL_STATE, options }, changed);
  const keeper = new EngineKeeper(engine, (download) => {
    store.dispatch({ type: 'download-progressed', download });
  });
  const session = new Session(keeper, store);
  const otherTabs = openOtherTabs(scope);
  const models = new ModelsSession(library, keeper, store, rememberPreset, otherTabs.changed);
  otherTabs.onChange(() => {
    // A run keeps its preset. The models are listed again after it.
    if (!jobOf(store.get())) void models.refresh();
  });
  scope.add(() => {
    session.dispose();
    keeper.drop();
  });

  const workspace = new Workspace(scope, store);
  const actions = createActions({ scope, store, session, models, workspace, view: () => view });

  const frame = createPageFrame(scope, root, theme, {
    tagline: text.tagline,
    link: text.compare,
    onDismissNotice: actions.dismissNotice,
    footer: createPrivacyLine(scope),
    beforeReload: () => workspace.saveAll(),
  });
  const { page, main } = frame;
  workspace.onSaveState(scope, (saved) => {
    page.dataset.kept = String(saved === 'saved');
  });

  const views: Partial<Record<State['phase']['kind'], MakeView>> = {
    empty: emptyView,
    // Shared by both phases to keep the bars from jumping when the first progress arrives.
    loading: runningView,
    running: runningView,
    error: errorView,
  };
  let viewScope = scope.child();
  let make: MakeView | null = null;
  let shown: unknown = null;
  let view: View | null = null;
  let pendingFrame = 0;
  let isDoneViewLost = false;
  scope.add(() => {
    cancelAnimationFrame(pendingFrame);
  });

  function show(state: State, next: MakeView): void {
    // On page load, the focus stays where the browser puts it.
    const isFirst = make === null && state.phase.kind === 'empty';
    viewScope.dispose();
    viewScope = scope.child();
    make = next;
    view = next({ scope: viewScope, state, actions, theme, work: workspace });
    view.heading.tabIndex = -1;
    main.replaceChildren(view.element);
    const companions = state.phase.kind === 'done' ? workspace.companionsOf(state.phase.outcome) : [];
    if (companions.length > 0) view.take?.(companions);
    if (isFirst) return;
    view.heading.focus({ preventScroll: true });
    window.scrollTo({ top: 0 });
  }

  /** Identity of what is shown: a new result needs a new view even if the phase is unchanged. */
  function subject({ phase }: State): unknown {
    if (phase.kind === 'done') return phase.outcome;
    if (phase.kind === 'error') return phase.failure;
    return jobOf({ ...INITIAL_STATE, phase })?.id ?? null;
  }

  function render(state: State): void {
    // The list of saved results is at the top of the first view. Adding it later would shift what the user is about to
    // click.
    if (make === null && state.phase.kind === 'empty' && state.kept === NOT_LISTED) return;
    page.dataset.state = state.phase.kind;
    frame.setBusy(jobOf(state) !== null);
    const { notice } = state;
    frame.setNotice(typeof notice === 'string' ? text.notices[notice] : (notice?.said ?? null));
    document.title = titleOf(state);
    const next = views[state.phase.kind];
    if (!next) {
      // Requested only once: the notice of a failure changes the state and leads here again.
      if (!isDoneViewLost) void fetchDoneView();
      return;
    }
    if (next !== make || subject(state) !== shown) {
      shown = subject(state);
      show(state, next);
    }
    view?.update(state);
  }

  async function fetchDoneView(): Promise<void> {
    try {
      views.done ??= await loadDoneView();
    } catch {
      // After an update, the server no longer has the files of this version. The result is saved and opens after a
      // reload.
      isDoneViewLost = true;
      if (store.get().phase.kind === 'done') {
        store.dispatch({ type: 'noticed', notice: { said: workText.notLoaded } });
      }
      return;
    }
    if (!scope.disposed) render(store.get());
  }

  function changed(next: State, previous: State): void {
    if (scope.disposed) return;
    workspace.follow(next, previous);
    // Try again with the next result: the network may be back.
    if (next.phase.kind !== 'done') isDoneViewLost = false;
    // A run may have downloaded a model.
    if (jobOf(previous) && !jobOf(next)) void models.refresh();
    if (jobOf(previous) && previous.models.download && !next.models.download) otherTabs.changed();
    const sentence = announcement(next, previous);
    if (sentence !== null) frame.announce(sentence);
    // Progress events arrive faster than frames and are rendered once per frame. A change of phase is rendered at once:
    // a hidden tab gets no frames, but its title should still show that the run is complete.
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

  render(store.get());
  void models.refresh();
  void workspace.start();
  void fetchDoneView();
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
