import type { Scope } from '../../util/scope';

/**
 * Marks a field while it has uncommitted text. The page asks for confirmation before it is left with a marked field.
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
