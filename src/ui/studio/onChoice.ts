import type { Scope } from '../../util/scope';

export interface ChoiceListeners {
  /** An entry was chosen. */
  readonly onChosen: () => void;
  /** The list shows another entry, which is not chosen yet. */
  readonly onStep?: () => void;
  /** The list was left without a choice: it has to show the previous entry again. */
  readonly onLeft: () => void;
}

/**
 * Separates a choice in a list from the steps on the way to it. A choice is made with the mouse, in the open list, or with
 * Enter. Arrow keys and letters step through the closed list, and each step fires `change`. Escape, Tab and any other loss of
 * focus choose nothing.
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
