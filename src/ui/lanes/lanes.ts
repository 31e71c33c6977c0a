import type { Turn } from '../../pipeline/types';
import type { Scope } from '../../util/scope';
import { fitCanvas } from '../canvas';
import { h } from '../dom';
import { text } from '../text';
import type { ThemeControl } from '../theme';
import { AXIS_HEIGHT, INSET, laneAt, laneMetrics, NARROW_PIXELS, secondsAt, xOf, type Geometry } from './geometry';
import { laneLabel } from './label';
import { turnAt, type Lane } from './model';
import { readPaints, type Paints } from './palette';
import { paintBase, paintOverlay } from './painter';

/** The closest zoom, in seconds across the window. */
const CLOSEST_SECONDS = 4;
/** Browsers give up on elements of some ten million pixels. */
const WIDEST_PIXELS = 8_000_000;
const HIT_PIXELS = 3;

export interface Lanes {
  readonly element: HTMLElement;
  readonly setLanes: (lanes: readonly Lane[]) => void;
  /** Moves the playhead; while playing, the window turns its page with it. */
  readonly setPosition: (seconds: number, playing: boolean) => void;
  /** Multiplies the zoom; `0` shows the whole recording. */
  readonly zoom: (factor: number) => void;
  readonly speakingAt: (seconds: number) => readonly Lane[];
  /** All lanes from top to bottom. */
  readonly order: () => readonly Lane[];
  /** The element with the role `slider`, for the keys that belong to it. */
  readonly slider: HTMLElement;
}

export interface LanesOptions {
  readonly durationSeconds: number;
  readonly theme: ThemeControl;
  readonly onSeek: (seconds: number) => void;
  readonly onTurn: (turn: Turn) => void;
  readonly onZoomed: (zoomed: boolean) => void;
}

export function createLanes(scope: Scope, options: LanesOptions): Lanes {
  // A recording of no length would divide by zero in every position.
  const durationSeconds = Math.max(options.durationSeconds, 0.001);
  const base = h('canvas', { class: 'lanes__canvas' });
  const overlay = h('canvas', { class: 'lanes__canvas' });
  const stage = h('div', { class: 'lanes__stage' }, base, overlay);
  const width = h('div', { class: 'lanes__width' }, stage);
  // The browser's own scrolling moves the window: it comes with touch, wheel, keys and momentum.
  const scroller = h(
    'div',
    {
      class: 'lanes__scroller',
      tabindex: 0,
      role: 'slider',
      'aria-label': text.done.position,
      'aria-valuemin': 0,
      'aria-valuemax': Math.round(durationSeconds),
    },
    width,
  );
  const labels = h('ul', { class: 'lanes__labels' });
  const probe = h('span', { class: 'lanes__probe', hidden: true });
  const element = h(
    'div',
    { class: 'lanes', role: 'group', 'aria-label': text.done.lanes, 'data-testid': 'lanes' },
    labels,
    scroller,
    probe,
  );

  let lanes: readonly Lane[] = [];
  let labelItems: HTMLElement[] = [];
  let paints: Paints | null = null;
  let zoom = 1;
  let viewport = 0;
  let narrow = false;
  let position = 0;
  let pointer: number | null = null;
  let frame = 0;
  let baseStale = true;
  scope.add(() => {
    cancelAnimationFrame(frame);
  });

  const geometry = (): Geometry => {
    const metrics = laneMetrics(narrow);
    const secondsPerPixel = durationSeconds / Math.max(1, viewport * zoom - 2 * INSET);
    return {
      ...metrics,
      width: viewport,
      height: AXIS_HEIGHT + lanes.length * metrics.laneHeight,
      axisHeight: AXIS_HEIGHT,
      startSeconds: scroller.scrollLeft * secondsPerPixel,
      secondsPerPixel,
      inset: INSET,
      durationSeconds,
    };
  };

  const paint = (): void => {
    frame = 0;
    if (viewport === 0) return;
    paints ??= readPaints(probe, lanes.length);
    const now = geometry();
    const onBase = base.getContext('2d');
    const onOverlay = overlay.getContext('2d');
    if (!onBase || !onOverlay) return;
    if (baseStale) {
      baseStale = false;
      for (const context of [onBase, onOverlay]) fitCanvas(context, now);
      paintBase(onBase, now, lanes, paints);
    }
    paintOverlay(onOverlay, now, position, pointer, paints);
  };
  const repaint = (withBase: boolean): void => {
    baseStale ||= withBase;
    if (frame === 0) frame = requestAnimationFrame(paint);
  };

  const layOut = (): void => {
    narrow = element.clientWidth < NARROW_PIXELS;
    element.classList.toggle('lanes--narrow', narrow);
    viewport = scroller.clientWidth;
    const { height, laneHeight } = geometry();
    width.style.width = zoom === 1 ? '100%' : `${Math.round(viewport * zoom)}px`;
    width.style.height = `${height}px`;
    stage.style.width = `${viewport}px`;
    element.style.setProperty('--lane-height', `${laneHeight}px`);
    element.style.setProperty('--axis-height', `${AXIS_HEIGHT}px`);
    repaint(true);
  };

  const zoomTo = (next: number, anchorPixel: number): void => {
    const closest = Math.min(durationSeconds / CLOSEST_SECONDS, WIDEST_PIXELS / Math.max(1, viewport));
    const clamped = Math.min(Math.max(1, next), Math.max(1, closest));
    if (clamped === zoom) return;
    const anchorSeconds = secondsAt(geometry(), anchorPixel);
    zoom = clamped;
    layOut();
    scroller.scrollLeft += xOf(geometry(), anchorSeconds) - anchorPixel;
    options.onZoomed(zoom > 1);
  };

  const observer = new ResizeObserver(layOut);
  observer.observe(element);
  scope.add(() => {
    observer.disconnect();
  });
  options.theme.onChange(scope, () => {
    paints = null;
    repaint(true);
  });
  // Moving to a screen of another density changes no size in CSS pixels, but the window hears of it.
  scope.on(window, 'resize', layOut);
  scope.on(scroller, 'scroll', () => {
    repaint(true);
  }, { passive: true });

  /** The lane turn under the pointer, for a click and for the cursor. */
  const hit = (event: MouseEvent): { seconds: number; turn: Turn | null } => {
    const box = stage.getBoundingClientRect();
    const now = geometry();
    const seconds = secondsAt(now, event.clientX - box.left);
    const lane = lanes[laneAt(now, event.clientY - box.top) ?? -1];
    return { seconds, turn: lane ? turnAt(lane.turns, seconds, HIT_PIXELS * now.secondsPerPixel) : null };
  };
  scope.on(stage, 'click', (event) => {
    const { seconds, turn } = hit(event);
    if (turn) options.onTurn(turn);
    else options.onSeek(seconds);
  });
  scope.on(stage, 'pointermove', (event) => {
    if (event.pointerType !== 'mouse') return;
    pointer = event.clientX - stage.getBoundingClientRect().left;
    stage.classList.toggle('is-over-turn', hit(event).turn !== null);
    repaint(false);
  });
  scope.on(stage, 'pointerleave', () => {
    pointer = null;
    repaint(false);
  });
  scope.on(
    scroller,
    'wheel',
    (event) => {
      // Pinching on a touch pad arrives as a wheel with Ctrl.
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoomTo(zoom * Math.exp(-event.deltaY * 0.005), event.clientX - stage.getBoundingClientRect().left);
    },
    { passive: false },
  );

  const speakingAt = (seconds: number): readonly Lane[] =>
    lanes.filter(({ turns }) => turnAt(turns, seconds) !== null);

  const describe = (): void => {
    const speaking = speakingAt(position);
    labelItems.forEach((item, index) => {
      const lane = lanes[index];
      item.classList.toggle('is-speaking', lane !== undefined && speaking.includes(lane));
    });
  };

  return {
    element,
    slider: scroller,
    speakingAt,
    order: () => lanes,
    setLanes(next) {
      lanes = next;
      paints = null;
      labelItems = lanes.map(laneLabel);
      labels.replaceChildren(...labelItems);
      describe();
      layOut();
    },
    setPosition(seconds, playing) {
      const before = geometry();
      const wasVisible = isWithin(xOf(before, position), before.width);
      position = seconds;
      const x = xOf(before, seconds);
      if (zoom > 1 && !isWithin(x, before.width) && (wasVisible || !playing)) {
        scroller.scrollLeft += x - before.width * 0.1;
      }
      if (!playing) {
        // A slider whose value is spoken for each frame would never be silent.
        const names = speakingAt(seconds).map(({ name }) => name);
        scroller.setAttribute('aria-valuenow', String(Math.round(seconds)));
        scroller.setAttribute('aria-valuetext', text.done.at(seconds, names.join(', ') || text.done.silence));
      }
      describe();
      repaint(false);
    },
    zoom(factor) {
      const now = geometry();
      const x = xOf(now, position);
      zoomTo(factor === 0 ? 1 : zoom * factor, isWithin(x, now.width) ? x : now.width / 2);
    },
  };
}

const isWithin = (x: number, width: number): boolean => x >= 0 && x <= width;
