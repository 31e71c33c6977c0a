import type { Scope } from '../util/scope';

/**
 * Calls back in the frame after the size of an element changed, and once in the frame after this call. Ends with `scope`.
 *
 * Not in the observer's own callback: a listener that changes the size of what is observed would make browsers report
 * "ResizeObserver loop completed with undelivered notifications" as an error of the page.
 */
export function onResize(scope: Scope, element: Element, listener: () => void): void {
  let frame = 0;
  const observer = new ResizeObserver(() => {
    if (frame !== 0) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      listener();
    });
  });
  observer.observe(element);
  scope.add(() => {
    observer.disconnect();
    cancelAnimationFrame(frame);
  });
}
