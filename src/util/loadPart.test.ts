import { describe, expect, it } from 'vitest';
import { loadPart } from './fetch';

describe('loadPart', () => {
  it('returns the part', async () => {
    expect(await loadPart(() => Promise.resolve('part'))).toBe('part');
  });

  it("reports a remedy instead of the browser's message", async () => {
    const cause = new TypeError('Failed to fetch dynamically imported module: https://example.org/part.js');
    const failed = loadPart(() => Promise.reject(cause));
    await expect(failed).rejects.toMatchObject({ code: 'worker-failed', remedy: 'Check the connection. Reload the page', cause });
    await expect(failed).rejects.not.toThrow(/Failed to fetch/);
  });
});
