/**
 * Whether `import()` of a bare name was refused because neither a bundler nor an import map knows it. A script that could
 * not be fetched, or is faulty, is another error.
 *
 * By the words, because every browser throws a `TypeError` for both: Chrome's "Failed to resolve module specifier 'x'",
 * Firefox's "The specifier “x” was a bare specifier, but was not remapped to anything", Safari's "Module name, 'x' does
 * not resolve to a valid URL".
 */
export function isUnmappedName(error: unknown): boolean {
  return error instanceof TypeError && /specifier|does not resolve to a valid URL/i.test(error.message);
}
