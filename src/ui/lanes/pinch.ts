import type { Scope } from '../../util/scope';

/** What a pinch zooms. */
export interface PinchHost {
  /** The present zoom. */
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
