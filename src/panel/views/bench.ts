import { h, setAttribute, setText } from '../../ui-kit/dom';
import { clock } from '../../ui-kit/format';
import { engineLanguage } from '../../ui-kit/texts/language';
import { button, segmented } from '../../ui-kit/controls';
import { whenChanged, type Section, type SectionContext } from '../section';
import type { BackendSelection, State } from '../state';
import { text } from '../text';

interface Bench extends Section {
  readonly heading: HTMLElement;
  readonly cancel: HTMLElement;
}

/** The opened model with the available actions and the running job. */
export function bench(context: SectionContext): Bench {
  const { scope, actions } = context;
  const heading = h('h2', { class: 'title', tabindex: -1, 'data-testid': 'model-name' });
  const mark = h('span', { class: 'tag', hidden: true }, text.bench.shipped);
  const summary = h('p', { class: 'status' });
  const again = button(scope, { 'data-testid': 'open-others' }, actions.reset, text.bench.again);
  const controls = controlsOf(context);
  const progress = progressOf(context);
  const element = h(
    'section',
    { class: 'panel bench' },
    h(
      'div',
      { class: 'view-head' },
      h('div', { class: 'view-head__text' }, h('p', { class: 'legend' }, text.bench.label, ' ', mark), heading, summary),
      again,
    ),
    controls.element,
    progress.element,
  );
  return {
    element,
    heading,
    cancel: progress.cancel,
    update(state) {
      const { opened, job } = state;
      element.hidden = !opened && !job;
      setText(heading, job?.kind === 'open' ? job.subject : (opened?.model ?? ''));
      mark.hidden = !opened?.isShipped || job?.kind === 'open';
      setText(summary, job?.kind === 'open' ? text.jobs.open : summaryOf(state));
      again.hidden = job !== null;
      controls.update(state);
      progress.update(state);
    },
  };
}

function summaryOf({ opened }: State): string {
  if (!opened) return '';
  const { goldens, graph } = opened;
  return goldens
    ? text.bench.summary(goldens.stages.length, graph.numNodes)
    : text.bench.summaryAlone(graph.numNodes);
}

function controlsOf({ scope, actions }: SectionContext): Section {
  const backends = segmented<BackendSelection>(
    scope,
    text.bench.backends,
    'backend',
    [
      ['wasm', text.backends.wasm],
      ['webgpu', text.backends.webgpu],
      ['both', text.bench.both],
    ],
    (choice) => {
      actions.choose({ backends: choice });
    },
  );
  const thorough = h('input', { type: 'checkbox', 'data-testid': 'thorough' });
  scope.on(thorough, 'change', () => {
    actions.choose({ isThorough: thorough.checked });
  });
  const tolerance = h('input', {
    type: 'number',
    class: 'number',
    min: 0,
    step: 'any',
    placeholder: text.bench.bisectDefault,
    'data-testid': 'bisect-tolerance',
  });
  scope.on(tolerance, 'input', () => {
    const value = tolerance.valueAsNumber;
    const isValid = value > 0 && value < Infinity;
    tolerance.setAttribute('aria-invalid', String(!isValid && !(tolerance.value === '' && tolerance.validity.valid)));
    actions.choose({ bisectTolerance: isValid ? value : null });
  });
  const run = button(scope, { class: 'button button--primary', 'data-testid': 'run' }, actions.compare, text.bench.run);
  const bisect = button(scope, { 'data-testid': 'bisect' }, actions.bisect, text.bench.bisect);
  const audit = button(scope, { 'data-testid': 'audit' }, actions.audit, text.bench.audit);
  const comparing = h(
    'div',
    { class: 'bench__row' },
    backends.element,
    h('label', { class: 'check', title: text.bench.thoroughHint }, thorough, h('span', {}, text.bench.thorough)),
    run,
  );
  const others = h('div', { class: 'bench__row bench__row--others' }, bisect, h('label', { class: 'check', title: text.bench.bisectToleranceHint }, h('span', { class: 'fine' }, text.bench.bisectTolerance), tolerance), audit);
  const reason = h('p', { class: 'fine', 'data-testid': 'webgpu-missing' });
  const element = h('div', { class: 'bench__controls' }, comparing, others, reason);
  return {
    element,
    update: whenChanged(
      ({ opened, job, choice, webgpuMissing }) => [opened, job === null, choice, webgpuMissing],
      ({ opened, job, choice, webgpuMissing }) => {
        element.hidden = !opened || job !== null;
        const hasGoldens = opened?.goldens != null;
        comparing.hidden = !hasGoldens;
        backends.update(choice.backends, (value) => value === 'wasm' || webgpuMissing === null);
        thorough.checked = choice.isThorough;
        bisect.disabled = webgpuMissing !== null;
        tolerance.disabled = bisect.disabled;
        bisect.classList.toggle('button--primary', !hasGoldens && !bisect.disabled);
        setText(audit, opened?.checkpoint ? text.bench.auditAgainst(opened.checkpoint) : text.bench.audit);
        setText(reason, webgpuMissing ?? '');
        reason.hidden = webgpuMissing === null;
      },
    ),
  };
}

function progressOf({ scope, actions }: SectionContext): Section & { readonly cancel: HTMLElement } {
  const step = h('p', { class: 'progress__step', 'data-testid': 'progress-step' });
  const elapsed = h('span', { class: 'mono fine', role: 'timer', 'aria-live': 'off' });
  const fill = h('div', { class: 'bar__fill' });
  const bar = h('div', { class: 'bar', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100, 'data-testid': 'progress' }, fill);
  const cancel = button(
    scope,
    { 'data-testid': 'cancel', 'aria-keyshortcuts': 'Escape' },
    actions.cancel,
    text.bench.cancel,
    h('kbd', { 'aria-hidden': 'true' }, text.bench.escape),
  );
  const element = h('div', { class: 'progress', hidden: true }, h('div', { class: 'progress__head' }, step, elapsed), bar, cancel);

  let startedAt: number | null = null;
  // The clock is independent of the progress: a long step with rare reports must not look frozen.
  const timer = setInterval(() => {
    if (startedAt !== null) setText(elapsed, clock(Math.floor((performance.now() - startedAt) / 1000)));
  }, 250);
  scope.add(() => {
    clearInterval(timer);
  });
  return {
    element,
    cancel,
    update({ job }) {
      element.hidden = job === null;
      startedAt = job?.startedAt ?? null;
      if (!job) {
        setText(elapsed, clock(0));
        return;
      }
      const { progress } = job;
      const fraction = progress && progress.total > 0 ? Math.min(1, progress.completed / progress.total) : 0;
      const words = progress?.step ?? text.jobOn(text.jobs[job.kind], job.subject);
      setText(step, words);
      setAttribute(step, 'lang', progress ? engineLanguage : null);
      fill.style.transform = `scaleX(${fraction})`;
      setAttribute(bar, 'aria-label', text.jobs[job.kind]);
      setAttribute(bar, 'aria-valuenow', progress ? Math.round(fraction * 100) : null);
      setAttribute(bar, 'aria-valuetext', progress ? text.bench.progress(words, fraction) : text.bench.waiting);
    },
  };
}
