import { AudioSample, CustomAudioDecoder, type AudioCodec, type EncodedPacket } from 'mediabunny';
import { OpusDecoder } from 'opus-decoder';

/** Opus always decodes to this rate, in Hz. */
const SAMPLE_RATE = 48_000;

/** Layout of the streams of an Opus track, from its header. */
interface OpusHead {
  /** Samples at the start that are not played. */
  readonly preSkip: number;
  readonly streamCount: number;
  readonly coupledStreamCount: number;
  readonly channelMappingTable: number[];
}

/**
 * Decodes Opus with libopus, as Chromium does. FFmpeg's own decoder, which @napi-rs/webcodecs contains, delays speech by
 * up to two samples more.
 */
export class OpusInWasm extends CustomAudioDecoder {
  static override supports(codec: AudioCodec): boolean {
    return codec === 'opus';
  }

  private decoder: OpusDecoder<typeof SAMPLE_RATE> | null = null;
  private skippedFrames = 0;

  override async init(): Promise<void> {
    const { numberOfChannels, description } = this.config;
    this.decoder = new OpusDecoder({ sampleRate: SAMPLE_RATE, channels: numberOfChannels, ...readOpusHead(description, numberOfChannels) });
    await this.decoder.ready;
  }

  override decode(packet: EncodedPacket): void {
    const { channelData, samplesDecoded, errors } = this.decoder!.decodeFrame(packet.data);
    const [error] = errors;
    if (error) throw new Error(error.message);
    // The start that is not played takes no time.
    const timestamp = packet.timestamp - this.skippedFrames / SAMPLE_RATE;
    this.skippedFrames += Math.max(0, Math.round(packet.duration * SAMPLE_RATE) - samplesDecoded);
    if (samplesDecoded === 0) return;
    const data = new Float32Array(samplesDecoded * channelData.length);
    channelData.forEach((channel, index) => { data.set(channel.subarray(0, samplesDecoded), index * samplesDecoded); });
    this.onSample(new AudioSample({ format: 'f32-planar', sampleRate: SAMPLE_RATE, numberOfChannels: channelData.length, timestamp, data }));
  }

  override flush(): Promise<void> {
    return Promise.resolve();
  }

  override close(): void {
    this.decoder?.free();
    this.decoder = null;
  }
}

/** Reads an identification header (RFC 7845, section 5.1). Without one, the track has one stream. */
function readOpusHead(description: AllowSharedBufferSource | undefined, channels: number): OpusHead {
  const bytes = bytesOf(description);
  const isHead = bytes.length >= 19 && String.fromCharCode(...bytes.subarray(0, 8)) === 'OpusHead';
  const preSkip = isHead ? bytes[10]! + 256 * bytes[11]! : 0;
  if (isHead && bytes[18] !== 0 && bytes.length >= 21 + channels) {
    const [streamCount, coupledStreamCount] = [bytes[19]!, bytes[20]!];
    return { preSkip, streamCount, coupledStreamCount, channelMappingTable: [...bytes.subarray(21, 21 + channels)] };
  }
  return { preSkip, streamCount: 1, coupledStreamCount: channels - 1, channelMappingTable: channels === 2 ? [0, 1] : [0] };
}

function bytesOf(source: AllowSharedBufferSource | undefined): Uint8Array {
  if (!source) return new Uint8Array(0);
  return ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : new Uint8Array(source);
}
