import { AudioSample, type AudioCodec, type EncodedPacket } from 'mediabunny';
import type { OpusDecoder } from 'opus-decoder';
import { loadPart } from '../util/fetch';
import { ReportingDecoder } from './reportingDecoder';

/** Opus always decodes to this rate, in Hz. */
const SAMPLE_RATE = 48_000;

/** Facts about an Opus track, from its header. */
interface OpusHead {
  /** Samples at the start that are not played. */
  readonly preSkip: number;
  /** Factor for all samples. */
  readonly gain: number;
  readonly streamCount: number;
  readonly coupledStreamCount: number;
  readonly channelMappingTable: number[];
}

/**
 * Decodes Opus with libopus. Chromium has it too, but other builds of it differ by up to 1.4e-5, so the result would
 * depend on the browser. FFmpeg's own decoder, which @napi-rs/webcodecs contains, delays speech by up to two samples more.
 */
export class OpusInWasm extends ReportingDecoder {
  static override supports(codec: AudioCodec): boolean {
    return codec === 'opus';
  }

  private decoder: OpusDecoder<typeof SAMPLE_RATE> | null = null;
  private gain = 1;
  /** Samples that were decoded and not played. */
  private skippedFrames = 0;
  /** Samples that are still to be skipped. */
  private framesToSkip = 0;

  protected override async open(): Promise<void> {
    const { numberOfChannels, description } = this.config;
    const { preSkip, gain, ...layout } = readOpusHead(description, numberOfChannels);
    const { OpusDecoder } = await loadPart(() => import('./opusDecoder'));
    this.decoder = new OpusDecoder({ sampleRate: SAMPLE_RATE, channels: numberOfChannels, ...layout });
    this.gain = gain;
    this.framesToSkip = preSkip;
    await this.decoder.ready;
  }

  /** @throws Error with libopus's message if the packet is damaged */
  protected override decodePacket(packet: EncodedPacket): void {
    const { channelData, samplesDecoded, errors } = this.decoder!.decodeFrame(packet.data);
    const [error] = errors;
    if (error) throw new Error(error.message);
    // The start that is not played takes no time.
    const timestamp = packet.timestamp - this.skippedFrames / SAMPLE_RATE;
    const skipped = Math.min(this.framesToSkip, samplesDecoded);
    this.framesToSkip -= skipped;
    this.skippedFrames += skipped;
    const frames = samplesDecoded - skipped;
    if (frames === 0) return;
    const data = new Float32Array(frames * channelData.length);
    channelData.forEach((channel, index) => { data.set(channel.subarray(skipped, samplesDecoded), index * frames); });
    if (this.gain !== 1) data.forEach((sample, index) => { data[index] = sample * this.gain; });
    this.onSample(new AudioSample({ format: 'f32-planar', sampleRate: SAMPLE_RATE, numberOfChannels: channelData.length, timestamp, data }));
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
  // A signed number of 1/256 dB. A 32-bit factor, because the last digits of powers differ between browsers.
  const gain = isHead ? Math.fround(10 ** ((((bytes[16]! + 256 * bytes[17]!) << 16) >> 16) / 256 / 20)) : 1;
  if (isHead && bytes[18] !== 0 && bytes.length >= 21 + channels) {
    const [streamCount, coupledStreamCount] = [bytes[19]!, bytes[20]!];
    return { preSkip, gain, streamCount, coupledStreamCount, channelMappingTable: [...bytes.subarray(21, 21 + channels)] };
  }
  return { preSkip, gain, streamCount: 1, coupledStreamCount: channels - 1, channelMappingTable: channels === 2 ? [0, 1] : [0] };
}

function bytesOf(source: AllowSharedBufferSource | undefined): Uint8Array {
  if (!source) return new Uint8Array(0);
  return ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : new Uint8Array(source);
}
