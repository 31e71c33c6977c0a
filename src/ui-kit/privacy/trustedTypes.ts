/**
 * Each page loads this before anything else. The policy of the pages forbids text where the browser takes markup or code;
 * the one exception is the address of a worker's script, which has to be of this origin.
 *
 * @see https://www.w3.org/TR/trusted-types/#default-policy-hdr
 */
interface TrustedTypes {
  createPolicy(name: string, rules: { readonly createScriptURL: (address: string) => string }): unknown;
}

// Absent in browsers without Trusted Types, where nothing is forbidden either.
const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes };

trustedTypes?.createPolicy('default', {
  createScriptURL(address) {
    const { origin } = new URL(address, location.href);
    if (origin !== location.origin) throw new TypeError(`a script of ${origin} was refused: only this site's own are run`);
    return address;
  },
});
