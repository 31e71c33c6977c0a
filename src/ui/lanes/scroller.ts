import type { Scope } from '../../util/scope';
import { h } from '../dom';
import { text } from '../text';
import { acceptPinches } from './pinch';
import { AXIS_HEIGHT, INSET, laneMetrics, secondsAt, WAVE_HEIGHT, xOf, type Geometry } from './geometry';

/** The closest zoom, in seconds across the window. */
const CLOSEST_SECONDS = 1;
/** Firefox gives up on elements wider than 17.8 million pixels, other browsers on wider ones. */
const WIDEST_PIXELS = 16_000_000;
/** Up to this many lanes are shown in full. More scroll. */
const MOST_WHOLE_LANES = 20;
/** Visible lanes if they scroll. The half lane hints at more. */
const WINDOW_LANES = 12.5;

export interface Scroller {
  /** The scrolling window; it has the role `slider`. */
  readonly element: HTMLElement;
  /** Stays in the window and holds the canvases. */
  readonly stage: HTMLElement;
  readonly geometry: () => Geometry;
  readonly isZoomed: () => boolean;
  /** Takes over the element's width, and heights for so many lanes. */
  readonly layOut: (numLanes: number, isNarrow: boolean) => void;
  /** Sets the zoom, 1 for the whole recording, so that what is at `anchorPixel` stays there. */
  readonly zoomTo: (zoom: number, anchorPixel: number) => void;
  readonly zoomBy: (factor: number, anchorPixel: number) => void;
  /** Puts a moment so many pixels from the window's left edge, as far as the recording allows. */
  readonly scrollTo: (seconds: number, pixel: number) => void;
  /** Scrolls a lane into view if necessary. */
  readonly revealLane: (lane: number) => void;
}

export interface ScrollerOptions {
  readonly durationSeconds: number;
  readonly hasWave: boolean;
  /** The window shows something else, or in another size. */
  readonly onMoved: () => void;
  readonly onZoomed: (zoomed: boolean) => void;
}

/** The window onto the recording. The browser's own scrolling moves it: that comes with touch, wheel, keys and momentum. */
export function createScroller(scope: Scope, { durationSeconds, hasWave, onMoved, onZoomed }: ScrollerOptions): Scroller {
  const stage = h('div', { class: 'lanes__stage' });
  const width = h('div', { class: 'lanes__width' }, stage);
  const element = h(
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

  let zoom = 1;
  let viewport = 0;
  let isNarrow = false;
  let numLanes = 0;
  /** Read once per scroll event: reading it between writes of styles would lay out the page each time. */
  let scrollLeft = 0;
  let scrollTop = 0;

  const waveHeight = hasWave ? WAVE_HEIGHT : 0;
  const scrolls = (): boolean => numLanes > MOST_WHOLE_LANES;
  const geometry = (): Geometry => {
    const metrics = laneMetrics(isNarrow);
    const shownLanes = scrolls() ? WINDOW_LANES : numLanes;
    const secondsPerPixel = durationSeconds / Math.max(1, viewport * zoom - 2 * INSET);
    return {
      ...metrics,
      width: viewport,
      height: AXIS_HEIGHT + waveHeight + shownLanes * metrics.laneHeight,
      ...(scrolls() && { lanesScrolled: scrollTop, numLanes }),
      axisHeight: AXIS_HEIGHT,
      waveHeight,
      startSeconds: scrollLeft * secondsPerPixel,
      secondsPerPixel,
      inset: INSET,
      durationSeconds,
    };
  };

  const readScroll = (): void => {
    scrollLeft = element.scrollLeft;
    scrollTop = scrolls() ? element.scrollTop : 0;
  };
  const size = (): void => {
    viewport = element.clientWidth;
    width.style.width = zoom === 1 ? '100%' : `${Math.round(viewport * zoom)}px`;
    const { height, laneHeight } = geometry();
    width.style.height = `${AXIS_HEIGHT + waveHeight + numLanes * laneHeight}px`;
    stage.style.width = `${viewport}px`;
    stage.style.height = `${height}px`;
    // The height of the element includes the scrollbar at the bottom.
    element.style.height = scrolls() ? `${height + element.offsetHeight - element.clientHeight}px` : '';
    element.classList.toggle('lanes__scroller--tall', scrolls());
    readScroll();
    onMoved();
  };
  const scrollBy = (pixels: number): void => {
    element.scrollLeft += pixels;
    scrollLeft = element.scrollLeft;
    onMoved();
  };
  const zoomTo = (next: number, anchorPixel: number): void => {
    const closest = Math.min(durationSeconds / CLOSEST_SECONDS, WIDEST_PIXELS / Math.max(1, viewport));
    const clamped = Math.min(Math.max(1, next), Math.max(1, closest));
    if (clamped === zoom) return;
    const anchorSeconds = secondsAt(geometry(), anchorPixel);
    zoom = clamped;
    size();
    scrollBy(xOf(geometry(), anchorSeconds) - anchorPixel);
    onZoomed(zoom > 1);
  };

  scope.on(
    element,
    'scroll',
    () => {
      readScroll();
      onMoved();
    },
    { passive: true },
  );
  scope.on(
    element,
    'wheel',
    (event) => {
      // Pinching on a touch pad arrives as a wheel with Ctrl.
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoomTo(zoom * Math.exp(-event.deltaY * 0.005), event.clientX - stage.getBoundingClientRect().left);
    },
    { passive: false },
  );

  acceptPinches(scope, element, {
    zoom: () => zoom,
    zoomTo: (next, clientX) => {
      zoomTo(next, clientX - stage.getBoundingClientRect().left);
    },
  });

  return {
    element,
    stage,
    geometry,
    isZoomed: () => zoom > 1,
    layOut(lanes, narrow) {
      numLanes = lanes;
      isNarrow = narrow;
      size();
    },
    zoomTo,
    zoomBy(factor, anchorPixel) {
      zoomTo(zoom * factor, anchorPixel);
    },
    revealLane(lane) {
      if (!scrolls()) return;
      const { height, laneHeight } = geometry();
      const visible = height - AXIS_HEIGHT - waveHeight;
      const top = lane * laneHeight;
      if (top < scrollTop) element.scrollTop = top;
      else if (top + laneHeight > scrollTop + visible) element.scrollTop = top + laneHeight - visible;
      else return;
      readScroll();
      onMoved();
    },
    scrollTo(seconds, pixel) {
      scrollBy(xOf(geometry(), seconds) - pixel);
    },
  };
}
