import { h, setAttribute, setText } from '../../ui/dom';
import type { RunState } from '../state/phase';
import type { WidgetWords } from '../words';
import { button } from './button';
import type { WidgetContext, WidgetView } from './context';

export interface RunningView extends WidgetView {
  readonly update: (run: RunState) => void;
}

/** What a run is at; a sentence that a screen reader can say too. */
export function stepText({ step, download }: RunState, words: WidgetWords): string {
  return download ? words.downloading(download.receivedBytes, download.totalBytes) : words.steps[step];
}

/** A run under way: its step, one bar, what is left, and a way out. */
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
      // Without a value the bar says that how much there is to do is not known.
      setAttribute(bar, 'aria-valuenow', isBusy ? null : Math.floor(100 * part));
      setText(percent, isBusy ? '' : words.formats.percent(Math.floor(100 * part) / 100));
      setText(left, run.secondsLeft === null ? '' : words.left(run.secondsLeft));
    },
  };
}
