import { requestAdapter } from '../gpu/adapter';
import type { ShippedModel } from '../store/manifest';
import { Scope } from '../ui-kit/scope';
import { acceptTransfers } from '../ui-kit/files';
import { createPageFrame, createTheme } from '../ui-kit/pageFrame';
import { createPrivacyLine } from '../ui-kit/privacy/line';
import { createStore } from '../ui-kit/store';
import { h } from '../ui-kit/dom';
import { announcement, text, titleOf } from './text';
import { createActions } from './actions';
import { filesOfDrop, subjectOf, visibleFiles } from './files';
import { type ComparisonEngineFactory, Session } from './session';
import {
  INITIAL_STATE,
  type JobKind,
  pictureWanted,
  type PictureWanted,
  reduce,
  type State,
  stateName,
} from './state';
import type { SectionContext } from './section';
import { auditResult, bisectResult } from './views/results';
import { bench } from './views/bench';
import { factsPanel, mapping, openZone } from './views/opened';
import { failureBox, verdictHead } from './views/verdict';
import { stages } from './views/stages';
import { steps } from './views/steps';
import { tolerancePanel } from './views/tolerancePanel';

interface PanelOptions {
  /** Model to compare as soon as the panel is mounted. */
  readonly model?: ShippedModel;
  /** Returns why WebGPU is unavailable; null if it is available. */
  readonly webgpuProblem?: () => Promise<string | null>;
}

/**
 * Mounts the panel in `root`. Returns a function that unmounts it and releases everything it holds. The engine is
 * created when the first file is opened.
 */
export function mountComparePanel(
  root: HTMLElement,
  engine: ComparisonEngineFactory,
  { model, webgpuProblem = findWebgpuProblem }: PanelOptions = {},
): () => void {
  const scope = new Scope();
  const theme = createTheme(scope);
  const store = createStore(reduce, INITIAL_STATE, changed);
  const session = new Session(engine, store);
  scope.add(() => {
    session.dispose();
  });
  const actions = createActions(store, session, (stage) => {
    // Render at once, because only a visible row can be scrolled to.
    render(store.get());
    compared.reveal(stage);
  });

  const frame = createPageFrame(scope, root, theme, {
    tagline: text.tagline,
    link: text.link,
    onDismissNotice() {
      store.dispatch({ type: 'notice-dismissed' });
    },
    footer: createPrivacyLine(scope),
  });
  const context: SectionContext = { scope, actions, theme };
  const top = bench(context);
  const verdict = verdictHead(context);
  const bisected = bisectResult(context);
  const audited = auditResult(context);
  const compared = stages(context);
  const sections = [
    failureBox(context),
    openZone(context),
    top,
    verdict,
    steps(context),
    mapping(context),
    compared,
    tolerancePanel(context),
    bisected,
    audited,
    factsPanel(),
  ];
  frame.page.classList.add('page--wide');
  frame.main.append(h('div', { class: 'view' }, ...sections.map(({ element }) => element)));

  let pendingFrame = 0;
  let wanted: PictureWanted | null = null;
  scope.add(() => {
    cancelAnimationFrame(pendingFrame);
  });

  function render(state: State): void {
    frame.page.dataset.state = stateName(state);
    for (const section of sections) section.update(state);
    frame.setNotice(state.notice && text.notices[state.notice]);
    // Dropped files cannot be reopened without the user.
    frame.setBusy(state.job !== null || state.opened !== null);
    document.title = titleOf(state);
  }

  /** Moves the focus to new content if the focused element disappeared. */
  function moveFocus(next: State, previous: State): void {
    if (next.job && !previous.job) {
      if (isFocusFree(frame.main)) top.cancel.focus({ preventScroll: true });
      return;
    }
    if (next.job || !previous.job || !isFocusFree(frame.main)) return;
    const results: Partial<Record<JobKind, HTMLElement>> = { compare: verdict.heading, bisect: bisected.heading, audit: audited.heading };
    const result = next.failure || next.notice ? undefined : results[previous.job.kind];
    // Scroll to a result below the fold, but not away from content that the user is reading.
    (result ?? top.heading).focus({ preventScroll: !result });
  }

  function changed(next: State, previous: State): void {
    if (scope.disposed) return;
    const sentence = announcement(next, previous);
    if (sentence !== null) frame.announce(sentence);
    // Progress events arrive faster than frames and are rendered once per frame. The start and end of a job are
    // rendered at once: a hidden tab gets no frames, but its title should still show that the job is complete.
    if (next.job?.id !== previous.job?.id || next.notice !== previous.notice) {
      cancelAnimationFrame(pendingFrame);
      pendingFrame = 0;
      render(next);
      moveFocus(next, previous);
    } else if (pendingFrame === 0) {
      pendingFrame = requestAnimationFrame(() => {
        pendingFrame = 0;
        render(store.get());
      });
    }
    const now = pictureWanted(next);
    if (JSON.stringify(now) === JSON.stringify(wanted)) return;
    wanted = now;
    session.draw(now);
  }

  acceptTransfers(
    scope,
    (dragging) => {
      frame.setDragging(dragging, store.get().job ? text.drop.busy : text.drop.ready);
    },
    (transfer) => {
      const list = [...transfer.files];
      // Now, because the transfer is empty after the event.
      const read = filesOfDrop(transfer);
      if (list.length > 0) session.open(subjectOf(list), async () => visibleFiles(await read()));
    },
  );
  scope.on(document, 'keydown', (event) => {
    if (event.key === 'Escape' && store.get().job) actions.cancel();
  });

  render(store.get());
  void webgpuProblem().then((reason) => {
    if (reason !== null) store.dispatch({ type: 'webgpu-missing', reason });
    // Only now, because the comparison depends on the available backends.
    if (model && !scope.disposed) actions.openShipped(model);
  });
  return () => {
    scope.dispose();
  };
}

/** Requires requesting an adapter: browsers without one have `navigator.gpu` too. */
async function findWebgpuProblem(): Promise<string | null> {
  if (!('gpu' in navigator)) return text.bench.noGpu;
  const adapter = await requestAdapter().catch(() => null);
  return adapter ? null : text.bench.noAdapter;
}

/** Whether the focus is nowhere or on a hidden element of the panel. */
function isFocusFree(main: HTMLElement): boolean {
  const focused = document.activeElement;
  if (!focused || focused === document.body || focused === main) return true;
  return main.contains(focused) && focused instanceof HTMLElement && focused.offsetParent === null;
}
