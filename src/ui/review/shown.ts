import type { Scope } from '../../util/scope';

/** Calls back whenever an element that had no size gets one: its tab is shown. */
export function whenShown(scope: Scope, element: HTMLElement, onShown: () => void): void {
  let isShown = false;
  const observer = new ResizeObserver(() => {
    const wasShown = isShown;
    isShown = element.offsetWidth > 0;
    if (isShown && !wasShown) onShown();
  });
  observer.observe(element);
  scope.add(() => {
    observer.disconnect();
  });
}

/** Whether a part of a page that hides its tabs by `hidden` is in one of the hidden ones. */
export function isHidden(element: HTMLElement): boolean {
  return element.closest('[hidden]') !== null;
}
