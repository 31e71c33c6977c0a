/** Unsupported files: the error names their kind. */
import { describe, expect, it } from 'vitest';
import { clipOf, fixture } from '../../test/audio/joined';
import { decoderFor, openAudio } from './decode';
import { findParts } from './containers/fileParts';

const OPTIONS = { sampleRate: 16_000 };
const bytes = (...parts: (string | number[])[]): Blob =>
  new Blob(parts.map((part) => Uint8Array.from(typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));

describe('the kind of a file', () => {
  it.each([
    ['Wave64', bytes('riff', [0x2e, 0x91, 0xcf, 0x11, 0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0, 0])],
    ['AC-3', bytes([0x0b, 0x77, 0x12, 0x34, 0x14, 0x40])],
    ['DTS', bytes([0x7f, 0xfe, 0x80, 0x01, 0xfc])],
    ['TTA', bytes('TTA1', [1, 0, 1, 0])],
    ['VOC', bytes('Creative Voice File', [0x1a])],
    ['Musepack', bytes('MPCK', [0])],
    ['gzip', bytes([0x1f, 0x8b, 8, 0])],
  ])('%s', async (name, source) => {
    const file = new Blob([source, new Uint8Array(64)]);
    await expect(openAudio(file, OPTIONS)).rejects.toMatchObject({ code: 'audio-unsupported', problem: expect.stringContaining(name) as string });
  });

  it('an MPEG program stream is not searched for MP3 frames, and is not passed to another decoder', async () => {
    const { file } = await clipOf('mp3', 7, 9);
    const stream = new Blob([Uint8Array.from([0, 0, 1, 0xba, 0x44, 0, 4, 0, 4, 1, 0, 0, 3, 0xf8]), file]);
    expect(await decoderFor(stream)).toBe('here');
    await expect(openAudio(stream, OPTIONS)).rejects.toMatchObject({
      code: 'audio-unsupported',
      problem: expect.stringContaining('MPEG program stream') as string,
    });
  });
});

describe('an MP4 file without an index', () => {
  const withoutIndex = { code: 'audio-truncated', problem: expect.stringContaining('index') as string };

  it('that ends within its audio', async () => {
    const file = bytes([0, 0, 0, 16], 'ftypM4A ', [0, 0, 0, 0], [0, 1, 0, 0], 'mdat', Array<number>(500).fill(7));
    await expect(openAudio(file, OPTIONS)).rejects.toMatchObject(withoutIndex);
  });

  it('that consists only of fragments', async () => {
    const file = bytes([0, 0, 0, 16], 'stypmsdh', [0, 0, 0, 0], [0, 0, 0, 16], 'moof', [0, 0, 0, 8], 'mfhd', [0, 0, 0, 16], 'mdat', Array<number>(8).fill(7));
    await expect(openAudio(file, OPTIONS)).rejects.toMatchObject(withoutIndex);
  });
});

it('an Ogg file that ends after its headers has no samples; the error does not mention its codec', async () => {
  const ogg = new Uint8Array(await fixture('sample.ogg').arrayBuffer());
  // The first two pages are the headers of Opus.
  const starts = [...ogg.keys()].filter((at) => ogg[at] === 0x4f && ogg[at + 1] === 0x67 && ogg[at + 2] === 0x67 && ogg[at + 3] === 0x53);
  const headers = new Blob([ogg.slice(0, starts[2])]);
  expect(await findParts(headers, 1)).toMatchObject({ parts: [{ segments: [headers] }], unreadableCodec: null });
});
