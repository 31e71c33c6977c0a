/** MPEG transport streams that lost packets, start or end in a packet, or have foreign bytes between packets. */
import { BlobSource, EncodedPacketSink, Input, MPEG_TS } from 'mediabunny';
import { beforeAll, describe, expect, it } from 'vitest';
import { clipOf, fixture, foreignBytes } from '../../../test/audio/joined';
import { findParts } from './fileParts';

const PACKET_BYTES = 188;
let file: Blob;
let all: number[];

/** Timestamps of the frames found by the demuxer, in milliseconds. */
async function timestamps(source: Blob): Promise<number[]> {
  const input = new Input({ source: new BlobSource(source), formats: [MPEG_TS] });
  const track = (await input.getPrimaryAudioTrack())!;
  const found: number[] = [];
  for await (const { timestamp } of new EncodedPacketSink(track).packets()) found.push(Math.round(timestamp * 1000));
  input.dispose();
  return found;
}

async function find(...pieces: BlobPart[]) {
  const { parts, notes } = await findParts(new Blob(pieces), 1);
  const [part] = parts;
  return { frames: await timestamps(part!.segments[0]!), isCutOff: part!.cutOff !== undefined, codes: notes.map(({ code }) => code), notes };
}

beforeAll(async () => {
  ({ file } = await clipOf('mpeg-ts', 0, 10));
  all = await timestamps(file);
});

/** Whole packets, about half of the file. */
const half = (): number => PACKET_BYTES * Math.floor(file.size / PACKET_BYTES / 2);

it('an undamaged file is not changed', async () => {
  expect(await findParts(file, 1)).toEqual({ parts: [{ segments: [file], durationSeconds: null }], notes: [], unreadableCodec: null });
});

it.each([1, 3, 17, 40])('%i lost packets: the frames around them are read, and a note reports the place', async (lost) => {
  const { frames, notes, isCutOff } = await find(file.slice(0, half()), file.slice(half() + lost * PACKET_BYTES));
  expect(isCutOff).toBe(false);
  expect(frames.length).toBeLessThan(all.length);
  // A few frames are lost with the packets. All others keep their times.
  expect(frames.length).toBeGreaterThan(0.9 * all.length);
  expect(all).toEqual(expect.arrayContaining(frames));
  expect(notes).toMatchObject([{ code: 'data-missing' }]);
  const [{ atSeconds, amount }] = notes as unknown as [{ atSeconds: number; amount: number }];
  // The bit rate of the clip is constant within half a second.
  expect(Math.abs(atSeconds - 5)).toBeLessThan(0.5);
  expect(frames.filter((time) => time > (atSeconds * 1000 + all[0]! + 1) && time < (atSeconds + amount) * 1000 + all[0]! - 1)).toEqual([]);
});

it('16 lost packets have a note too, although the counter of four bits does not show them', async () => {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const pid = (at: number): number => ((bytes[at + 1]! & 0x1f) << 8) | bytes[at + 2]!;
  const offsets = Array.from({ length: file.size / PACKET_BYTES }, (_, i) => i * PACKET_BYTES);
  const starts = offsets.filter((at) => pid(at) === pid(half()) && (bytes[at + 1]! & 0x40) !== 0);
  const from = starts.find((start) => start > half() && starts.includes(start + 16 * PACKET_BYTES))!;
  const { frames, notes, isCutOff } = await find(file.slice(0, from), file.slice(from + 16 * PACKET_BYTES));
  expect(isCutOff).toBe(false);
  const next = frames.findIndex((time, i) => i > 0 && time - frames[i - 1]! > 100);
  const missing = all.filter((time) => !frames.includes(time));
  expect(frames).toHaveLength(all.length - missing.length);
  expect(notes).toMatchObject([{
    code: 'data-missing',
    atSeconds: expect.closeTo((missing[0]! - all[0]!) / 1000, 2) as number,
    amount: expect.closeTo((frames[next]! - missing[0]!) / 1000, 2) as number,
  }]);
});

it('foreign bytes between packets are skipped', async () => {
  const { frames, codes } = await find(file.slice(0, half()), foreignBytes(1000), file.slice(half()));
  expect(frames).toEqual(all);
  expect(codes).toEqual(['bytes-skipped']);
});

it('a file that starts within a packet is read from the first complete packet', async () => {
  const { frames, codes } = await find(file.slice(100, PACKET_BYTES), file);
  expect(codes).toEqual(['bytes-skipped']);
  expect(frames).toEqual(all);
});

it('audio that starts within a frame is read from the first complete frame', async () => {
  // The first two packets declare the streams.
  const { frames } = await find(file.slice(0, 2 * PACKET_BYTES), file.slice(half()));
  expect(frames).toEqual(all.slice(-frames.length));
  expect(frames.length).toBeGreaterThan(0.4 * all.length);
});

describe('a file that ends', () => {
  it.each([0, 50])('within audio, %i bytes after a packet, is read to its last complete frame', async (bytes) => {
    const { frames, isCutOff } = await find(file.slice(0, half() + bytes));
    expect(isCutOff).toBe(true);
    expect(frames).toEqual(all.slice(0, frames.length));
    expect(frames.length).toBeGreaterThan(0.4 * all.length);
  });
});

it.each(['sample.mp3', 'sample.m4a'])('%s is not a transport stream', async (name) => {
  const { parts } = await findParts(fixture(name), 1);
  expect(parts[0]!.segments[0]!.size).toBe(fixture(name).size);
});
