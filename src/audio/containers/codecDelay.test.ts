import { expect, it } from 'vitest';
import { clipOf, fixture } from '../../../test/audio/joined';
import { ByteReader } from './byteReader';
import { readCodecDelay } from './matroska';

const element = (id: number[], content: number[]): number[] => [...id, 0x80 + content.length, ...content];
const entry = (number: number, delay: number[]): number[] => element([0xae], [...element([0xd7], [number]), ...delay]);
/** An EBML header, and a segment of unknown size with a void element and these tracks. */
const file = (...entries: number[][]): ByteReader =>
  new ByteReader(new Blob([Uint8Array.from([
    ...element([0x1a, 0x45, 0xdf, 0xa3], [0xec, 0x80]),
    ...[0x18, 0x53, 0x80, 0x67, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ...element([0xec], [0, 0, 0]),
    ...element([0x16, 0x54, 0xae, 0x6b], entries.flat()),
  ])]));
const nanoseconds = (value: number): number[] => element([0x56, 0xaa], [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]);

it('is read from the entry of the track', async () => {
  const reader = file(entry(1, []), entry(2, nanoseconds(64_000_000)), entry(3, nanoseconds(21_333_333)));
  expect(await readCodecDelay(reader, 1)).toBe(0);
  expect(await readCodecDelay(reader, 2)).toBeCloseTo(0.064, 9);
  expect(await readCodecDelay(reader, 3)).toBeCloseTo(0.021333333, 9);
  expect(await readCodecDelay(reader, 4)).toBe(0);
});

it('is read from numbers of 8 bytes', async () => {
  const entryOf8 = element([0xae], [...element([0xd7], [0, 0, 0, 0, 0, 0, 0, 1]), ...element([0x56, 0xaa], [0, 0, 0, 0, 3, 0xd0, 0x90, 0])]);
  expect(await readCodecDelay(file(entryOf8), 1)).toBeCloseTo(0.064, 9);
});

it('is 0 if the value is invalid, or if the file has none', async () => {
  expect(await readCodecDelay(file(entry(1, nanoseconds(2_000_000_000))), 1)).toBe(0);
  expect(await readCodecDelay(new ByteReader((await clipOf('matroska', 7, 9)).file), 1)).toBe(0);
  expect(await readCodecDelay(new ByteReader(fixture('sample.mp3')), 1)).toBe(0);
});

it('is read from a file of a common encoder', async () => {
  // 104 samples at 48 kHz.
  expect(await readCodecDelay(new ByteReader(fixture('sample.webm')), 1)).toBeCloseTo(104 / 48_000, 6);
});
