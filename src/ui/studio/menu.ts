import type { Scope } from '../../util/scope';
import { h } from '../dom';

export interface Menu {
  readonly element: HTMLElement;
  readonly open: () => void;
  readonly close: () => void;
}

/**
 * A button that opens a box below it: closed by Escape, by a press outside, and when the focus leaves it. The browser's
 * `details` does the rest: its summary is a button with its state for screen readers.
 */
export function createMenu(scope: Scope, label: readonly (Node | string)[], content: HTMLElement, testId: string): Menu {
  const summary = h('summary', { class: 'button', 'data-testid': testId }, ...label);
  const element = h('details', { class: 'menu' }, summary, h('div', { class: 'menu__box' }, content));
  const close = (): void => {
    if (!element.open) return;
    const hadFocus = element.matches(':focus-within');
    element.open = false;
    if (hadFocus) summary.focus();
  };
  scope.on(document, 'pointerdown', (event) => {
    // By its path: seen from the document, whatever is in a shadow root is its host.
    if (!event.composedPath().includes(element)) element.open = false;
  });
  scope.on(element, 'focusout', (event) => {
    if (event.relatedTarget instanceof Node && !element.contains(event.relatedTarget)) element.open = false;
  });
  scope.on(element, 'keydown', (event) => {
    if (event.key !== 'Escape' || !element.open) return;
    event.preventDefault();
    event.stopPropagation();
    close();
  });
  return {
    element,
    close,
    open() {
      element.open = true;
      content.querySelector<HTMLElement>('button, input, select, a')?.focus();
    },
  };
}
