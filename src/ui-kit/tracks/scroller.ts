import { h } from '../dom';
import type { Scope } from '../scope';
import { text } from '../texts/text';
import { AXIS_HEIGHT, type Geometry, INSET, trackMetrics, secondsAt, WAVE_HEIGHT, xOf } from './geometry';

/** The content that a pinch zooms. */
interface PinchHost {
  /** The current zoom. */
  readonly zoom: () => number;
  /** @param clientX center of the pinch in the window, CSS pixels */
  readonly zoomTo: (zoom: number, clientX: number) => void;
}

/** WebKit's own events for pinches. */
type GestureEvent = UIEvent & { readonly scale: number; readonly clientX: number };

/**
 * Zooms the content of `element` instead of the page on a pinch with two fingers, or on a touch pad in Safari. The style
 * sheet has to disable the browser's own pinch zoom there (`touch-action`).
 */
function acceptPinches(scope: Scope, element: HTMLElement, host: PinchHost): void {
  let pinch: { readonly distance: number; readonly zoom: number } | null = null;
  const end = (): void => {
    pinch = null;
  };
  const options = { passive: false };
  scope.on(
    element,
    'touchstart',
    (event) => {
      const [first, second] = event.touches;
      pinch = null;
      if (!first || !second || event.touches.length > 2) return;
      event.preventDefault();
      pinch = { distance: distanceOf(first, second), zoom: host.zoom() };
    },
    options,
  );
  scope.on(
    element,
    'touchmove',
    (event) => {
      const [first, second] = event.touches;
      if (!pinch || !first || !second) return;
      // A scroll that has begun cannot be canceled.
      if (event.cancelable) event.preventDefault();
      host.zoomTo((pinch.zoom * distanceOf(first, second)) / pinch.distance, (first.clientX + second.clientX) / 2);
    },
    options,
  );
  scope.on(element, 'touchend', end);
  scope.on(element, 'touchcancel', end);

  let gestureZoom = 1;
  const onGesture = (name: string, act: (event: GestureEvent) => void): void => {
    const listener = (event: Event): void => {
      event.preventDefault();
      // On a touch screen, the touch events do this already.
      if (!pinch) act(event as GestureEvent);
    };
    element.addEventListener(name, listener, options);
    scope.add(() => {
      element.removeEventListener(name, listener);
    });
  };
  onGesture('gesturestart', () => {
    gestureZoom = host.zoom();
  });
  onGesture('gesturechange', ({ scale, clientX }) => {
    host.zoomTo(gestureZoom * scale, clientX);
  });
}

/** In pixels; at least 1, because the zoom is divided by it. */
const distanceOf = (first: Touch, second: Touch): number =>
  Math.max(1, Math.hypot(first.clientX - second.clientX, first.clientY - second.clientY));

/** The closest zoom, in seconds across the window. */
const CLOSEST_SECONDS = 1;
/** Firefox fails on elements wider than 17.8 million pixels, other browsers on wider ones. */
const WIDEST_PIXELS = 16_000_000;
/** Up to this many tracks are shown in full. More scroll. */
const MAX_WHOLE_TRACKS = 20;
/** Number of visible tracks if they scroll. The half track shows that there are more. */
const WINDOW_TRACKS = 12.5;

interface Scroller {
  /** The scrolling window; it has the role `slider`. */
  readonly element: HTMLElement;
  /** Stays in the window and contains the canvases. */
  readonly stage: HTMLElement;
  readonly geometry: () => Geometry;
  readonly isZoomed: () => boolean;
  /** Adopts the element's width and sets the height for this number of tracks. */
  readonly layOut: (numTracks: number, isNarrow: boolean) => void;
  /** Sets the zoom, 1 for the whole recording, and keeps the time at `anchorPixel` in place. */
  readonly zoomTo: (zoom: number, anchorPixel: number) => void;
  readonly zoomBy: (factor: number, anchorPixel: number) => void;
  /** Scrolls a time to this many pixels from the window's left edge, as far as the recording allows. */
  readonly scrollTo: (seconds: number, pixel: number) => void;
  /** Scrolls a track into view if necessary. */
  readonly revealTrack: (track: number) => void;
}

interface ScrollerOptions {
  readonly durationSeconds: number;
  readonly hasWave: boolean;
  /** The window shows another part or has another size. */
  readonly onMoved: () => void;
  readonly onZoomed: (zoomed: boolean) => void;
}

/** The scrolling view of the recording. It uses native scrolling, which supports touch, wheel, keys and momentum. */
export function createScroller(scope: Scope, { durationSeconds, hasWave, onMoved, onZoomed }: ScrollerOptions): Scroller {
  const stage = h('div', { class: 'tracks__stage' });
  const width = h('div', { class: 'tracks__width' }, stage);
  const element = h(
    'div',
    {
      class: 'tracks__scroller',
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
  let numTracks = 0;
  /** Read once per scroll event: reading it between style writes would force a layout each time. */
  let scrollLeft = 0;
  let scrollTop = 0;

  const waveHeight = hasWave ? WAVE_HEIGHT : 0;
  const scrolls = (): boolean => numTracks > MAX_WHOLE_TRACKS;
  const geometry = (): Geometry => {
    const metrics = trackMetrics(isNarrow);
    const shownTracks = scrolls() ? WINDOW_TRACKS : numTracks;
    const secondsPerPixel = durationSeconds / Math.max(1, viewport * zoom - 2 * INSET);
    return {
      ...metrics,
      width: viewport,
      height: AXIS_HEIGHT + waveHeight + shownTracks * metrics.trackHeight,
      ...(scrolls() && { tracksScrolled: scrollTop, numTracks }),
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
    const { height, trackHeight } = geometry();
    width.style.height = `${AXIS_HEIGHT + waveHeight + numTracks * trackHeight}px`;
    stage.style.width = `${viewport}px`;
    stage.style.height = `${height}px`;
    // The height of the element includes the scrollbar at the bottom.
    element.style.height = scrolls() ? `${height + element.offsetHeight - element.clientHeight}px` : '';
    element.classList.toggle('tracks__scroller--tall', scrolls());
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
      // A pinch on a touch pad arrives as a wheel event with Ctrl.
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
    layOut(tracks, narrow) {
      numTracks = tracks;
      isNarrow = narrow;
      size();
    },
    zoomTo,
    zoomBy(factor, anchorPixel) {
      zoomTo(zoom * factor, anchorPixel);
    },
    revealTrack(track) {
      if (!scrolls()) return;
      const { height, trackHeight } = geometry();
      const visible = height - AXIS_HEIGHT - waveHeight;
      const top = track * trackHeight;
      if (top < scrollTop) element.scrollTop = top;
      else if (top + trackHeight > scrollTop + visible) element.scrollTop = top + trackHeight - visible;
      else return;
      readScroll();
      onMoved();
    },
    scrollTo(seconds, pixel) {
      scrollBy(xOf(geometry(), seconds) - pixel);
    },
  };
}
