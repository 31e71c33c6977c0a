import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { correctedDecoder } from './correctedDecoder';

/** A decoder with the faults of @napi-rs/webcodecs: outputs arrive after `flush`; FLAC has the latest timestamp. */
class LateDecoder {
  static isConfigSupported = (config: AudioDecoderConfig) => Promise.resolve({ supported: true, config });
  readonly state = 'configured';
  readonly decodeQueueSize = 0;
  private codec = '';
  private latest = 0;
  private isFirst = true;

  constructor(private readonly callbacks: AudioDecoderInit) {}

  configure({ codec }: AudioDecoderConfig): void {
    this.codec = codec;
  }

  decode({ timestamp }: EncodedAudioChunk): void {
    this.latest = timestamp;
    // Vorbis has no audio for its first packet.
    const isSilent = this.isFirst && this.codec === 'vorbis';
    this.isFirst = false;
    if (isSilent) return;
    setTimeout(() => { this.callbacks.output(outputAt(this.codec === 'flac' ? this.latest : timestamp)); }, 20);
  }

  flush(): Promise<void> {
    this.isFirst = true;
    return Promise.resolve();
  }

  close(): void {
    this.callbacks.error(new DOMException('closed'));
  }
}

const outputAt = (timestamp: number): AudioData => ({ timestamp, close: () => undefined }) as AudioData;

class Chunk {
  readonly byteLength = 1;
  readonly timestamp: number;
  readonly duration = 10;

  constructor({ timestamp }: EncodedAudioChunkInit) {
    this.timestamp = timestamp;
  }

  copyTo(): void {
    // No content.
  }
}

beforeEach(() => { vi.stubGlobal('EncodedAudioChunk', Chunk); });
afterEach(() => { vi.unstubAllGlobals(); });

const decoderOf = (codec: string, timestamps: number[]) => {
  const Corrected = correctedDecoder(LateDecoder);
  const decoder = new Corrected({ output: ({ timestamp }) => timestamps.push(timestamp), error: () => undefined });
  decoder.configure({ codec, sampleRate: 48_000, numberOfChannels: 1 });
  return decoder;
};

const packet = (timestamp: number): EncodedAudioChunk => new Chunk({ timestamp } as EncodedAudioChunkInit) as unknown as EncodedAudioChunk;

it.each([
  ['mp3', [0, 10, 20]],
  ['flac', [0, 10, 20]],
  // Without the first packet.
  ['vorbis', [10, 20]],
])('%s: all audio has arrived when flush resolves, with the times of its packets, and no marker', async (codec, expected) => {
  const timestamps: number[] = [];
  const decoder = decoderOf(codec, timestamps);
  for (const time of [0, 10, 20]) decoder.decode(packet(time));
  await decoder.flush();
  expect(timestamps).toEqual(expected);
});

it('flush without packets, and after a flush, resolves without output', async () => {
  const timestamps: number[] = [];
  const decoder = decoderOf('mp3', timestamps);
  await decoder.flush();
  decoder.decode(packet(5));
  await decoder.flush();
  await decoder.flush();
  expect(timestamps).toEqual([5]);
});

it('an error of the decoder ends a pending flush', async () => {
  const decoder = decoderOf('flac', []);
  decoder.decode(packet(0));
  const flushed = decoder.flush();
  decoder.close();
  await flushed;
});

it('Vorbis is not supported, whatever the package claims', async () => {
  const Decoder = correctedDecoder(LateDecoder);
  const supported = async (codec: string): Promise<boolean | undefined> =>
    (await Decoder.isConfigSupported({ codec, sampleRate: 48_000, numberOfChannels: 1 })).supported;
  expect([await supported('vorbis'), await supported('flac')]).toEqual([false, true]);
});
