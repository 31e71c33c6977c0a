import { loadPart } from './fetch';

/**
 * SHA-256 as lowercase hex. Uses a library if `crypto.subtle` is missing, as on plain http. `isSecureContext` is not
 * checked because Node does not define it.
 *
 * @param bytes not shared with another thread
 */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const { subtle } = globalThis.crypto as { readonly subtle?: SubtleCrypto };
  const digest = subtle
    ? new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
    : (await loadPart(() => import('./sha256'))).sha256(bytes);
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
