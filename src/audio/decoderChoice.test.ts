import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { decoderFor, openAudio } from './decode';
import { wouldCrash } from './decoderChoice';

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

describe('wouldCrash', () => {
  it.each([CHROME, HEADLESS, ANDROID, WEB_VIEW, EDGE, FIREFOX, '', 'Node.js/22', 'Mozilla/5.0 (X11; Linux x86_64) Ladybird/1.0'])('is false: "%s"', (userAgent) => {
    expect(wouldCrash(userAgent, 1)).toBe(false);
    expect(wouldCrash(userAgent, 6)).toBe(false);
  });

  it.each([SAFARI, IPHONE, CHROME_ON_IOS, FIREFOX_ON_IOS])('is true for more than two channels: %s', (userAgent) => {
    expect(wouldCrash(userAgent, 1)).toBe(false);
    expect(wouldCrash(userAgent, 2)).toBe(false);
    expect(wouldCrash(userAgent, 3)).toBe(true);
  });

  it.each([WEBKITGTK, EPIPHANY, WPE])('is true: %s', (userAgent) => {
    expect(wouldCrash(userAgent, 1)).toBe(true);
    expect(wouldCrash(userAgent, 2)).toBe(true);
  });
});

/** A decoder of the browser that claims to support everything. */
function decoderClass(decode: (callbacks: AudioDecoderInit) => void, flush: (callbacks: AudioDecoderInit) => void = () => undefined) {
  return class {
    static numMade = 0;
    static isConfigSupported = (config: AudioDecoderConfig) => Promise.resolve({ supported: true, config });
    constructor(private readonly callbacks: AudioDecoderInit) {
      (this.constructor as unknown as { numMade: number }).numMade += 1;
    }
    configure(): void {
      // Accepts any configuration.
    }
    decode(): void {
      decode(this.callbacks);
    }
    flush(): Promise<void> {
      flush(this.callbacks);
      return Promise.resolve();
    }
    close(): void {
      // Has no resources.
    }
  };
}

const give = ({ output }: AudioDecoderInit, numberOfFrames: number): void => {
  output({ numberOfFrames, close: () => undefined } as AudioData);
};
const fail = (): never => { throw new DOMException('Decode error', 'EncodingError'); };

describe('the place where a file is decoded', () => {
  const file = new Blob([readFileSync('e2e/fixtures/sample.flac')]);

  const use = (userAgent: string, decoder: object): void => {
    vi.stubGlobal('navigator', { userAgent });
    vi.stubGlobal('AudioDecoder', decoder);
    vi.stubGlobal('EncodedAudioChunk', Object);
  };

  afterEach(() => { vi.unstubAllGlobals(); });

  describe.each([['Chromium', CHROME], ['Firefox', FIREFOX], ['Safari', SAFARI], ['an unknown engine', '']])('%s', (_, userAgent) => {
    it.each([
      ['throws', decoderClass(fail)],
      ['reports an error', decoderClass(({ error }) => { error(new DOMException('Decode error', 'EncodingError')); })],
      ['produces no samples', decoderClass((callbacks) => { give(callbacks, 0); })],
      ['produces samples only when flushed', decoderClass(() => undefined, (callbacks) => { give(callbacks, 1024); })],
      ['never calls back', decoderClass(() => undefined)],
    ])('is the page if the decoder %s', async (__, decoder) => {
      use(userAgent, decoder);
      // The limit of the probe, at once.
      const { setTimeout } = globalThis;
      vi.stubGlobal('setTimeout', (then: () => void, delay: number) => setTimeout(then, delay >= 1000 ? 20 : delay));
      expect(await decoderFor(file)).toBe('page');
      await expect(openAudio(file, { sampleRate: 16_000 })).rejects.toMatchObject({ code: 'audio-unsupported', problem: 'The file looks like FLAC but cannot be decoded' });
      expect(decoder.numMade).toBe(2);
    });
  });

  it('is the page in WebKit on GStreamer, without creating a decoder', async () => {
    const decoder = decoderClass((callbacks) => { give(callbacks, 1024); });
    use(WEBKITGTK, decoder);
    expect(await decoderFor(file)).toBe('page');
    expect(decoder.numMade).toBe(0);
  });

  it('is the worker if the decoder works, which is tested once', async () => {
    const decoder = decoderClass((callbacks) => { give(callbacks, 1024); });
    use(FIREFOX, decoder);
    expect(await decoderFor(file)).toBe('here');
    expect(await decoderFor(file)).toBe('here');
    expect(decoder.numMade).toBe(1);
  });
});
