import { describe, expect, it } from 'vitest';
import { fixture, id3Tag } from '../../../test/audio/joined';
import { ByteReader } from './byteReader';
import { findParts } from './fileParts';
import { readFlacEnd } from './flac';

const SAMPLE_SECONDS = 30;
const endOf = async (...pieces: BlobPart[]): Promise<number | undefined> => (await readFlacEnd(new ByteReader(new Blob(pieces))))?.endSeconds;

it('is the end of the last frame, whatever the header declares', async () => {
  const file = fixture('sample.flac');
  expect(await endOf(file)).toBe(SAMPLE_SECONDS);
  // The number of samples is 36 bits, which end at byte 26.
  const withoutCount = [file.slice(0, 22), new Uint8Array(4), file.slice(26)];
  expect(await endOf(...withoutCount)).toBe(SAMPLE_SECONDS);
  expect(await endOf(id3Tag(400), ...withoutCount, 'TAG', new Uint8Array(125))).toBe(SAMPLE_SECONDS);
});

it('is found after damage', async () => {
  const file = fixture('sample.flac');
  expect(await endOf(file.slice(0, 100_000), new Uint8Array(20_000), file.slice(150_000))).toBe(SAMPLE_SECONDS);
});

it('is earlier in a truncated file', async () => {
  const file = fixture('sample.flac');
  const half = (await endOf(file.slice(0, Math.round(file.size / 2))))!;
  expect(half).toBeGreaterThan(0.3 * SAMPLE_SECONDS);
  expect(half).toBeLessThan(0.7 * SAMPLE_SECONDS);
});

it('is unknown without frames', async () => {
  expect(await endOf(fixture('sample.flac').slice(0, 42))).toBeUndefined();
  expect(await endOf(fixture('sample.mp3'))).toBeUndefined();
});

describe('a file whose last frame is', () => {
  const file = fixture('sample.flac');
  const isCutOff = async (...pieces: BlobPart[]): Promise<(boolean | undefined)[]> => {
    const source = new Blob(pieces);
    const { parts } = await findParts(source, 1);
    return [(await readFlacEnd(new ByteReader(source)))?.isCutOff, parts.at(-1)!.cutOff === null];
  };

  it.each([1, 2, 300])('%i bytes short is cut off', async (missing) => {
    expect(await isCutOff(file.slice(0, file.size - missing))).toEqual([true, true]);
    expect(await isCutOff(file, file.slice(0, file.size - missing))).toEqual([true, true]);
  });

  it.each([
    ['the end', new Uint8Array(0)],
    ['before zeros', new Uint8Array(3000)],
    ['before an ID3 tag', new Blob(['TAG', new Uint8Array(125)])],
  ])('complete and %s is not', async (_, rest) => {
    expect(await isCutOff(file, rest)).toEqual([false, false]);
  });
});
