import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { probeDecoder, type DecoderConstructor } from './decoderChoice';

const CONFIG: AudioDecoderConfig = { codec: 'mp3', sampleRate: 44_100, numberOfChannels: 1 };

/** A placeholder for a packet. Fake decoders do not read packets. */
const PACKET = {} as EncodedAudioChunk;

/** A track of `count` packets that reports each packet read. */
async function* packets(count: number, onTaken: () => void = () => undefined): AsyncGenerator<EncodedAudioChunk> {
  for (let index = 0; index < count; index++) {
    onTaken();
    yield await Promise.resolve(PACKET);
  }
}

/** Behavior of a fake decoder. */
interface Habits {
  readonly configure?: () => void;
  /** @param numDecoded number of packets so far, including this one */
  readonly decode?: (callbacks: AudioDecoderInit, numDecoded: number) => void;
  readonly flush?: (callbacks: AudioDecoderInit) => Promise<void>;
  /** Throws, as WebCodecs does after an error. */
  readonly isClosedByError?: boolean;
}

const closed: { decoders: number; sounds: number } = { decoders: 0, sounds: 0 };

const give = ({ output }: AudioDecoderInit, numberOfFrames = 1024): void => {
  output({
    numberOfFrames,
    close() {
      closed.sounds += 1;
    },
  } as AudioData);
};

function decoderWith({ configure, decode, flush, isClosedByError = false }: Habits): DecoderConstructor {
  return class {
    #numDecoded = 0;
    constructor(private readonly callbacks: AudioDecoderInit) {}
    configure(): void {
      configure?.();
    }
    decode(): void {
      this.#numDecoded += 1;
      decode?.(this.callbacks, this.#numDecoded);
    }
    async flush(): Promise<void> {
      await flush?.(this.callbacks);
    }
    close(): void {
      closed.decoders += 1;
      if (isClosedByError) throw new DOMException('closed', 'InvalidStateError');
    }
  };
}

beforeEach(() => {
  Object.assign(closed, { decoders: 0, sounds: 0 });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('probeDecoder', () => {
  it('accepts a decoder that produces audio, closes it and reads only as much as necessary', async () => {
    let taken = 0;
    const works = decoderWith({ decode: (callbacks) => { give(callbacks); } });
    expect(await probeDecoder(CONFIG, packets(10_000, () => (taken += 1)), works)).toBe(true);
    expect(taken).toBeLessThan(20);
    expect(closed.decoders).toBe(1);
    expect(closed.sounds).toBeGreaterThan(0);
  });

  it('accepts a decoder that needs some packets first, or answers later', async () => {
    const vorbis = decoderWith({ decode: (callbacks, numDecoded) => { if (numDecoded > 1) give(callbacks); } });
    expect(await probeDecoder(CONFIG, packets(100), vorbis)).toBe(true);
    const later = decoderWith({ decode: (callbacks, numDecoded) => { if (numDecoded === 16) setTimeout(() => { give(callbacks); }, 1); } });
    expect(await probeDecoder(CONFIG, packets(100), later)).toBe(true);
  });

  it('rejects a decoder that throws when it is created, configured or used', async () => {
    const fail = (): never => {
      throw new DOMException('no such codec', 'NotSupportedError');
    };
    // Called with `new`, as a class.
    const unmakable = function () {
      fail();
    } as unknown as DecoderConstructor;
    expect(await probeDecoder(CONFIG, packets(100), unmakable)).toBe(false);
    expect(await probeDecoder(CONFIG, packets(100), decoderWith({ configure: fail }))).toBe(false);
    expect(await probeDecoder(CONFIG, packets(100), decoderWith({ decode: fail }))).toBe(false);
    expect(closed.decoders).toBe(2);
  });

  it('rejects a decoder that reports an error', async () => {
    const reports = decoderWith({
      decode: ({ error }) => { error(new DOMException('Decode error', 'EncodingError')); },
      isClosedByError: true,
    });
    expect(await probeDecoder(CONFIG, packets(100), reports)).toBe(false);
  });

  it('rejects a decoder that never answers, and closes it', async () => {
    vi.useFakeTimers();
    const verdict = probeDecoder(CONFIG, packets(100), decoderWith({}));
    await vi.runAllTimersAsync();
    expect(await verdict).toBe(false);
    expect(closed.decoders).toBe(1);
  });

  it('rejects a decoder that answers only after flush, unless the recording is that short', async () => {
    vi.useFakeTimers();
    const flushes = decoderWith({
      flush: (callbacks) => {
        give(callbacks);
        return Promise.resolve();
      },
    });
    const long = probeDecoder(CONFIG, packets(100), flushes);
    await vi.runAllTimersAsync();
    expect(await long).toBe(false);
    expect(await probeDecoder(CONFIG, packets(3), flushes)).toBe(true);
  });

  it('rejects a decoder that produces no samples, and a track without packets', async () => {
    vi.useFakeTimers();
    const empty = probeDecoder(CONFIG, packets(100), decoderWith({ decode: (callbacks) => { give(callbacks, 0); } }));
    await vi.runAllTimersAsync();
    expect(await empty).toBe(false);
    expect(await probeDecoder(CONFIG, packets(0), decoderWith({}))).toBe(false);
  });

  it('rejects a file that cannot be read', async () => {
    // eslint-disable-next-line require-yield -- it fails before its first packet
    const broken = async function* (): AsyncGenerator<EncodedAudioChunk> {
      await Promise.reject(new Error('cannot be read'));
    };
    expect(await probeDecoder(CONFIG, broken(), decoderWith({}))).toBe(false);
  });
});
