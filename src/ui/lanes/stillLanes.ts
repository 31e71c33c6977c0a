import type { Scope } from '../../util/scope';
import { fitCanvas } from '../canvas';
import { h } from '../dom';
import { onResize } from '../onResize';
import type { ThemeControl } from '../theme';
import { AXIS_HEIGHT, INSET, laneMetrics, NARROW_PIXELS, type Geometry } from './geometry';
import { laneLabel } from './label';
import type { Lane } from './model';
import { paintBase } from './painter';
import { readPaints, type Paints } from './palette';

export interface StillLanes {
  readonly element: HTMLElement;
  /** Shows these lanes, from the start to `durationSeconds`. */
  readonly show: (lanes: readonly Lane[], durationSeconds: number) => void;
}

/**
 * Lanes to look at: one canvas, whatever the number of turns, without playhead and zoom. Each showing replaces the one
 * before, at most once per frame.
 *
 * @param label name of the picture for those who cannot see it; the lanes' names and shares beside it are text
 */
export function createStillLanes(scope: Scope, theme: ThemeControl, label: string): StillLanes {
  const canvas = h('canvas', { class: 'lanes__canvas' });
  const stage = h('div', { class: 'lanes__still', role: 'img', 'aria-label': label }, canvas);
  const labels = h('ul', { class: 'lanes__labels' });
  const probe = h('span', { class: 'lanes__probe', hidden: true });
  const element = h('div', { class: 'lanes' }, labels, stage, probe);

  let lanes: readonly Lane[] = [];
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
    const metrics = laneMetrics(element.clientWidth < NARROW_PIXELS);
    const geometry: Geometry = {
      ...metrics,
      width,
      height: AXIS_HEIGHT + lanes.length * metrics.laneHeight,
      axisHeight: AXIS_HEIGHT,
      waveHeight: 0,
      startSeconds: 0,
      secondsPerPixel: durationSeconds / Math.max(1, width - 2 * INSET),
      inset: INSET,
      durationSeconds,
    };
    fitCanvas(context, geometry);
    paintBase(context, geometry, { lanes, marks: [], peaks: null, isProvisional: false, hidden: null }, paints);
  };
  const layOut = (): void => {
    const narrow = element.clientWidth < NARROW_PIXELS;
    const { laneHeight } = laneMetrics(narrow);
    element.classList.toggle('lanes--narrow', narrow);
    element.style.setProperty('--lane-height', `${laneHeight}px`);
    element.style.setProperty('--lanes-top', `${AXIS_HEIGHT}px`);
    stage.style.height = `${AXIS_HEIGHT + lanes.length * laneHeight}px`;
    if (frame === 0) frame = requestAnimationFrame(paint);
  };
  onResize(scope, element, layOut);
  theme.onChange(scope, () => {
    paints = null;
    layOut();
  });
  // As in `createLanes`: a screen of another density.
  scope.on(window, 'resize', layOut);

  return {
    element,
    show(next, seconds) {
      lanes = next;
      durationSeconds = Math.max(seconds, 0.001);
      labels.replaceChildren(...lanes.map(laneLabel));
      layOut();
    },
  };
}
