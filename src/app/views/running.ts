import type { Preview } from '../../engine/types';
import { fitCanvas, h, onResize, setAttribute, setText } from '../../ui-kit/dom';
import { clock } from '../../ui-kit/format';
import type { ThemeControl } from '../../ui-kit/pageFrame';
import type { Scope } from '../../ui-kit/scope';
import { groupProgress, type GroupProgress, STAGE_GROUPS } from '../../ui-kit/stageGroups';
import { text } from '../../ui-kit/texts/text';
import { AXIS_HEIGHT, NARROW_PIXELS, trackMetrics, wholeGeometry } from '../../ui-kit/tracks/geometry';
import { type Track, tracksSoFar } from '../../ui-kit/tracks/model';
import { paintBase } from '../../ui-kit/tracks/painter';
import { trackLabel, type Paints, readPaints } from '../../ui-kit/tracks/palette';
import { isStreamed } from '../models/choices';
import { downloadMeter, stepName } from '../models/modelBox';
import { engineRequest, jobOf } from '../state';
import type { View, ViewContext } from '../view';

interface StillTracks {
  readonly element: HTMLElement;
  /** Shows these tracks from 0 to `durationSeconds`. */
  readonly show: (tracks: readonly Track[], durationSeconds: number) => void;
}

/**
 * Static tracks on a single canvas, without playhead and zoom. Each update replaces the previous one, at most once per
 * frame.
 *
 * @param label accessible name of the canvas; the names and shares of the tracks are text next to it
 */
function createStillTracks(scope: Scope, theme: ThemeControl, label: string): StillTracks {
  const canvas = h('canvas', { class: 'tracks__canvas' });
  const stage = h('div', { class: 'tracks__still', role: 'img', 'aria-label': label }, canvas);
  const labels = h('ul', { class: 'tracks__labels' });
  const probe = h('span', { class: 'tracks__probe', hidden: true });
  const element = h('div', { class: 'tracks' }, labels, stage, probe);

  let tracks: readonly Track[] = [];
  let durationSeconds = 1;
  let paints: Paints | null = null;
  let frame = 0;
  scope.add(() => {
    cancelAnimationFrame(frame);
  });

  const paint = (): void => {
    frame = 0;
    const width = stage.clientWidth;
    const context = canvas.getContext('2d');
    if (width === 0 || !context) return;
    paints ??= readPaints(probe);
    const metrics = trackMetrics(element.clientWidth < NARROW_PIXELS);
    const geometry = wholeGeometry(metrics, { width, numTracks: tracks.length, durationSeconds });
    fitCanvas(context, geometry);
    paintBase(context, geometry, { tracks, marks: [], peaks: null, isProvisional: false, hidden: null }, paints);
  };
  const layOut = (): void => {
    const narrow = element.clientWidth < NARROW_PIXELS;
    const { trackHeight } = trackMetrics(narrow);
    element.classList.toggle('tracks--narrow', narrow);
    element.style.setProperty('--track-height', `${trackHeight}px`);
    element.style.setProperty('--tracks-top', `${AXIS_HEIGHT}px`);
    stage.style.height = `${AXIS_HEIGHT + tracks.length * trackHeight}px`;
    if (frame === 0) frame = requestAnimationFrame(paint);
  };
  onResize(scope, element, layOut);
  theme.onChange(scope, () => {
    paints = null;
    layOut();
  });
  // As in `createTracks`: the pixel density may change.
  scope.on(window, 'resize', layOut);

  return {
    element,
    show(next, seconds) {
      tracks = next;
      durationSeconds = Math.max(seconds, 0.001);
      labels.replaceChildren(...tracks.map(trackLabel));
      layOut();
    },
  };
}

/** The preview during a run. Hidden until there is something to show. */
function previewPanel(
  scope: Scope,
  theme: ThemeControl,
): { readonly element: HTMLElement; readonly update: (preview: Preview | null) => void } {
  const words = text.running.preview;
  const covers = h('span', { class: 'preview__covers' });
  const found = h('span');
  const tracks = createStillTracks(scope, theme, words.tracks);
  const element = h(
    'section',
    { class: 'panel preview', 'aria-label': words.tracks, 'data-testid': 'preview', hidden: true },
    h(
      'div',
      { class: 'preview__head' },
      h('h3', { class: 'legend' }, words.label),
      h('p', { class: 'status' }, covers, found),
      h('p', { class: 'fine' }, words.hint),
    ),
    tracks.element,
  );
  let shown: Preview | null = null;
  return {
    element,
    update(preview) {
      if (preview === shown) return;
      shown = preview;
      element.hidden = preview === null;
      if (!preview) return;
      const { analyzedSeconds, turns } = preview;
      const speakers = tracksSoFar(turns);
      setText(covers, words.covers(analyzedSeconds));
      setText(found, words.found(speakers.length, turns.length));
      tracks.element.hidden = speakers.length === 0;
      tracks.show(speakers, analyzedSeconds);
    },
  };
}

function stageRow(id: GroupProgress['id']): {
  readonly element: HTMLElement;
  readonly update: (progress: GroupProgress, isExpected: boolean) => void;
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
    update({ status, fraction, completed, total, secondsLeft }, isExpected) {
      element.hidden = !isExpected && status === 'waiting';
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

/** The stages that every run of a streamed model has. */
const STREAMED_GROUPS: ReadonlySet<GroupProgress['id']> = new Set(['decode', 'segmentation']);

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

  // The clock is independent of the progress: a long stage with rare reports must not look frozen.
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
  // Below the button, which must not move under the pointer when the first turns arrive.
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
      // Only during a download: usually, the models are available.
      if (isDownloading !== meter.element.isConnected) {
        if (isDownloading) stages.before(meter.element);
        else meter.element.remove();
      }
      if (download) meter.update(download);
      const step = isDownloading ? stepName(download, engineRequest(next).preset) : null;
      setText(status, step ?? (loading ? text.running.loading : text.running.working));
      preview.update(current.preview);
      // A streamed model has no other stages, or only if an option asks for them.
      const isWhole = !isStreamed(engineRequest(next).preset);
      groupProgress(current.stages).forEach((progress, index) => rows[index]?.update(progress, isWhole || STREAMED_GROUPS.has(progress.id)));
    },
  };
}
