import type { Scope } from '../../util/scope';

/**
 * Marks a field while it has text that is not taken yet. Before a marked page is left, the browser asks.
 *
 * @param isTaken whether what is in the field is what the page has
 * @returns whether there is such text; looks again at each call
 */
export function markDrafts(scope: Scope, field: HTMLInputElement, isTaken: () => boolean): () => boolean {
  const look = (): boolean => {
    const isDraft = document.activeElement === field && 'draft' in field.dataset && !isTaken();
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
