/** The parts of a decoder that mediabunny and the library use. */
type Decoder = Pick<AudioDecoder, 'configure' | 'decode' | 'flush' | 'close' | 'state' | 'decodeQueueSize'>;
type DecoderClass = Pick<typeof AudioDecoder, 'isConfigSupported'> & (new (callbacks: AudioDecoderInit) => Decoder);

/** Copies of the last packet, until the decoder has produced audio for one of them. */
const MAX_MARKERS = 8;
const MICROSECONDS = 1_000_000;
/** Later than every packet of a recording, in microseconds. */
const MARKER_TIME = 2 ** 50;
/** Limit for outputs after `flush`. Only a decoder that drops packets reaches it. */
const OUTPUT_LIMIT_MS = 2000;

/**
 * Corrects three faults of @napi-rs/webcodecs 1.3.1:
 *
 * - `flush` resolves before all audio has been passed on, so the end of a recording can be lost. The outputs arrive in
 *   order. Therefore, the last packet is decoded again, as a marker: when the audio of the marker arrives, that of the
 *   recording is complete.
 * - FLAC is decoded by several threads, and each output has the timestamp of the latest input. As each packet has exactly
 *   one output, outputs are counted, and get the timestamps of the packets in order.
 * - It claims to decode Vorbis, and closes the decoder at the first packet. ffmpeg decodes it instead.
 */
export function correctedDecoder(Native: DecoderClass): DecoderClass {
  return class implements Decoder {
    static readonly isConfigSupported = (config: AudioDecoderConfig): Promise<AudioDecoderSupport> =>
      config.codec === 'vorbis' ? Promise.resolve({ supported: false, config }) : Native.isConfigSupported(config);

    private readonly native: Decoder;
    private isFlac = false;
    /** Timestamps of the packets without output, if they are counted. */
    private waiting: number[] = [];
    private last: EncodedAudioChunk | null = null;
    private onComplete: (() => void) | null = null;

    constructor(private readonly callbacks: AudioDecoderInit) {
      this.native = new Native({
        output: (data) => { this.take(data); },
        error: (error) => {
          this.complete();
          callbacks.error(error);
        },
      });
    }

    get state(): CodecState {
      return this.native.state;
    }

    get decodeQueueSize(): number {
      return this.native.decodeQueueSize;
    }

    configure(config: AudioDecoderConfig): void {
      this.isFlac = config.codec === 'flac';
      this.native.configure(config);
    }

    decode(chunk: EncodedAudioChunk): void {
      if (this.isFlac) this.waiting.push(chunk.timestamp);
      else this.last = chunk;
      this.native.decode(chunk);
    }

    async flush(): Promise<void> {
      const complete = new Promise<void>((resolve) => {
        this.onComplete = resolve;
      });
      await this.native.flush();
      if (this.isFlac ? this.waiting.length > 0 : await this.decodeMarkers()) {
        let timer: ReturnType<typeof setTimeout> | undefined;
        const limit = new Promise((resolve) => {
          timer = setTimeout(resolve, OUTPUT_LIMIT_MS);
        });
        await Promise.race([complete, limit]);
        clearTimeout(timer);
      }
      this.onComplete = null;
      this.waiting = [];
    }

    close(): void {
      this.complete();
      this.native.close();
    }

    /** @returns whether there is a marker */
    private async decodeMarkers(): Promise<boolean> {
      const { last } = this;
      if (!last) return false;
      this.last = null;
      const data = new Uint8Array(last.byteLength);
      last.copyTo(data);
      for (let marker = 0; marker < MAX_MARKERS && this.onComplete; marker++) {
        const timestamp = MARKER_TIME + marker * MICROSECONDS;
        this.native.decode(new EncodedAudioChunk({ type: 'key', timestamp, duration: last.duration ?? 0, data }));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await this.native.flush();
      return true;
    }

    private take(data: AudioData): void {
      if (this.isFlac) {
        const timestamp = this.waiting.shift();
        if (timestamp !== undefined) Object.defineProperty(data, 'timestamp', { value: timestamp });
        this.callbacks.output(data);
        if (this.waiting.length === 0) this.complete();
      } else if (data.timestamp >= MARKER_TIME) {
        data.close();
        this.complete();
      } else {
        this.callbacks.output(data);
      }
    }

    private complete(): void {
      const { onComplete } = this;
      this.onComplete = null;
      onComplete?.();
    }
  };
}
