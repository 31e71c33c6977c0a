import { AudioSample, type AudioCodec, type EncodedPacket } from 'mediabunny';
import { loadPart } from '../util/fetch';
import { ReportingDecoder } from './reportingDecoder';

/** The exports of `minimp3/module.c`. Pointers are byte offsets into the memory, which does not grow. */
interface Minimp3 {
  readonly memory: WebAssembly.Memory;
  input(): number;
  maxInputBytes(): number;
  output(): number;
  channels(): number;
  sampleRate(): number;
  consumedBytes(): number;
  decode(bytes: number): number;
}

let compiled: Promise<WebAssembly.Module> | undefined;

/** Compiles the module once per thread. After a failed load, the next decoder tries again. */
function loadModule(): Promise<WebAssembly.Module> {
  compiled ??= loadPart(() => import('virtual:wasm/minimp3'))
    .then(({ default: bytes }) => WebAssembly.compile(bytes))
    .catch((error: unknown) => {
      compiled = undefined;
      throw error;
    });
  return compiled;
}

/**
 * Decodes MPEG audio (layers I to III) with minimp3. The decoders of browsers and of FFmpeg differ from each other by up
 * to 4e-7, so the result would depend on the browser.
 */
export class Mp3InWasm extends ReportingDecoder {
  static override supports(codec: AudioCodec): boolean {
    return codec === 'mp3';
  }

  private decoder: Minimp3 | null = null;

  protected override async open(): Promise<void> {
    const { exports } = await WebAssembly.instantiate(await loadModule());
    this.decoder = exports as unknown as Minimp3;
  }

  /** @throws Error if the packet contains no frame, or a damaged one */
  protected override decodePacket({ data: packet, timestamp: startSeconds }: EncodedPacket): void {
    const decoder = this.decoder!;
    const { buffer } = decoder.memory;
    let timestamp = startSeconds;
    for (let at = 0; at < packet.length; at += decoder.consumedBytes()) {
      const bytes = packet.subarray(at, at + decoder.maxInputBytes());
      new Uint8Array(buffer, decoder.input(), bytes.length).set(bytes);
      const samples = decoder.decode(bytes.length);
      // Bytes after the frames of a packet are ignored, as FFmpeg does.
      if (samples === 0 && at > 0) return;
      if (samples <= 0) throw new Error(samples === 0 ? 'The packet contains no MPEG audio frame' : 'The MPEG audio frame is damaged');
      const [numberOfChannels, sampleRate] = [decoder.channels(), decoder.sampleRate()];
      const data = new Float32Array(buffer, decoder.output(), samples * numberOfChannels).slice();
      this.onSample(new AudioSample({ format: 'f32-planar', sampleRate, numberOfChannels, timestamp, data }));
      timestamp += samples / sampleRate;
    }
  }

  override close(): void {
    this.decoder = null;
  }
}
