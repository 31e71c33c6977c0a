/** Six joined or stitched files of each container, from the generator: parts, lengths, and notes. */
import { describe, expect, it } from 'vitest';
import { clipOf, fixture, foreignBytes, id3Tag, oggOfTwoTracks, type Clip, type ClipContainer } from '../../../test/audio/joined';
import { openAudio } from '../decode';
import { findParts } from './fileParts';

interface Found {
  readonly parts: number;
  /** Null if only decoding reveals it. */
  readonly seconds: number | null;
  readonly notes: readonly string[];
  readonly isCutOff: boolean;
}

async function find(...pieces: BlobPart[]): Promise<Found> {
  const { parts, notes } = await findParts(new Blob(pieces), 1);
  const isKnown = parts.every(({ durationSeconds }) => durationSeconds !== null);
  return {
    parts: parts.length,
    seconds: isKnown ? parts.reduce((sum, { durationSeconds }) => sum + (durationSeconds ?? 0), 0) : null,
    notes: notes.map(({ code }) => code),
    isCutOff: parts.at(-1)!.cutOff !== undefined,
  };
}

/** The same parts of the sample for every container. */
async function clips(container: ClipContainer): Promise<[Clip, Clip, Clip]> {
  return [await clipOf(container, 7, 9), await clipOf(container, 12, 13), await clipOf(container, 20, 23)];
}

describe.each(['mp3', 'adts'] as const)('%s, which has no header', (container) => {
  it('is read to its end across all seams', async () => {
    const [a, b, c] = await clips(container);
    const all = a.seconds + b.seconds + c.seconds;
    const whole = { parts: 1, isCutOff: false };
    const close = (seconds: number): unknown => expect.closeTo(seconds, 6);
    // Without a tag, nothing marks the end of one file and the start of the next.
    expect(await find(a.file, b.file)).toEqual({ ...whole, seconds: close(a.seconds + b.seconds), notes: [] });
    expect(await find(a.file, b.file, c.file)).toEqual({ ...whole, seconds: close(all), notes: [] });
    expect(await find(id3Tag(300), a.file, id3Tag(500), b.file, id3Tag(40))).toEqual({ ...whole, seconds: close(a.seconds + b.seconds), notes: [] });
    expect(await find(a.file, foreignBytes(333), b.file)).toEqual({ ...whole, seconds: close(a.seconds + b.seconds), notes: ['bytes-skipped'] });
    expect(await find(foreignBytes(50), a.file, foreignBytes(5000), b.file, foreignBytes(7))).toEqual({ ...whole, seconds: close(a.seconds + b.seconds), notes: ['bytes-skipped'] });
    const cut = await find(a.file, c.file.slice(0, c.file.size - 20));
    expect(cut).toMatchObject({ parts: 1, isCutOff: true, seconds: close(a.seconds + c.seconds) });
  });
});

describe.each(['ogg-opus', 'ogg-vorbis'] as const)('%s', (container) => {
  it('is read to its end across all seams', async () => {
    const [a, b, c] = await clips(container);
    const one = (await find(a.file)).seconds!;
    const two = (await find(b.file)).seconds!;
    const three = (await find(c.file)).seconds!;
    // The granules exclude the encoder's delay of some milliseconds.
    expect(Math.abs(one - a.seconds)).toBeLessThan(0.05);
    expect(await find(a.file, b.file)).toEqual({ parts: 2, seconds: one + two, notes: ['joined'], isCutOff: false });
    expect(await find(a.file, b.file, c.file)).toEqual({ parts: 3, seconds: one + two + three, notes: ['joined'], isCutOff: false });
    expect(await find(a.file, a.file)).toEqual({ parts: 2, seconds: 2 * one, notes: ['joined'], isCutOff: false });
    expect(await find(a.file, foreignBytes(333), b.file)).toEqual({ parts: 2, seconds: one + two, notes: ['joined', 'bytes-skipped'], isCutOff: false });
    expect((await findParts(new Blob([a.file, foreignBytes(333), b.file, foreignBytes(7)]), 1)).notes[1]).toMatchObject({
      amount: 340,
      atSeconds: expect.closeTo(one, 6) as number,
      text: expect.stringContaining('2 places') as string,
    });
    expect(await find(foreignBytes(10), a.file)).toMatchObject({ parts: 1 });
    expect(await find(a.file, c.file.slice(0, c.file.size - 20))).toMatchObject({ parts: 2, isCutOff: true });
  });
});

describe.each(['webm', 'matroska', 'mp4'] as const)('%s', (container) => {
  it('is split at every seam', async () => {
    const [a, b, c] = await clips(container);
    const joined = { seconds: null, notes: ['joined'], isCutOff: false };
    expect(await find(a.file)).toEqual({ parts: 1, seconds: null, notes: [], isCutOff: false });
    expect(await find(a.file, b.file)).toEqual({ ...joined, parts: 2 });
    expect(await find(a.file, b.file, c.file)).toEqual({ ...joined, parts: 3 });
    expect(await find(a.file, a.file)).toEqual({ ...joined, parts: 2 });
    expect(await find(c.file, b.file, a.file, b.file)).toEqual({ ...joined, parts: 4 });
    expect(await find(a.file, b.file, foreignBytes(5))).toMatchObject({ parts: 2 });
    // A truncated MP4 file is detected by its index, on opening.
    expect(await find(a.file, c.file.slice(0, c.file.size - 20))).toEqual({ ...joined, parts: 2, isCutOff: container !== 'mp4' });
  });
});

it('a damaged Ogg file with two tracks returns the selected one', async () => {
  const file = await oggOfTwoTracks();
  const damaged = new Blob([file, foreignBytes(50)]);
  for (const track of [1, 2]) {
    expect((await findParts(damaged, track)).parts).toMatchObject([{ isOneTrack: true }]);
    const audio = await openAudio(damaged, { sampleRate: 16_000, track });
    audio.close();
    expect(audio.facts.durationSeconds).toBeGreaterThan(1);
  }
  await expect(openAudio(damaged, { sampleRate: 16_000, track: 3 })).rejects.toMatchObject({ code: 'options', problem: expect.stringContaining('2 audio tracks') as string });
});

it('FLAC files are split at every seam', async () => {
  const file = fixture('sample.flac');
  const joined = { seconds: null, notes: ['joined'], isCutOff: false };
  expect(await find(file)).toMatchObject({ parts: 1, notes: [] });
  expect(await find(file, file)).toEqual({ ...joined, parts: 2 });
  expect(await find(file, file, file)).toEqual({ ...joined, parts: 3 });
  expect(await find(id3Tag(200), file, file)).toEqual({ ...joined, parts: 2 });
  expect(await find(file, foreignBytes(300), file)).toEqual({ ...joined, parts: 2 });
  expect(await find(file, file.slice(0, 100_000))).toEqual({ ...joined, isCutOff: true, parts: 2 });
});
