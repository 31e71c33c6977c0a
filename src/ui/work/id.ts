/** A name for a piece of work that no other has: 80 random bits. `randomUUID` is missing on pages without HTTPS. */
export function newWorkId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
