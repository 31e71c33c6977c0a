/** The MP3 decoder, against FFmpeg's. */
import { createMp3Encoder } from 'wasm-media-encoders';
import { EncodedPacket } from 'mediabunny';
import { describe, expect, it } from 'vitest';
import { collect, noise, tone } from '../../test/audio/collect';
import { fixture } from '../../test/audio/joined';
import { channelsOf, decodePackets, decodeWithFfmpeg } from '../../test/audio/decodePackets';
import { NO_NODE_DECODERS } from '../../test/nodeDecoders';
import { concatenate } from '../util/values';
import { readBytes } from './containers/byteReader';
import { openAudio } from './decode';
import { Mp3InWasm } from './mp3InWasm';
import { itUnless } from '../../test/skips';

/**
 * Both decoders compute with 32-bit floats, in different orders: measured up to 1.5e-6 of full scale. The standard (ISO
 * 11172-4) allows 6.1e-5 for full accuracy.
 */
const TOLERANCE = 4e-6;

const config = (sampleRate: number, numberOfChannels: number): AudioDecoderConfig => ({ codec: 'mp3', sampleRate, numberOfChannels });

/** Bytes of the frame with this header. */
function frameBytes(header: Uint8Array): number {
  const [, kind = 0, rates = 0] = header;
  const layer = 4 - ((kind >> 1) & 3);
  const version = (kind >> 3) & 3;
  const isMpeg1 = version === 3;
  const bitRate = {
    11: [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    12: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    13: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    21: [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    22: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    23: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  }[(isMpeg1 ? 10 : 20) + layer]![rates >> 4]!;
  const sampleRate = [44_100, 48_000, 32_000][(rates >> 2) & 3]! / (isMpeg1 ? 1 : version === 2 ? 2 : 4);
  const padding = (rates >> 1) & 1;
  if (layer === 1) return 4 * (Math.floor((12_000 * bitRate) / sampleRate) + padding);
  return Math.floor(((layer === 3 && !isMpeg1 ? 72_000 : 144_000) * bitRate) / sampleRate) + padding;
}

/** Splits a stream into packets of one frame each. */
function packetsOf(stream: Uint8Array): EncodedPacket[] {
  const packets: EncodedPacket[] = [];
  for (let at = 0; at < stream.length; ) {
    const data = stream.slice(at, at + frameBytes(stream.subarray(at)));
    packets.push(new EncodedPacket(data, 'key', packets.length, 1));
    at += data.length;
  }
  return packets;
}

/** Decodes with the module. Axes (channel, sample). */
const decode = async (packets: readonly EncodedPacket[]): Promise<Float32Array[]> =>
  channelsOf(await decodePackets(new Mp3InWasm(), config(44_100, 1), packets));

/** Largest difference of two decodings of equal size. */
function difference(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  expect(a.map(({ length }) => length)).toEqual(b.map(({ length }) => length));
  return Math.max(...a.map((samples, channel) => samples.reduce((max, value, i) => Math.max(max, Math.abs(value - b[channel]![i]!)), 0)));
}

interface Encoding {
  readonly rate: number;
  readonly channels: 1 | 2;
  readonly bitrate?: 32 | 64 | 128;
  readonly vbrQuality?: number;
}

/** Two seconds with tones, noise and silence, which use all block types and bit rates. */
async function encode({ rate, channels, ...quality }: Encoding): Promise<Uint8Array> {
  const encoder = await createMp3Encoder();
  encoder.configure({ channels, sampleRate: rate, outputSampleRate: rate as 16_000, ...(quality as { bitrate: 32 }) });
  const parts = [tone(440, rate, rate / 2), noise(rate / 4), new Float32Array(rate / 4), tone(rate / 5, rate, rate / 2), noise(rate / 2, 5)];
  const left = concatenate(parts).map((value) => 0.5 * value);
  const right = left.map((value, i) => 0.7 * value + 0.1 * Math.sin(i / 9));
  const sound = channels === 1 ? [left] : [left, right];
  return Uint8Array.from(Buffer.concat([encoder.encode(sound as [Float32Array]).slice(), encoder.finalize().slice()]));
}

describe('the samples are those of FFmpeg, to the rounding of floats', () => {
  itUnless(NO_NODE_DECODERS).each([
    [44_100, 2, 128], [44_100, 1, 64], [48_000, 2, 64], [32_000, 1, 64],
    [24_000, 1, 64], [22_050, 2, 64], [16_000, 1, 32],
    [12_000, 2, 64], [11_025, 1, 32], [8_000, 1, 32],
  ] as const)('layer III at %i Hz, %i channels, %i kbit/s', async (rate, channels, bitrate) => {
    const packets = packetsOf(await encode({ rate, channels, bitrate }));
    const found = await decode(packets);
    expect(found).toHaveLength(channels);
    expect(difference(found, await decodeWithFfmpeg(config(rate, channels), packets))).toBeLessThan(TOLERANCE);
  });

  itUnless(NO_NODE_DECODERS)('with a variable bit rate', async () => {
    const packets = packetsOf(await encode({ rate: 44_100, channels: 2, vbrQuality: 4 }));
    expect(new Set(packets.map(({ byteLength }) => byteLength)).size).toBeGreaterThan(3);
    expect(difference(await decode(packets), await decodeWithFfmpeg(config(44_100, 2), packets))).toBeLessThan(TOLERANCE);
  });

  // Stereo: layer I at 384 kbit/s, layer II at 192 kbit/s, and layer II of MPEG-2 at 160 kbit/s.
  itUnless(NO_NODE_DECODERS).each([
    ['layer I', [0xff, 0xff, 0xc4, 0x00], 48_000, 32, 36],
    ['layer II', [0xff, 0xfd, 0xa4, 0x00], 48_000, 11, 26],
    ['layer II of MPEG-2', [0xff, 0xf5, 0xe4, 0x00], 24_000, 4, 27],
  ] as const)('%s', async (_, header, rate, allocated, valuesAt) => {
    const packets = Array.from({ length: 6 }, (__, index) => {
      const frame = new Uint8Array(frameBytes(Uint8Array.from(header)));
      frame.set(header);
      // The smallest allocation for the first bands. Any window of these bits is a valid scale factor or sample.
      frame.fill(0x11, 4, 4 + allocated).fill(index % 2 ? 0x22 : 0x66, valuesAt);
      return new EncodedPacket(frame, 'key', index, 1);
    });
    const found = await decode(packets);
    expect(found[0]!.some((value) => Math.abs(value) > 1e-3)).toBe(true);
    expect(difference(found, await decodeWithFfmpeg(config(rate, 2), packets))).toBeLessThan(TOLERANCE);
  });
});

describe('a frame that needs missing data', () => {
  it('is silent at the start of a recording, and affects no later frame', async () => {
    const packets = packetsOf(await encode({ rate: 44_100, channels: 1, bitrate: 64 }));
    const whole = await decode(packets);
    const from = 40;
    const [late] = (await decode(packets.slice(from))) as [Float32Array];
    expect(late).toHaveLength((packets.length - from) * 1152);
    // Side information starts with the distance to the first data.
    const first = packets.slice(from).findIndex(({ data }) => ((data[4]! << 1) | (data[5]! >> 7)) === 0);
    expect(late.subarray(0, 1152).every((value) => value === 0)).toBe(packets[from]!.data[4] !== 0);
    const same = Math.max(first, 8) * 1152;
    expect(difference([late.subarray(same)], [whole[0]!.subarray(from * 1152 + same)])).toBe(0);
  });

  it('a segment has exactly the samples of the whole recording', async () => {
    const file = fixture('sample.mp3');
    const whole = await collect((await openAudio(file, { sampleRate: 16_000 })).pieces());
    const part = await collect((await openAudio(file, { sampleRate: 16_000, startSeconds: 11, durationSeconds: 3 })).pieces());
    expect(difference([part], [whole.subarray(11 * 16_000, 14 * 16_000)])).toBe(0);
  });
});

describe('damage', () => {
  it('a damaged frame is an error with its time', async () => {
    const bytes = new Uint8Array(await readAll(fixture('sample.mp3')));
    const audio = await openAudio(new Blob([withDamage(bytes)]), { sampleRate: 44_100 });
    await expect(collect(audio.pieces())).rejects.toMatchObject({ code: 'audio-decode', problem: expect.stringMatching(/^Decoding failed after [12]\.\d+ s$/) as string });
  });

  it('bytes without a frame are an error; bytes after a frame are ignored', async () => {
    const packets = packetsOf(await encode({ rate: 44_100, channels: 1, bitrate: 64 }));
    const [first, second] = packets as [EncodedPacket, EncodedPacket];
    await expect(decode([new EncodedPacket(new Uint8Array(200), 'key', 0, 1)])).rejects.toThrow('no MPEG audio frame');
    await expect(decode([new EncodedPacket(first.data.subarray(0, -1), 'key', 0, 1)])).rejects.toThrow('no MPEG audio frame');
    const both = new EncodedPacket(Uint8Array.from([...first.data, ...second.data, 1, 2, 3]), 'key', 0, 1);
    expect(difference(await decode([both]), await decode([first, second]))).toBe(0);
  });

  it('the last frame may be truncated', async () => {
    const bytes = await readAll(fixture('sample.mp3'));
    const whole = await collect((await openAudio(new Blob([bytes]), { sampleRate: 44_100 })).pieces());
    const audio = await openAudio(new Blob([bytes.slice(0, bytes.byteLength / 2)]), { sampleRate: 44_100 });
    const half = await collect(audio.pieces());
    expect(half.length / whole.length).toBeCloseTo(0.5, 1);
    expect(difference([half], [whole.subarray(0, half.length)])).toBe(0);
    expect(audio.notes()).toMatchObject([{ code: 'cut-off' }]);
  });
});

const readAll = async (file: Blob): Promise<ArrayBuffer> => (await readBytes(file, 0, file.size)).buffer as ArrayBuffer;

/** Sets impossible values in the side information of the frame at two seconds. */
function withDamage(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const damaged = Uint8Array.from(bytes);
  let at = damaged.findIndex((byte, i) => byte === 0xff && (damaged[i + 1]! & 0xf6) === 0xf2);
  for (let frame = 0; frame < 80; frame++) at += frameBytes(damaged.subarray(at));
  damaged.fill(0xff, at + 6, at + 20);
  return damaged;
}
