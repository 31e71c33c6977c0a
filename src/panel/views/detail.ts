import type { Pair, StagePicture } from '../../compare/picture';
import type { StageReport } from '../../compare/report';
import { shapeText } from '../../compare/tensor';
import { h, icon, setText } from '../../ui-kit/dom';
import { engineLanguage } from '../../ui-kit/texts/language';
import { button, segmented } from '../../ui-kit/controls';
import { shortFigure } from '../figures';
import { heatDomain, legendErrors, levelOf } from '../plots/colorMap';
import { ClipPlayer, createWaveform } from '../plots/waveform';
import { columnOfSeconds, createHeatmap, secondsOfColumn, timeSpan } from '../plots/heatmap';
import { createHistogram } from '../plots/histogram';
import { createPaints } from '../plots/plot';
import { createSlice, type SliceData } from '../plots/slice';
import { availablePairs, type HeatScale, measuresOf, stageOf, stageRows, type State, worstOf } from '../state';
import { whenChanged, type Section, type SectionContext } from '../section';
import { placeText, quantilesText, text, worstSentence } from '../text';
import { neighborhood } from './neighborhood';

/**
 * The details of the selected stage: its place in the graph, and the location, size and values of its errors.
 *
 * @param onBack returns to the stage in the table
 */
export function detail(context: SectionContext, onBack: (stage: string) => void): Section {
  const { scope, actions, theme } = context;
  const heading = h('h3', { class: 'title', 'data-testid': 'detail-stage' });
  const worst = h('p', { class: 'status mono', 'data-testid': 'worst' });
  const quantiles = h('p', { class: 'fine mono', 'data-testid': 'quantiles' });
  const allowed = h('p', { class: 'fine', 'data-testid': 'allowed' });
  const pairs = segmented<Pair>(scope, text.detail.pair, 'pair', Object.entries(text.pairs) as [Pair, string][], (pair) => {
    actions.look({ pair });
  });
  // Only bundled models have this pair.
  const kernelsPair = pairs.element.querySelector<HTMLElement>('[data-testid="pair-golden-kernels"]')!;
  const scales = segmented<HeatScale>(scope, text.detail.scale, 'scale', Object.entries(text.detail.scales) as [HeatScale, string][], (scale) => {
    actions.look({ scale });
  });
  const playLabel = h('span', {}, text.detail.playWorst);
  const play = button(scope, { 'data-testid': 'play-worst' }, () => {
    if (player.isPlaying) player.stop();
    else playWorst();
  }, icon('play'), playLabel);

  const back = button(
    scope,
    { class: 'link-button detail__back', 'data-testid': 'back-to-table' },
    () => {
      if (latest?.look.stage != null) onBack(latest.look.stage);
    },
    icon('back'),
    text.detail.back,
  );
  const graph = neighborhood(context);
  const paints = createPaints(scope, theme);
  const player = new ClipPlayer(scope, () => {
    setText(playLabel, player.isPlaying ? text.detail.stop : text.detail.playWorst);
    play.firstElementChild?.replaceWith(icon(player.isPlaying ? 'pause' : 'play'));
    if (!player.isPlaying) played = null;
    markWaveform();
  });
  const waveform = createWaveform(scope, paints, (seconds) => {
    const column = latest?.picture && columnOfSeconds(seconds, latest.picture);
    if (column !== null && column !== undefined) actions.look({ column });
    playAround(seconds);
  });
  const heatmap = createHeatmap(scope, {
    paints,
    onColumn(column) {
      actions.look({ column });
    },
    onPlay(column) {
      const seconds = latest?.picture && secondsOfColumn(column, latest.picture);
      if (seconds !== null && seconds !== undefined) playAround(seconds);
    },
  });
  const histogram = createHistogram(scope, paints);
  const slice = createSlice(scope, paints);
  const legend = h('div', { class: 'heat-legend' });
  const sliceTitle = h('h4', { class: 'legend', 'data-testid': 'slice-title' });
  const zeros = h('p', { class: 'fine' });
  const message = h('div', { class: 'detail__message', role: 'status' });
  const plots = h(
    'div',
    { class: 'detail__plots', hidden: true, 'data-testid': 'plots' },
    waveform.element,
    heatmap.element,
    legend,
    h(
      'div',
      { class: 'detail__pair' },
      h('div', {}, sliceTitle, slice.element),
      h('div', {}, h('h4', { class: 'legend' }, text.detail.histogram), histogram.element, zeros),
    ),
  );
  const element = h(
    'section',
    { class: 'panel detail', hidden: true, 'data-testid': 'detail' },
    back,
    h(
      'div',
      { class: 'view-head' },
      h('div', { class: 'view-head__text' }, h('p', { class: 'legend' }, text.detail.label), heading, worst, quantiles, allowed),
      h('div', { class: 'detail__controls' }, pairs.element, scales.element, play),
    ),
    graph.element,
    message,
    plots,
    paints.probe,
  );

  let latest: State | null = null;
  let played: readonly [number, number] | null = null;

  function playAround(seconds: number): void {
    const sound = latest?.opened?.waveform;
    if (!sound) return;
    played = player.play(sound, seconds);
    markWaveform();
  }

  function playWorst(): void {
    const seconds = latest && worstOf(latest)?.seconds;
    if (seconds !== null && seconds !== undefined) {
      const column = latest?.picture && columnOfSeconds(seconds, latest.picture);
      if (column !== null && column !== undefined) actions.look({ column });
      playAround(seconds);
    }
  }

  function markWaveform(): void {
    const picture = latest?.picture;
    const column = latest?.look.column ?? picture?.slice.column;
    waveform.mark(picture && column !== undefined ? secondsOfColumn(column, picture) : null, played);
  }

  const showPicture = whenChanged(
    ({ picture, pictureFailure, look, tolerances }) => [picture, pictureFailure, look.scale, tolerances],
    (state) => {
      const { picture, pictureFailure, look, opened } = state;
      plots.hidden = picture === null;
      message.replaceChildren(
        picture
          ? ''
          : pictureFailure
            ? h(
                'p',
                {},
                h('b', {}, text.detail.none),
                ' ',
                h('span', { lang: engineLanguage }, text.detail.whyNone(pictureFailure.problem, pictureFailure.remedy)),
              )
            : h('p', { class: 'fine' }, text.detail.drawing),
      );
      if (!picture) return;
      const span = timeSpan(picture);
      waveform.element.hidden = !opened?.waveform || !span;
      if (opened?.waveform && span) waveform.show(opened.waveform, ...span);
      const allowed = look.pair === 'wasm-webgpu' ? null : finiteOrNull(stageRows(state).find(({ name }) => name === look.stage)?.tolerance.maxAbs);
      heatmap.show(picture, look.scale, alternativeOf(state));
      showLegend(legend, picture, look.scale, allowed);
      histogram.show(picture.histogram, allowed);
      setText(zeros, text.detail.histogramZeros(picture.histogram.zeros));
      slice.show(sliceOf(picture, look.pair));
      setText(sliceTitle, sliceTitleOf(picture, look.pair));
    },
  );

  return {
    element,
    update(state) {
      const { look } = state;
      latest = state;
      element.hidden = look.stage === null || availablePairs(state).length === 0;
      if (element.hidden) return;
      setText(heading, look.stage ?? '');
      graph.update(state);
      const stage = lookedAt(state);
      const { leftName, rightName } = sidesOf(look.pair);
      setText(worst, stage ? worstSentence(worstOf(state), stage, [leftName, rightName]) : '');
      setText(quantiles, quantilesText(measuresOf(state)?.quantiles ?? null));
      const tolerance = look.pair === 'wasm-webgpu' ? null : (state.tolerances.get(look.stage!) ?? stage?.tolerance);
      setText(allowed, tolerance ? text.detail.allowed(text.table.allowed(tolerance.rtol ?? null, tolerance.maxAbs, tolerance.cosine)) : '');
      pairs.update(look.pair, (pair) => availablePairs(state).includes(pair));
      kernelsPair.hidden = !state.reports.kernels;
      scales.update(look.scale, () => true);
      play.hidden = !state.opened?.waveform || worstOf(state)?.seconds == null;
      showPicture(state);
      if (look.column !== null) heatmap.setColumn(look.column);
      markWaveform();
    },
  };
}

function sidesOf(pair: Pair): { leftName: string; rightName: string } {
  const { golden, wasm, webgpu, kernels } = text.detail.sides;
  if (pair === 'wasm-webgpu') return { leftName: wasm, rightName: webgpu };
  return { leftName: golden, rightName: { 'golden-wasm': wasm, 'golden-webgpu': webgpu, 'golden-kernels': kernels }[pair] };
}

function sliceOf(picture: StagePicture, pair: Pair): SliceData {
  const { left, right } = picture.slice;
  const isAlongRows = picture.rowSize > 1;
  return {
    left,
    right,
    ...sidesOf(pair),
    axis: isAlongRows ? picture.rowAxis : picture.columnAxis,
    axisSize: isAlongRows ? picture.rowSize : picture.columnSize,
  };
}

function sliceTitleOf(picture: StagePicture, pair: Pair): string {
  if (picture.rowSize === 1) return text.detail.sliceWhole;
  const words = pair === 'wasm-webgpu' ? text.detail.sliceBetween : text.detail.slice;
  return words(picture.columnAxis, picture.slice.column);
}

const lookedAt = ({ look, reports }: State): StageReport | null =>
  stageOf(reports.wasm, look.stage) ?? stageOf(reports.webgpu, look.stage);

const finiteOrNull = (value: number | undefined): number | null => (value === undefined || value === Infinity ? null : value);

function alternativeOf(state: State): string {
  const { look, picture } = state;
  const stage = lookedAt(state);
  const worst = worstOf(state);
  if (!stage || !picture) return '';
  const where = worst ? placeText(worst.index, stage.axes, stage.shape) : text.detail.notFinite;
  return text.detail.heatAlternative(stage.name, text.pairs[look.pair], shapeText(stage.shape), picture.maxError, where);
}

/** The color legend with the errors and the tolerance. */
function showLegend(legend: HTMLElement, { maxError, heat }: StagePicture, scale: HeatScale, allowed: number | null): void {
  const domain = heatDomain(maxError, scale);
  const part = (error: number): string => `--part:${levelOf(error, domain)}`;
  legend.replaceChildren(
    h('span', { class: 'legend' }, text.detail.heat),
    h(
      'div',
      { class: 'heat-legend__scale' },
      h('div', { class: 'heat-legend__ramp' }),
      ...legendErrors(domain).map((error) => h('span', { class: 'heat-legend__tick', style: part(error) }, shortFigure(error))),
      allowed !== null &&
        allowed > domain.least &&
        allowed < domain.greatest &&
        h('span', { class: 'heat-legend__tolerance', style: part(allowed) }, text.detail.tolerance),
    ),
    heat.some(Number.isNaN) ? h('span', { class: 'heat-legend__odd' }, text.detail.notFinite) : '',
  );
}
