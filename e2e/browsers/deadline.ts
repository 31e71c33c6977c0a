/** A deadline for waiting. Tests may stop waiting, but elapsed time must not be a test criterion. */
export function deadlineAfter(seconds: number): { readonly isOver: () => boolean } {
  const end = Date.now() + 1000 * seconds;
  return { isOver: () => Date.now() > end };
}
