import { afterEach, describe, expect, it, vi } from 'vitest';
import { wasmThreads } from './backend';

const SAFARI = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15';
const WEBKIT_GTK = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/60.5 Safari/605.1.15';
const CHROME_ON_IOS = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1';
const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('wasmThreads', () => {
  it.each([
    [CHROME, 1, 1],
    [CHROME, 4, 4],
    [CHROME, 16, 8],
    [FIREFOX, 4, 4],
    // WebKit reports 4 for 1 to 7 cores, and 8 for more. Any other number is random.
    [SAFARI, 4, 3],
    [WEBKIT_GTK, 4, 3],
    [CHROME_ON_IOS, 4, 3],
    [SAFARI, 8, 8],
    [SAFARI, 2, 3],
    [SAFARI, 1, 3],
    [SAFARI, 37, 3],
  ])('%s with %i cores: %i', (userAgent, hardwareConcurrency, threads) => {
    vi.stubGlobal('navigator', { userAgent, hardwareConcurrency });
    expect(wasmThreads(undefined)).toBe(threads);
  });

  it('uses the requested number', () => {
    vi.stubGlobal('navigator', { userAgent: SAFARI, hardwareConcurrency: 4 });
    expect(wasmThreads(7)).toBe(7);
  });
});
