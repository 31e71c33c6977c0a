/** Truncated fragmented MP4 files, such as from a recorder that crashed. */
import { BlobSource, EncodedPacketSink, Input, MP4 } from 'mediabunny';
import { describe, expect, it } from 'vitest';
import { clipOf, type Clip } from '../../../test/audio/joined';
import { ByteReader } from './byteReader';
import { findParts } from './fileParts';
import { walkMp4 } from './mp4';

const clip = (): Promise<Clip> => clipOf('mp4-fragments', 0, 10);

/** Timestamps of the packets found by the demuxer, and the end that it declares. */
async function read(file: Blob) {
  const input = new Input({ source: new BlobSource(file), formats: [MP4] });
  const track = (await input.getPrimaryAudioTrack())!;
  const times: number[] = [];
  for await (const { timestamp } of new EncodedPacketSink(track).packets()) times.push(timestamp);
  const end = await track.computeDuration();
  input.dispose();
  return { times, end };
}

/** Offsets of the boxes with this name. */
async function offsets(file: Blob, name: string): Promise<number[]> {
  const bytes = Buffer.from(await file.arrayBuffer());
  const found: number[] = [];
  for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at + 1)) found.push(at - 4);
  return found;
}

it('a complete file is not changed', async () => {
  const { file } = await clip();
  expect(await findParts(file, 1)).toEqual({ parts: [{ segments: [file], durationSeconds: null }], notes: [], unreadableCodec: null });
});

describe('a file that ends', () => {
  it.each([
    ['in the header of a fragment', 'moof', 4],
    ['in the index of a fragment', 'moof', 50],
    ['after the index of a fragment', 'mdat', 0],
    ['in the size of the audio', 'mdat', 3],
    ['in the audio', 'mdat', 500],
  ])('%s is read to its last complete fragment', async (_, name, bytes) => {
    const { file } = await clip();
    const all = await read(file);
    const at = (await offsets(file, name))[5]!;
    const { parts, notes } = await findParts(file.slice(0, at + bytes), 1);
    expect(notes).toEqual([]);
    expect(parts).toMatchObject([{ cutOff: null }]);
    const { times, end } = await read(parts[0]!.segments[0]!);
    expect(times).toEqual(all.times.slice(0, times.length));
    expect(end).toBeGreaterThan(3);
    expect(end).toBeLessThan(8);
  });

  it('in its first fragment has no complete fragment', async () => {
    const { file } = await clip();
    const [first] = await offsets(file, 'mdat');
    expect((await walkMp4(new ByteReader(file.slice(0, first! + 500)))).completeEnd).toBeNull();
  });

  it('without fragments is not changed, because its index reveals the missing data', async () => {
    const { file } = await clipOf('mp4', 7, 9);
    expect((await walkMp4(new ByteReader(file.slice(0, file.size - 500)))).completeEnd).toBeNull();
  });
});
