/**
 * Resolves the address of files that a user or a page sets.
 *
 * Accepts http, https and the scheme of the page itself. `data:`, `blob:` and `javascript:` addresses have no folders, and
 * could run code or hide what is loaded.
 *
 * @param value absolute, or relative to `base`
 * @returns null for any other address
 */
export function webAddress(value: string | URL, base: string): URL | null {
  try {
    const address = new URL(value, base);
    // Pages of browser extensions and some desktop shells have their own scheme, which relative addresses keep.
    return ['http:', 'https:', new URL(base).protocol].includes(address.protocol) ? address : null;
  } catch {
    return null;
  }
}
