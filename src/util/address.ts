/** The text of a web address that a caller passed instead of a recording; null for any other value. */
export function addressOf(source: unknown): string | null {
  const text = source instanceof URL ? source.href : source;
  return typeof text === 'string' && /^(https?|data|blob):/i.test(text) ? text : null;
}
