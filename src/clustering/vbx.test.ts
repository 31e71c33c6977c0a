import { describe, expect, test } from 'vitest';
import { denseOf, rowOf, type Dense } from './linearAlgebra';
import { seededNormal } from '../../test/clustering/random';
import { responsibilitiesOf, startResponsibilities, vbx, type VbxOptions } from './vbx';

const OPTIONS: VbxOptions = { fa: 0.07, fb: 0.8, maxIterations: 20 };
const LATENT_SIZE = 16;
/** Distance of a speaker from the origin, in between-speaker standard deviations. */
const DISTANCE = 4;
const BETWEEN = Float64Array.from({ length: LATENT_SIZE }, (_, k) => 20 / (1 + k));

/** Axes (embedding, latent dimension): embeddings drawn from the model, `perSpeaker` for each speaker. */
function voices(numSpeakers: number, perSpeaker: number, seed: number): Dense {
  const normal = seededNormal(seed);
  // Each speaker is on a separate axis, so that no two are near each other by chance.
  const centers = Array.from({ length: numSpeakers }, (_, speaker) =>
    Array.from(BETWEEN, (variance, k) => (k === speaker ? DISTANCE : 0.1) * Math.sqrt(variance)),
  );
  return denseOf(
    Array.from({ length: numSpeakers * perSpeaker }, (_, i) =>
      centers[i % numSpeakers]!.map((value) => value + normal()),
    ),
  );
}

/** Labels that split each of `numSpeakers` speakers in two. */
const splitLabels = (length: number, numSpeakers: number): Int32Array =>
  Int32Array.from({ length }, (_, i) => (i % numSpeakers) + (i >= length / 2 ? numSpeakers : 0));

const rowsOf = (values: Dense): Float64Array[] => Array.from({ length: values.numRows }, (_, row) => rowOf(values, row));
const rowSums = (values: Dense): number[] => rowsOf(values).map((row) => row.reduce((sum, value) => sum + value, 0));
/** The maximum absolute difference between two matrices of the same size. */
const difference = (a: Dense, b: Dense): number => Math.max(...a.data.map((value, i) => Math.abs(value - b.data[i]!)));

describe('start responsibilities', () => {
  test('are the softmax of 7 for the own label and 0 for the others', () => {
    const start = startResponsibilities(Int32Array.from([1, 0, 2]));
    const others = 1 / (Math.exp(7) + 2);
    expect(start.data[0]).toBeCloseTo(others, 15);
    expect(start.data[1]).toBeCloseTo(Math.exp(7) * others, 15);
    for (const sum of rowSums(start)) expect(sum).toBeCloseTo(1, 12);
  });
});

describe.each([2, 3, 5])('VBx of %i speakers', (numSpeakers) => {
  const features = voices(numSpeakers, 40, 7 + numSpeakers);
  const labels = splitLabels(features.numRows, numSpeakers);
  const result = vbx(features, BETWEEN, startResponsibilities(labels), OPTIONS);

  test('returns responsibilities and priors that sum to 1', () => {
    // Sums of a few probabilities in float64.
    for (const sum of rowSums(result.responsibilities)) expect(Math.abs(sum - 1)).toBeLessThan(1e-12);
    expect(result.priors.reduce((sum, prior) => sum + prior, 0)).toBeCloseTo(1, 12);
    expect(Math.min(...result.responsibilities.data)).toBeGreaterThanOrEqual(0);
  });

  test('never lowers the evidence bound', () => {
    expect(result.elbo.length).toBeGreaterThan(2);
    for (const [i, bound] of result.elbo.entries()) {
      // Only rounding may lower it: sums of a few hundred terms.
      if (i > 0) expect(bound).toBeGreaterThanOrEqual(result.elbo[i - 1]! - 1e-9 * Math.abs(bound));
    }
  });

  test('never merges two speakers', () => {
    const voiceOfWinner = new Map<number, number>();
    for (let row = 0; row < features.numRows; row++) {
      const shares = rowOf(result.responsibilities, row);
      const winner = shares.indexOf(Math.max(...shares));
      const voice = row % numSpeakers;
      expect(voiceOfWinner.get(winner) ?? voice).toBe(voice);
      voiceOfWinner.set(winner, voice);
    }
  });

  test('keeps fewer speakers with a greater fb', () => {
    const kept = [0.1, 0.8, 8, 80].map((fb) => {
      const options = { ...OPTIONS, fb };
      return vbx(features, BETWEEN, startResponsibilities(labels), options).priors.filter((prior) => prior > 1e-7).length;
    });
    expect(kept).toEqual([...kept].sort((a, b) => b - a));
    expect(kept.at(-1)).toBeLessThan(kept[0]!);
  });

  test('assigns an embedding by the final model as in training', () => {
    const again = responsibilitiesOf(result.model, features);
    expect(difference(again, result.responsibilities)).toBeLessThan(1e-12);
  });

  test('renames the speakers and changes nothing else if the start labels are renamed', () => {
    const numLabels = 2 * numSpeakers;
    const renamed = (label: number): number => (label + 1) % numLabels;
    const other = vbx(features, BETWEEN, startResponsibilities(labels.map(renamed)), OPTIONS);
    const back = rowsOf(other.responsibilities).map((row) => row.map((_, label) => row[renamed(label)]!));
    // Sums over speakers are in another order.
    expect(difference(denseOf(back), result.responsibilities)).toBeLessThan(1e-9);
  });

  test('does not depend on the order of the embeddings', () => {
    const backwards = rowsOf(features).reverse();
    const other = vbx(denseOf(backwards), BETWEEN, startResponsibilities(labels.toReversed()), OPTIONS);
    const back = rowsOf(other.responsibilities).reverse();
    // Sums over embeddings are in another order.
    expect(difference(denseOf(back), result.responsibilities)).toBeLessThan(1e-9);
  });
});

test('stops at the maximum number of iterations', () => {
  const features = voices(3, 30, 3);
  const start = startResponsibilities(splitLabels(features.numRows, 3));
  expect(vbx(features, BETWEEN, start, { ...OPTIONS, maxIterations: 2 }).elbo).toHaveLength(2);
});
