/** The reason for skipping a test, at the end of its title or of the title of a group. JSON reports have the titles. */

/** Adds the reason to a title. */
export function withSkipReason(title: string, reason: string): string {
  return `${title} [skipped: ${reason}]`;
}

/**
 * The reason in the titles of a skipped test and its groups, from the outermost.
 *
 * @returns null if no title has one
 */
export function skipReason(titles: readonly string[]): string | null {
  for (const title of titles) {
    const reason = /\[skipped: (.*)\]$/s.exec(title)?.[1];
    if (reason !== undefined) return reason;
  }
  return null;
}
