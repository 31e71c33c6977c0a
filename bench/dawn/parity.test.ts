import { expect, it } from 'vitest';
import { parityOf, type RunOutputs } from './parity';

const turn = (startSeconds: number, endSeconds: number, speaker: string) => ({ startSeconds, endSeconds, speaker });

/** One window with three frames of two speakers, and embeddings of two values. */
const run = (activity: number[], embeddings: number[], turns: RunOutputs['turns'] = []): RunOutputs => ({
  voices: { activity: Uint8Array.from(activity), embeddings: Float32Array.from(embeddings), embedded: Uint8Array.of(1), numSpeakers: 2, dimension: 2 },
  turns,
});

it('finds nothing in equal runs', () => {
  const one = run([1, 0, 1, 1, 0, 0], [3, 4, NaN, NaN], [turn(0, 1, 'A')]);
  expect(parityOf(one, one)).toEqual({
    numFrames: 3,
    differingFrames: 0,
    numEmbeddings: 1,
    leastCosine: 1,
    unmatchedEmbeddings: 0,
    numTurns: 1,
    differingTurns: 0,
  });
});

it('counts differing frames once, finds the least cosine, and counts turns of both runs', () => {
  const parity = parityOf(
    run([1, 0, 0, 0, 0, 0], [1, 0, 1, 1], [turn(0, 1, 'A'), turn(2, 3, 'B')]),
    run([1, 0, 1, 1, 0, 1], [2, 0, 1, 0], [turn(0, 1.0001, 'A'), turn(2, 3.002, 'B')]),
  );
  expect(parity).toMatchObject({ differingFrames: 2, numEmbeddings: 2, unmatchedEmbeddings: 0, numTurns: 2, differingTurns: 2 });
  expect(parity.leastCosine).toBeCloseTo(Math.SQRT1_2, 6);
});

it('counts embeddings of one run only, and rejects other windows', () => {
  const one = run([1, 0, 0, 0, 0, 0], [1, 0, NaN, NaN]);
  expect(parityOf(one, run([1, 0, 0, 0, 0, 0], [NaN, NaN, NaN, NaN]))).toMatchObject({ leastCosine: null, unmatchedEmbeddings: 1 });
  expect(() => parityOf(one, run([1, 0], [1, 0, 1, 0]))).toThrow('different windows');
});
