import { describe, expect, it } from 'vitest';
import { decoderTrust } from './decoderChoice';

const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
const ANDROID = 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36';
const EDGE = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const SAFARI = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15';
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1';
const CHROME_ON_IOS = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.7339.39 Mobile/15E148 Safari/604.1';
const FIREFOX_ON_IOS = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/142.0 Mobile/15E148 Safari/605.1.15';
const WEBKITGTK = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/60.5 Safari/605.1.15';
const HEADLESS = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36';
const WEB_VIEW = 'Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/140.0.0.0 Mobile Safari/537.36';
const EPIPHANY = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15 Epiphany/605.1.15';
const WPE = 'Mozilla/5.0 (Linux; aarch64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15';

describe('decoderTrust', () => {
  it.each([CHROME, HEADLESS, ANDROID, WEB_VIEW, EDGE, FIREFOX])('trusts %s', (userAgent) => {
    expect(decoderTrust(userAgent, 1)).toBe('verified');
    expect(decoderTrust(userAgent, 6)).toBe('verified');
  });

  it.each([SAFARI, IPHONE, CHROME_ON_IOS, FIREFOX_ON_IOS])('probes mono and stereo, and avoids more channels: %s', (userAgent) => {
    expect(decoderTrust(userAgent, 1)).toBe('probe');
    expect(decoderTrust(userAgent, 2)).toBe('probe');
    expect(decoderTrust(userAgent, 3)).toBe('avoid');
  });

  it.each([WEBKITGTK, EPIPHANY, WPE])('avoids %s, whose process would crash', (userAgent) => {
    expect(decoderTrust(userAgent, 1)).toBe('avoid');
    expect(decoderTrust(userAgent, 2)).toBe('avoid');
  });

  it.each(['', 'Mozilla/5.0 (X11; Linux x86_64) Ladybird/1.0'])('probes an unknown engine: "%s"', (userAgent) => {
    expect(decoderTrust(userAgent, 2)).toBe('probe');
  });
});
