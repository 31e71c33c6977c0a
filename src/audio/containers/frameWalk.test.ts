import { describe, expect, it } from 'vitest';
import { clipOf, foreignBytes, id3Tag } from '../../../test/audio/joined';
import { ADTS_FRAMES, walkFrames } from './frames';
import { ByteReader } from './byteReader';
import { MP3_FRAMES } from './mp3';

/** An ID3v2 header that declares about 256 MB. */
const BOGUS_TAG = Uint8Array.from([0x49, 0x44, 0x33, 4, 0, 0, 0x7f, 0x7f, 0x7f, 0x7f, ...foreignBytes(30)]);
/** An ID3v2 header whose size is within the file, but ends in the middle of a frame. */
const SHORT_TAG = Uint8Array.from([0x49, 0x44, 0x33, 3, 0, 0, 0, 0, 8, 1]);

describe.each([
  ['mp3', MP3_FRAMES],
  ['adts', ADTS_FRAMES],
] as const)('tags in %s', (container, kind) => {
  const walk = (...pieces: BlobPart[]) => walkFrames(new ByteReader(new Blob(pieces)), kind);

  it.each([['a size beyond the file', BOGUS_TAG], ['a size that ends inside a frame', SHORT_TAG]])('%s does not skip frames', async (_, tag) => {
    const { file } = await clipOf(container, 7, 9);
    const whole = await walk(file, file);
    const { runs, skipped } = await walk(file, tag, file);
    expect(runs[0]!.samples).toBe(whole.runs[0]!.samples);
    expect(skipped).toMatchObject([{ start: file.size, end: file.size + tag.length }]);
  });

  it('a tag between frames is skipped without a note', async () => {
    const { file } = await clipOf(container, 7, 9);
    expect((await walk(file, id3Tag(500), file)).skipped).toEqual([]);
  });
});

/** Equal frames of layer II: MPEG 1 at 48 kHz and 192 kbit/s, 576 bytes of 1152 samples. */
function mp2(frames: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(576 * frames);
  for (let frame = 0; frame < frames; frame++) bytes.set([0xff, 0xfd, 0xa4, 0x00], 576 * frame);
  return bytes;
}

it('MP2 is read to its end, across foreign bytes', async () => {
  const source = new Blob([mp2(10), foreignBytes(333), mp2(20)]);
  const { runs, skipped } = await walkFrames(new ByteReader(source), MP3_FRAMES);
  expect(runs).toMatchObject([{ coding: 'mp2 3 48000 2', samples: 30 * 1152 }]);
  expect(skipped).toMatchObject([{ start: 5760, end: 6093 }]);
});
