import type { Scope } from '../../util/scope';

export interface ChoiceListeners {
  /** Somebody has chosen. */
  readonly onChosen: () => void;
  /** The list shows another entry, which is not chosen yet. */
  readonly onStep?: () => void;
  /** Somebody left the list without choosing: it is to show again what it showed before. */
  readonly onLeft: () => void;
}

/**
 * Tells a choice in a list from a step on the way to it. A choice is made by mouse, in the open list, or with Enter. The
 * arrow keys and letters step through the closed list, and each step is a change. Escape and Tab, or whatever else takes the
 * focus away, choose nothing.
 */
export function onChoice(scope: Scope, select: HTMLSelectElement, { onChosen, onStep, onLeft }: ChoiceListeners): void {
  let isStepping = false;
  const leave = (): void => {
    if (!isStepping) return;
    isStepping = false;
    onLeft();
  };
  scope.on(select, 'keydown', (event) => {
    if (event.key === 'Enter' && isStepping) {
      isStepping = false;
      event.preventDefault();
      onChosen();
    } else if (event.key === 'Escape') leave();
    else if (!event.altKey && event.key !== 'Enter' && event.key !== 'Tab' && event.key !== ' ') isStepping = true;
  });
  scope.on(select, 'pointerdown', () => {
    isStepping = false;
  });
  scope.on(select, 'change', () => {
    if (isStepping) onStep?.();
    else onChosen();
  });
  scope.on(select, 'blur', leave);
}
