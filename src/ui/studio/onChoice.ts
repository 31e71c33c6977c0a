import type { Scope } from '../../util/scope';

/**
 * Calls back when somebody has chosen in a list: at once by mouse or in the open list, and with Enter or on leaving where the
 * arrow keys step through the closed one. There each step is a change, and would be carried out on the way to another.
 */
export function onChoice(scope: Scope, select: HTMLSelectElement, onChosen: () => void): void {
  let isStepping = false;
  scope.on(select, 'keydown', (event) => {
    if (event.key === 'Enter' && isStepping) {
      isStepping = false;
      event.preventDefault();
      onChosen();
    } else if (!event.altKey && event.key !== 'Enter' && event.key !== 'Tab' && event.key !== ' ') isStepping = true;
  });
  scope.on(select, 'pointerdown', () => {
    isStepping = false;
  });
  scope.on(select, 'change', () => {
    if (!isStepping) onChosen();
  });
  scope.on(select, 'blur', () => {
    if (!isStepping) return;
    isStepping = false;
    onChosen();
  });
}
