import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { concatenate } from '../../src/util/values';
import { noise } from '../../test/audio/collect';
import { piecesOf, readClip, SAMPLE_RATE, shuffledSegments, silence, turnsOf, whole, writeWav, type Clip } from './joined';

const clip = (name: string, seconds: number, turns: Clip['turns'] = []): Clip => ({
  name,
  samples: noise(seconds * SAMPLE_RATE, name.charCodeAt(0)),
  turns,
});

const CLIPS = [clip('a', 1.5), clip('b', 2), clip('c', 0.25)];
const names = (seconds: number, seed: number) => shuffledSegments(CLIPS, seconds, seed).map(({ clip: one }) => one?.name);

describe('shuffledSegments', () => {
  it('has the requested length, and repeats no clip before all have been used', () => {
    const segments = shuffledSegments(CLIPS, 11, 7);
    expect(concatenate([...piecesOf(segments)])).toHaveLength(11 * SAMPLE_RATE);
    expect(names(7.5, 7).slice(0, 3).sort()).toEqual(['a', 'b', 'c']);
    expect(names(7.5, 7).slice(3).sort()).toEqual(['a', 'b', 'c']);
  });

  it('depends only on the seed', () => {
    expect(names(60, 1)).toEqual(names(60, 1));
    expect(names(60, 1)).not.toEqual(names(60, 2));
  });

  it('rejects clips without samples', () => {
    expect(() => shuffledSegments([clip('a', 0)], 1, 1)).toThrow('no clip');
  });
});

describe('turnsOf', () => {
  const turns = [
    { startSeconds: 0.25, endSeconds: 1, speaker: 'anna' },
    { startSeconds: 1.25, endSeconds: 2, speaker: 'bert' },
  ];

  it('moves turns with their clip and truncates them at its end', () => {
    const spoken = clip('d', 2, turns);
    expect(turnsOf([silence(3), whole(spoken), { clip: spoken, numSamples: 1.5 * SAMPLE_RATE }, silence(1)])).toEqual([
      { startSeconds: 3.25, endSeconds: 4, speaker: 'anna' },
      { startSeconds: 4.25, endSeconds: 5, speaker: 'bert' },
      { startSeconds: 5.25, endSeconds: 6, speaker: 'anna' },
      { startSeconds: 6.25, endSeconds: 6.5, speaker: 'bert' },
    ]);
    expect(turnsOf([{ clip: spoken, numSamples: SAMPLE_RATE }])).toHaveLength(1);
  });

  it('is null if a clip has no reference', () => {
    expect(turnsOf([whole(clip('a', 1, turns)), whole(clip('b', 1, null))])).toBeNull();
  });
});

describe('writeWav', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('round-trips samples at 16 bits and clips them at full scale', async () => {
    const path = join(folder, 'joined.wav');
    const loud: Clip = { name: 'loud', samples: Float32Array.of(0.5, -0.25, 1.5, -2, 1e-5), turns: null };
    const segments = [silence(2.5), whole(CLIPS[0]!), whole(loud)];
    await writeWav(path, segments);
    const { samples, turns, name } = await readClip(path);
    expect([name, turns]).toEqual(['joined', null]);
    const made = concatenate([...piecesOf(segments)]);
    expect(samples).toHaveLength(made.length);
    const limited = made.map((value) => Math.max(-1, Math.min(32_767 / 32_768, value)));
    expect(Math.max(...samples.map((value, i) => Math.abs(value - limited[i]!)))).toBeLessThanOrEqual(0.5 / 32_768);
  });
});

describe('readClip', () => {
  it('reads the sample with its reference', async () => {
    const { samples, turns } = await readClip('public/sample.wav');
    expect(samples).toHaveLength(30 * SAMPLE_RATE);
    expect(turns).toHaveLength(10);
    expect(turns?.[0]).toMatchObject({ startSeconds: 6.69, speaker: 'speaker90' });
  });
});
