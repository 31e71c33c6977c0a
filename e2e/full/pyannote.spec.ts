/**
 * Compares every reference recording with the results of pyannote.audio with the same models.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { diarizationErrorRate } from '../../src/score/der';
import { parseRttm } from '../../src/formats/rttm';
import type { Turn } from '../../src/timeline/turns';
import { expect, test, type RunOutcome } from '../../test/browser/engine';
import { hasShared, readNpz, SHARED, SHARED_MISSING } from '../../test/shared';

// The clustering of the pyannote reference runs.
test.use({ engineOptions: { clustering: 'pyannote-3.1' } });

const CLIPS = [
  ...['dev00', 'dev01', 'trn00', 'trn01', 'trn02', 'trn03', 'trn04'].map((name) => ({
    name,
    path: join(SHARED, 'audio', `${name}.wav`),
  })),
  ...['03_dual_speaker', '04_three_speaker', '05_four_speaker'].map((name) => ({
    name,
    path: join(SHARED, 'captures', name, 'clip_16k.wav'),
  })),
  { name: 'sample', path: 'public/sample.wav' },
];

/** A part of the sample with both speakers. sampleError.spec.ts covers the whole sample. */
const BOTH_SPEAKERS = { startSeconds: 7, durationSeconds: 12 };

function readTurns(path: string): readonly Turn[] {
  return [...parseRttm(readFileSync(path, 'utf8')).values()].flat();
}

const countSpeakers = (turns: readonly Turn[]) => new Set(turns.map((turn) => turn.speaker)).size;

for (const { name, path } of CLIPS) {
  test(`${name}: turns, segmentation and embeddings match pyannote`, async ({ engine }) => {
    test.skip(!hasShared, SHARED_MISSING);
    const { json, activity, embeddings } = await engine.run(path);
    const reference = (suffix: string) => readTurns(join(SHARED, 'reference', `${name}${suffix}.rttm`));

    for (const [kind, turns, expected] of [
      ['turns', json.turns, reference('')],
      ['exclusive turns', json.exclusiveTurns, reference('.exclusive')],
    ] as const) {
      const { der } = diarizationErrorRate(expected, turns);
      console.log(`${name}: ${kind} DER ${(100 * der).toFixed(3)} %`);
      expect(der).toBeLessThanOrEqual(0.01);
      expect(countSpeakers(turns)).toBe(countSpeakers(expected));
    }

    const arrays = readNpz(join(SHARED, 'reference', `${name}.npz`));
    const cells = arrays.segmentations!;
    expect(activity).toHaveLength(cells.data.length);
    const equal = activity.filter((value, index) => value === cells.data[index]).length;
    expect(equal / activity.length).toBeGreaterThanOrEqual(0.999);

    const expected = arrays.embeddings!;
    expect(embeddings).toHaveLength(expected.data.length);
    const dimension = expected.shape[2]!;
    const similarities: number[] = [];
    for (let row = 0; row < embeddings.length / dimension; row++) {
      const ours = embeddings.slice(row * dimension, (row + 1) * dimension);
      const theirs = Array.from({ length: dimension }, (_, d) => expected.data[row * dimension + d]!);
      expect(ours.every((value) => value === null)).toBe(theirs.every(Number.isNaN));
      if (ours[0] !== null) similarities.push(cosine(ours as number[], theirs));
    }
    // Compare every row end to end, which reveals masks that differ by a frame.
    expect(similarities.length).toBeGreaterThan(0);
    const least = Math.min(...similarities);
    console.log(`${name}: ${activity.length - equal} of ${activity.length} cells differ, minimum cosine ${least.toFixed(6)} of ${similarities.length}`);
    expect(least).toBeGreaterThanOrEqual(0.999);
  });
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

test('the same file yields identical bytes', async ({ engine }) => {
  const first = await engine.run('public/sample.wav', BOTH_SPEAKERS);
  const second = await engine.run('public/sample.wav', BOTH_SPEAKERS);
  const bytesOf = (outcome: RunOutcome) => JSON.stringify({ ...outcome.json, timings: null });
  expect(bytesOf(second)).toBe(bytesOf(first));
});

test('an exact, a minimum and a maximum number of speakers are respected', async ({ engine }) => {
  const speakersWith = async (options: Parameters<typeof engine.run>[1]) =>
    countSpeakers((await engine.run('public/sample.wav', { ...BOTH_SPEAKERS, ...options })).json.turns);
  expect(await speakersWith({ speakers: 1 })).toBe(1);
  expect(await speakersWith({ maxSpeakers: 1 })).toBe(1);
  expect(await speakersWith({ speakers: 3 })).toBe(3);
});
