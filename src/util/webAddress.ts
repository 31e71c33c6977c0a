/**
 * Resolves an address that a person or a page gives for files.
 *
 * Only http and https, and whatever a relative address becomes, are taken: `data:`, `blob:` or `javascript:` cannot hold a
 * folder, and could run or hide what the page does not serve.
 *
 * @param value absolute, or relative to `base`
 * @returns null if it is no such address
 */
export function webAddress(value: string | URL, base: string): URL | null {
  try {
    const address = new URL(value, base);
    // The pages of browser extensions and of some desktop shells have a scheme of their own, which relative addresses keep.
    return ['http:', 'https:', new URL(base).protocol].includes(address.protocol) ? address : null;
  } catch {
    return null;
  }
}
