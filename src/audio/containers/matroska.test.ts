/** Damaged WebM and Matroska files: the data before and after the damage is kept. */
import { BlobSource, EncodedPacketSink, Input, MATROSKA, WEBM } from 'mediabunny';
import { describe, expect, it } from 'vitest';
import { clipOf, fixture, foreignBytes } from '../../../test/audio/joined';
import { findParts } from './fileParts';

/** Timestamps of the packets found by the demuxer, in milliseconds. */
async function timestamps(file: Blob): Promise<number[]> {
  const input = new Input({ source: new BlobSource(file), formats: [WEBM, MATROSKA] });
  const track = (await input.getPrimaryAudioTrack())!;
  const found: number[] = [];
  for await (const { timestamp } of new EncodedPacketSink(track).packets()) found.push(Math.round(timestamp * 1000));
  input.dispose();
  return found;
}

async function found(file: Blob) {
  const { parts, notes } = await findParts(file, 1);
  const part = parts[0]!;
  return { segments: await Promise.all(part.segments.map(timestamps)), isCutOff: part.cutOff !== undefined, parts: parts.length, notes };
}

/** The sample, several clusters long, with some of its bytes replaced. */
async function damaged(start: number, end: number, instead: BlobPart) {
  const file = fixture('sample.webm');
  return { all: await timestamps(file), ...(await found(new Blob([file.slice(0, start), instead, file.slice(end)]))) };
}

describe.each([
  ['foreign bytes', foreignBytes(20_000)],
  ['zeros', new Uint8Array(20_000)],
  ['nothing', new Uint8Array(0)],
])('a WebM file with %s in its middle', (_, instead) => {
  it('is read before and after them, with the correct times', async () => {
    const { all, segments, isCutOff, parts, notes } = await damaged(20_000, 40_000, instead);
    expect(parts).toBe(1);
    expect(notes).toEqual([]);
    expect(isCutOff).toBe(false);
    expect(segments).toHaveLength(2);
    const [before, after] = segments as [number[], number[]];
    // The block in which the damage starts is dropped, and the rest of the cluster in which it ends.
    expect(before).toEqual(all.slice(0, before.length));
    expect(after).toEqual(all.slice(-after.length));
    expect(before.length + after.length).toBeGreaterThan(0.5 * all.length);
    expect(before.length).toBeGreaterThan(100);
  });
});

describe.each([['sample.webm', 30], ['matroska', 16]] as const)('%s, truncated anywhere', (name, seconds) => {
  it('keeps all complete blocks', async () => {
    const file = name === 'matroska' ? (await clipOf('matroska', 0, 16)).file : fixture(name);
    const all = await timestamps(file);
    for (const share of [0.3, 0.55, 0.8]) {
      const { segments, isCutOff } = await found(file.slice(0, Math.round(share * file.size)));
      expect(isCutOff).toBe(true);
      expect(segments).toHaveLength(1);
      expect(segments[0]).toEqual(all.slice(0, segments[0]!.length));
      // The bytes before the clusters, and changes of the bit rate, move the end by less than a second and a half.
      expect(Math.abs(segments[0]!.at(-1)! / 1000 - share * seconds)).toBeLessThan(1.5);
    }
  });
});

it('a file after foreign bytes is another part', async () => {
  const [a, b] = [await clipOf('webm', 7, 9), await clipOf('webm', 12, 13)];
  const { parts, notes } = await found(new Blob([a.file, foreignBytes(333), b.file]));
  expect(parts).toBe(2);
  expect(notes).toMatchObject([{ code: 'joined' }]);
});
