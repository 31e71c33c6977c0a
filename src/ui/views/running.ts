import { h, setAttribute, setText } from '../dom';
import { clock } from '../format';
import { downloadMeter } from '../models/views/downloadMeter';
import { groupProgress, STAGE_GROUPS, type GroupProgress } from '../stageGroups';
import { jobOf } from '../state';
import { text } from '../text';
import type { View, ViewContext } from '../view';
import { previewPanel } from './preview';

function stageRow(id: GroupProgress['id']): {
  readonly element: HTMLElement;
  readonly update: (progress: GroupProgress) => void;
} {
  const name = text.running.stages[id];
  const counts = h('span', { class: 'stage__count' });
  const left = h('span', { class: 'stage__left' });
  const fill = h('div', { class: 'bar__fill' });
  const bar = h(
    'div',
    { class: 'bar', role: 'progressbar', 'aria-label': name, 'aria-valuemin': 0, 'aria-valuemax': 100 },
    fill,
  );
  const element = h(
    'li',
    { class: 'stage', 'data-testid': `stage-${id}` },
    h('span', { class: 'stage__name' }, name),
    bar,
    counts,
    left,
  );
  return {
    element,
    update({ status, fraction, completed, total, secondsLeft }) {
      element.dataset.status = status;
      fill.style.transform = `scaleX(${fraction})`;
      setAttribute(bar, 'aria-valuenow', Math.round(fraction * 100));
      setAttribute(bar, 'aria-valuetext', text.running.bar(name, fraction));
      setText(counts, status === 'waiting' ? '' : text.running.of(completed, total));
      setText(
        left,
        status === 'waiting'
          ? text.running.waiting
          : status === 'done'
            ? text.running.done
            : secondsLeft === null
              ? ''
              : text.running.left(secondsLeft),
      );
    },
  };
}

export function runningView({ scope, state, actions, theme }: ViewContext): View {
  const job = jobOf(state);
  const startedAt = job?.startedAt ?? performance.now();
  const heading = h('h2', { class: 'title' }, job?.source.name ?? '');
  const status = h('p', { class: 'status' });
  const elapsed = h('span', { class: 'readout__value' }, clock(0));
  const rows = STAGE_GROUPS.map(({ id }) => stageRow(id));
  const cancel = h(
    'button',
    { type: 'button', class: 'button', 'data-testid': 'cancel', 'aria-keyshortcuts': 'Escape' },
    text.running.cancel,
    h('kbd', { 'aria-hidden': 'true' }, text.running.escape),
  );
  scope.on(cancel, 'click', actions.cancel);

  const stages = h('ol', { class: 'stages' }, ...rows.map((row) => row.element));
  const meter = downloadMeter();
  const preview = previewPanel(scope, theme);

  // The clock runs apart from the progress: a stage that is long between two reports must not look frozen.
  const tick = (): void => {
    setText(elapsed, clock(Math.floor((performance.now() - startedAt) / 1000)));
  };
  const timer = setInterval(tick, 250);
  scope.add(() => {
    clearInterval(timer);
  });
  tick();

  const panel = h(
    'div',
    { class: 'panel running' },
    h(
      'div',
      { class: 'view-head' },
      h('div', { class: 'view-head__text' }, h('p', { class: 'legend' }, text.running.label), heading, status),
      h(
        'div',
        { class: 'readout', role: 'timer', 'aria-live': 'off' },
        h('span', { class: 'legend' }, text.running.elapsed),
        elapsed,
      ),
    ),
    stages,
    h('div', { class: 'button-row' }, cancel),
  );
  // Below the button, which must not move away from under the pointer when the first turns come.
  const element = h('div', { class: 'view view--running' }, panel, preview.element);

  return {
    element,
    heading,
    update(next) {
      const current = jobOf(next);
      if (!current) return;
      const loading = next.phase.kind === 'loading';
      element.classList.toggle('is-loading', loading);
      const { download } = next.models;
      const isDownloading = loading && download !== null;
      // Only while there is something to download: mostly the models are here.
      if (isDownloading !== meter.element.isConnected) {
        if (isDownloading) stages.before(meter.element);
        else meter.element.remove();
      }
      if (download) meter.update(download);
      const isArriving = isDownloading && download.receivedBytes < download.totalBytes;
      setText(status, isArriving ? text.models.downloading : loading ? text.running.loading : text.running.working);
      preview.update(current.preview);
      groupProgress(current.stages).forEach((progress, index) => rows[index]?.update(progress));
    },
  };
}
