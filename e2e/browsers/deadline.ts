/** A deadline for waiting. Tests may give up waiting; they may not fail because something took long. */
export function deadlineAfter(seconds: number): { readonly isOver: () => boolean } {
  const end = Date.now() + 1000 * seconds;
  return { isOver: () => Date.now() > end };
}
