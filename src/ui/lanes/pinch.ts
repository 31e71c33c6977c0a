import type { Scope } from '../../util/scope';

/** Takes part in a pinch with two fingers, or with a touch pad in Safari. */
export interface PinchHost {
  /** The zoom when a pinch begins. */
  readonly zoom: () => number;
  /** @param clientX middle of the pinch in the window */
  readonly zoomTo: (zoom: number, clientX: number) => void;
}

/** WebKit's events for pinches; other browsers have none. */
type GestureEvent = UIEvent & { readonly scale: number; readonly clientX: number };

/**
 * Zooms what is in `element` where two fingers pinch it, in place of the page. The style sheet has to forbid the browser's
 * own pinch there (`touch-action`).
 */
export function acceptPinches(scope: Scope, element: HTMLElement, host: PinchHost): void {
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
      // Once the browser scrolls it can no longer be stopped, and says so.
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
      // On a touch screen the touches say the same.
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

/** In pixels, and never 0, by which the zoom would be divided. */
const distanceOf = (first: Touch, second: Touch): number =>
  Math.max(1, Math.hypot(first.clientX - second.clientX, first.clientY - second.clientY));
