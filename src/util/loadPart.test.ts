import { describe, expect, it } from 'vitest';
import { loadPart } from './fetch';

describe('loadPart', () => {
  it('gives the part', async () => {
    expect(await loadPart(() => Promise.resolve('part'))).toBe('part');
  });

  it("says what to do, without the browser's words", async () => {
    const cause = new TypeError('Failed to fetch dynamically imported module: https://example.org/part.js');
    const failed = loadPart(() => Promise.reject(cause));
    await expect(failed).rejects.toMatchObject({ code: 'worker-failed', remedy: 'Check the connection and reload the page', cause });
    await expect(failed).rejects.not.toThrow(/Failed to fetch/);
  });
});
