/**
 * Each page loads this first. Its policy forbids plain strings in DOM sinks for markup or code; the only exception is
 * the URL of a worker script, which must have this origin.
 *
 * @see https://www.w3.org/TR/trusted-types/#default-policy-hdr
 */
interface TrustedTypes {
  createPolicy(name: string, rules: { readonly createScriptURL: (address: string) => string }): unknown;
}

// Undefined in browsers without Trusted Types, which also do not enforce them.
const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes };

trustedTypes?.createPolicy('default', {
  createScriptURL(address) {
    const { origin } = new URL(address, location.href);
    if (origin !== location.origin) throw new TypeError(`a script from ${origin} was blocked: only scripts of this site are allowed`);
    return address;
  },
});
