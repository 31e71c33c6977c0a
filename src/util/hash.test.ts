import { createHash } from 'node:crypto';
import { afterEach, expect, it, vi } from 'vitest';
import { sha256Hex } from './hash';

afterEach(() => {
  vi.unstubAllGlobals();
});

it('is the same with and without crypto.subtle', async () => {
  // A view, so a read outside its range would change the hash.
  const bytes = Uint8Array.from({ length: 300 }, (_, index) => index).subarray(7, 290);
  const expected = createHash('sha256').update(bytes).digest('hex');
  expect(await sha256Hex(bytes)).toBe(expected);
  vi.stubGlobal('crypto', {});
  expect(await sha256Hex(bytes)).toBe(expected);
});
