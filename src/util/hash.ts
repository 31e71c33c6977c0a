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
  return hexOf(digest);
}

/** A SHA-256 of bytes that arrive in parts. */
export interface RunningSha256 {
  update(bytes: Uint8Array): void;
  /** The hash of all bytes as lowercase hex. Ends the hash. */
  hex(): string;
}

/** Starts a SHA-256. By the library, because `crypto.subtle` needs all bytes at once; it takes about four times as long. */
export async function openSha256(): Promise<RunningSha256> {
  const { sha256 } = await loadPart(() => import('./sha256'));
  const hash = sha256.create();
  return { update: (bytes) => { hash.update(bytes); }, hex: () => hexOf(hash.digest()) };
}

const hexOf = (digest: Uint8Array): string => Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
