import type { Scope } from '../../ui-kit/scope';

/**
 * Parses a time such as `83.5`, `1:23.5`, or `1:02:03`, with a decimal point or comma. Returns seconds; null if the
 * text is not a time.
 */
export function parseTime(text: string): number | null {
  const parts = text.trim().replace(',', '.').split(':');
  if (parts.length > 3) return null;
  const last = parts.length - 1;
  let seconds = 0;
  for (const [index, part] of parts.entries()) {
    // Only the seconds can have a fraction, and only the first part can exceed 59.
    const form = index === last ? /^\d+(\.\d*)?$/ : /^\d+$/;
    if (!form.test(part) || (index > 0 && Number(part) >= 60)) return null;
    seconds = seconds * 60 + Number(part);
  }
  return seconds;
}

interface ChoiceListeners {
  /** An entry was chosen. */
  readonly onChosen: () => void;
  /** The list shows another entry that is not chosen yet. */
  readonly onStep?: () => void;
  /** The list was left without a choice and must show the previous entry again. */
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

/**
 * Marks a field while it has uncommitted text. Leaving the page with a marked field requires confirmation.
 *
 * @param isCommitted whether the text of the field equals the committed value
 * @returns function that updates the mark and returns whether the field is marked
 */
export function markDrafts(scope: Scope, field: HTMLInputElement, isCommitted: () => boolean): () => boolean {
  const look = (): boolean => {
    const isDraft = document.activeElement === field && 'draft' in field.dataset && !isCommitted();
    if (!isDraft) delete field.dataset.draft;
    return isDraft;
  };
  scope.on(field, 'input', () => {
    field.dataset.draft = '';
    look();
  });
  for (const type of ['change', 'blur'] as const) {
    scope.on(field, type, () => {
      delete field.dataset.draft;
    });
  }
  return look;
}
