import type { Scope } from '../../util/scope';
import { onResize } from '../onResize';

/** Calls back whenever an element that had no size gets one: its tab is shown. */
export function whenShown(scope: Scope, element: HTMLElement, onShown: () => void): void {
  let isShown = false;
  onResize(scope, element, () => {
    const wasShown = isShown;
    isShown = element.offsetWidth > 0;
    if (isShown && !wasShown) onShown();
  });
}

/** Whether a part of a page that hides its tabs by `hidden` is in one of the hidden ones. */
export function isHidden(element: HTMLElement): boolean {
  return element.closest('[hidden]') !== null;
}
