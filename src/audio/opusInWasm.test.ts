/** The Opus decoder, given packets of a mono recording in streams of different layout. */
import { ALL_FORMATS, BlobSource, EncodedPacket, EncodedPacketSink, Input } from 'mediabunny';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { collect } from '../../test/audio/collect';
import { channelsOf, decodePackets } from '../../test/audio/decodePackets';
import { fixture } from '../../test/audio/joined';
import { openAudio } from './decode';
import { OpusInWasm } from './opusInWasm';

/** Samples of a packet at 48 kHz. */
const PACKET_FRAMES = 960;
const NUM_PACKETS = 60;

let packets: EncodedPacket[];

beforeAll(async () => {
  const input = new Input({ source: new BlobSource(fixture('sample.webm')), formats: ALL_FORMATS });
  const track = await input.getPrimaryAudioTrack();
  packets = [];
  for await (const packet of new EncodedPacketSink(track!).packets()) {
    // From the first word.
    if (packet.timestamp >= 6.7) packets.push(packet);
    if (packets.length === NUM_PACKETS) break;
  }
  input.dispose();
});

interface Head {
  readonly channels?: number;
  readonly preSkip?: number;
  /** In 1/256 dB. */
  readonly gain?: number;
  /** Streams, coupled streams and the stream channel of each channel. */
  readonly mapping?: readonly number[];
}

/** An identification header (RFC 7845, section 5.1). */
function head({ channels = 1, preSkip = 0, gain = 0, mapping }: Head): Uint8Array {
  const bytes = Buffer.alloc(19);
  bytes.write('OpusHead', 'latin1');
  bytes.set([1, channels], 8);
  bytes.writeUInt16LE(preSkip, 10);
  bytes.writeUInt32LE(48_000, 12);
  bytes.writeInt16LE(gain, 16);
  bytes[18] = mapping ? 1 : 0;
  return Uint8Array.from([...bytes, ...(mapping ?? [])]);
}

interface Decoded {
  /** Axes (channel, sample). */
  readonly channels: Float32Array[];
  /** Time of the first sample, from the first packet. */
  readonly startSeconds: number;
  /** Largest distance between the end of a block and the start of the next. */
  readonly gapSeconds: number;
}

async function decode(config: Head, given: readonly EncodedPacket[] = packets): Promise<Decoded> {
  const description = head(config);
  const blocks = await decodePackets(new OpusInWasm(), { codec: 'opus', sampleRate: 48_000, numberOfChannels: config.channels ?? 1, description }, given);
  const gaps = blocks.slice(1).map(({ timestamp }, i) => timestamp - blocks[i]!.timestamp - blocks[i]!.channels[0]!.length / 48_000);
  return {
    channels: channelsOf(blocks),
    startSeconds: blocks[0]!.timestamp - given[0]!.timestamp,
    gapSeconds: Math.max(0, ...gaps.map(Math.abs)),
  };
}

/** Faster than `toEqual` for long arrays. */
const areEqual = (a: Float32Array, b: Float32Array): boolean => a.length === b.length && a.every((value, i) => value === b[i]);

const energy = (samples: Float32Array): number => samples.reduce((sum, value) => sum + value * value, 0) / samples.length;

describe('the header', () => {
  it.each([312, PACKET_FRAMES, 2000])('%i samples that are not played are dropped and take no time', async (preSkip) => {
    const whole = await decode({});
    const { channels: [mono], startSeconds, gapSeconds } = await decode({ preSkip });
    expect(whole.channels[0]).toHaveLength(NUM_PACKETS * PACKET_FRAMES);
    expect(energy(mono!)).toBeGreaterThan(1e-4);
    expect(areEqual(mono!, whole.channels[0]!.subarray(preSkip))).toBe(true);
    // A packet that is dropped as a whole has no block. The next one follows at its time.
    expect(startSeconds).toBeCloseTo(0, 2);
    expect(gapSeconds).toBeLessThan(0.002);
  });

  it('the gain applies to all samples', async () => {
    const plain = (await decode({})).channels[0]!;
    for (const decibels of [6, -6]) {
      const { channels: [found] } = await decode({ gain: 256 * decibels });
      expect(areEqual(found!, plain.map((value) => value * Math.fround(10 ** (decibels / 20))))).toBe(true);
    }
  });

  it('mono packets in a stereo stream give equal channels', async () => {
    const { channels: [left, right] } = await decode({ channels: 2 });
    expect(areEqual(left!, right!)).toBe(true);
    expect(energy(left!)).toBeGreaterThan(1e-4);
  });

  it('several streams are placed by the mapping; 255 is silence', async () => {
    const mono = (await decode({})).channels[0]!;
    const later = (await decode({}, packets.slice(1))).channels[0]!;
    // Two streams in a packet: the first has its length after its first byte (RFC 6716, appendix B).
    const joint = packets.slice(1).map(({ data, timestamp, duration }, i) => {
      const first = packets[i]!.data;
      expect(first[0]! & 3).toBe(0);
      const length = first.length - 1;
      const coded = length < 252 ? [length] : [252 + (length & 3), (length - 252 - (length & 3)) >> 2];
      return new EncodedPacket(Uint8Array.from([first[0]!, ...coded, ...first.subarray(1), ...data]), 'key', timestamp, duration);
    });
    const { channels } = await decode({ channels: 4, mapping: [2, 0, 1, 0, 255, 1] }, joint);
    const expected = [later, mono.subarray(0, later.length), new Float32Array(later.length), later];
    expect(channels.map((channel, i) => areEqual(channel, expected[i]!))).toEqual([true, true, true, true]);
  });
});

it('the first damaged packet is an error', async () => {
  const damaged = new EncodedPacket(Uint8Array.of(0xff, 0xff, 0xff), 'key', 0, 0.02);
  await expect(decode({}, [...packets.slice(0, 2), damaged, packets[2]!, damaged])).rejects.toThrow('corrupted');
});

it('a damaged recording is an error with its time, and closes the decoder', async () => {
  const close = vi.spyOn(OpusInWasm.prototype, 'close');
  const bytes = new Uint8Array(await fixture('sample.ogg').arrayBuffer());
  for (let at = Math.floor(0.3 * bytes.length); at < 0.32 * bytes.length; at += 7) bytes[at]! ^= 0x5a;
  const unhandled = vi.fn();
  process.on('unhandledRejection', unhandled);
  try {
    const audio = await openAudio(new Blob([bytes]), { sampleRate: 48_000 });
    const error: unknown = await collect(audio.pieces()).then(() => null, (thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'audio-decode', problem: expect.stringMatching(/after 10\.\d+ s/) as string });
    audio.close();
    await new Promise((resolve) => setTimeout(resolve, 10));
    // One decoder for the first block, which openAudio decodes to get the rate, and one for the recording.
    expect(new Set(close.mock.contexts).size).toBe(2);
    expect(unhandled).not.toHaveBeenCalled();
  } finally {
    process.off('unhandledRejection', unhandled);
    close.mockRestore();
  }
});
