import { describe, expect, test } from 'vitest';
import { seededNormal, seededRandom } from '../../test/clustering/random';
import { denseOf, rowOf } from './linearAlgebra';
import { bestCount, countScores, cutPath, mergeByEvidence, type EvidenceInput, type EvidencePath } from './evidence';

const BETWEEN = Float64Array.of(20, 18, 16, 15, 12, 9, 9, 4, 1, 0.3);

/** Embeddings of speakers, drawn from the model, and the speaker of each; latent axes (embedding, latent dimension). */
function drawn(sizes: readonly number[], seed: number): { latent: Float64Array[]; speakers: number[] } {
  const normal = seededNormal(seed);
  const latent: Float64Array[] = [];
  const speakers: number[] = [];
  sizes.forEach((size, speaker) => {
    const voice = BETWEEN.map((variance) => Math.sqrt(variance) * normal() * 2);
    for (let i = 0; i < size; i++) {
      latent.push(voice.map((value) => value + normal()));
      speakers.push(speaker);
    }
  });
  return { latent, speakers };
}

const scaled = (latent: readonly Float64Array[]) => denseOf(latent.map((row) => row.map((value, k) => value * Math.sqrt(BETWEEN[k]!))));

function inputOf(latent: readonly Float64Array[], observationWeight = 1, groups?: Int32Array): EvidenceInput {
  return { sums: scaled(latent), sizes: latent.map(() => 1), betweenCovariance: BETWEEN, observationWeight, ...(groups && { groups }) };
}

/** ln of the density of the values of one axis under N(0, I + variance · 1 1ᵀ), minus ln under N(0, I); by elimination. */
function logRatio(values: readonly number[], variance: number): number {
  const n = values.length;
  const covariance = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => (i === j ? 1 : 0) + variance));
  const right = [...values];
  let logDeterminant = 0;
  for (let i = 0; i < n; i++) {
    logDeterminant += Math.log(covariance[i]![i]!);
    for (let j = i + 1; j < n; j++) {
      const factor = covariance[j]![i]! / covariance[i]![i]!;
      for (let k = i; k < n; k++) covariance[j]![k]! -= factor * covariance[i]![k]!;
      right[j]! -= factor * right[i]!;
    }
  }
  const square = right.reduce((sum, value, i) => sum + (value * value) / covariance[i]![i]!, 0);
  return -0.5 * (logDeterminant + square - values.reduce((sum, value) => sum + value * value, 0));
}

/** Evidence of a partition, computed directly from the densities. */
function evidenceOf(latent: readonly Float64Array[], labels: Int32Array): number {
  let sum = 0;
  for (const label of new Set(labels)) {
    const members = latent.filter((_, i) => labels[i] === label);
    BETWEEN.forEach((variance, k) => (sum += logRatio(members.map((row) => row[k]!), variance)));
  }
  return sum;
}

/** The path, found by trying every pair in every step. */
function pathByTrying({ sums, sizes, betweenCovariance, observationWeight: r }: EvidenceInput): EvidencePath['merges'] {
  const clusters = Array.from({ length: sums.numRows }, (_, i) => ({ id: i, sum: [...rowOf(sums, i)], size: sizes[i]! }));
  const evidence = ({ sum, size }: { readonly sum: readonly number[]; readonly size: number }): number =>
    0.5 * sum.reduce((total, value, k) => {
      const spread = 1 + r * size * betweenCovariance[k]!;
      return total + (r * r * value * value) / spread - Math.log(spread);
    }, 0);
  const merges: { left: number; right: number }[] = [];
  while (clusters.length > 1) {
    let best = { gain: -Infinity, i: 0, j: 1 };
    for (let i = 0; i < clusters.length; i++) {
      for (let j = i + 1; j < clusters.length; j++) {
        const [a, b] = [clusters[i]!, clusters[j]!];
        const both = { sum: a.sum.map((value, k) => value + b.sum[k]!), size: a.size + b.size };
        const gain = (evidence(both) - evidence(a) - evidence(b)) / Math.sqrt((a.size * b.size) / (a.size + b.size));
        if (gain > best.gain) best = { gain, i, j };
      }
    }
    const [a, b] = [clusters[best.i]!, clusters[best.j]!];
    merges.push({ left: a.id, right: b.id });
    clusters[best.i] = { id: a.id, sum: a.sum.map((value, k) => value + b.sum[k]!), size: a.size + b.size };
    clusters.splice(best.j, 1);
  }
  return merges;
}

describe('merging by evidence', () => {
  test('scores every number of clusters by the densities of the model', () => {
    const { latent } = drawn([3, 2, 4], 1);
    const path = mergeByEvidence(inputOf(latent));
    for (let count = 1; count <= latent.length; count++) {
      // Sums of a few dozen terms of up to a hundred each.
      expect(path.scores[count - 1]).toBeCloseTo(evidenceOf(latent, cutPath(path, count)), 9);
    }
  });

  test.each([2, 3, 5, 12, 40])('merges the best pair of %i clusters in every step', (numClusters) => {
    const random = seededRandom(numClusters);
    const sizes = Array.from({ length: numClusters }, () => 1 + Math.floor(5 * random()));
    const { latent } = drawn([numClusters], numClusters);
    const input = { ...inputOf(latent, 0.3), sizes };
    expect(mergeByEvidence(input).merges).toEqual(pathByTrying(input));
  });

  test('recovers the speakers that the embeddings were drawn from', () => {
    const { latent, speakers } = drawn([30, 25, 6, 18], 5);
    const path = mergeByEvidence(inputOf(latent));
    const count = bestCount(path, 1, Infinity);
    expect(count).toBe(4);
    const labels = cutPath(path, count);
    const pairs = new Set(speakers.map((speaker, i) => `${speaker} ${labels[i]}`));
    expect(pairs.size).toBe(4);
    const counts = countScores(path, latent.map(() => 1), 1, count);
    expect(counts[0]!.value).toBe(4);
    expect(counts.reduce((sum, { score }) => sum + score, 0)).toBeLessThanOrEqual(1 + 1e-12);
  });

  test('respects bounds, also if there are fewer clusters than requested', () => {
    const { latent } = drawn([10, 10], 6);
    const path = mergeByEvidence(inputOf(latent));
    expect(bestCount(path, 3, 5)).toBe(3);
    expect(bestCount(path, 1, 1)).toBe(1);
    expect(new Set(cutPath(path, 7)).size).toBe(7);
    expect(new Set(cutPath(path, 100)).size).toBe(latent.length);
    expect([...cutPath(path, 1)]).toEqual(latent.map(() => 0));
  });

  test('scores each number of speakers once, ignoring small clusters', () => {
    const { latent } = drawn([20, 20, 1], 9);
    const path = mergeByEvidence(inputOf(latent));
    const sizes = latent.map(() => 1);
    expect(countScores(path, sizes, 1, 3)[0]!.value).toBe(3);
    // The third speaker's single embedding does not count: if the result has two speakers, three are not an alternative.
    expect(countScores(path, sizes, 2, 2)[0]!.value).toBe(2);
    // If the result has three speakers, all counts include the third, so two large clusters count as three speakers.
    expect(countScores(path, sizes, 2, 3)[0]!.value).toBe(3);
    expect(countScores(path, sizes, 100, 3)).toEqual([{ value: 3, score: 1 }]);
  });

  test('never merges clusters of different groups', () => {
    const { latent } = drawn([12], 7);
    const groups = Int32Array.from(latent, (_, i) => (i === 3 ? 0 : i === 4 ? 1 : i === 9 ? 2 : -1));
    const path = mergeByEvidence(inputOf(latent, 1, groups));
    expect(path.scores.slice(0, 2).every((score) => score === -Infinity)).toBe(true);
    const labels = cutPath(path, 3);
    expect(new Set(labels).size).toBe(3);
    expect(new Set([labels[3], labels[4], labels[9]]).size).toBe(3);
    expect(bestCount(path, 1, Infinity)).toBeGreaterThanOrEqual(3);
  });

  test('returns no merges for a single cluster', () => {
    const path = mergeByEvidence(inputOf(drawn([1], 8).latent));
    expect(path.merges).toEqual([]);
    expect(bestCount(path, 1, Infinity)).toBe(1);
    expect(countScores(path, [1], 1, 1)).toEqual([{ value: 1, score: 1 }]);
  });
});

describe('limits and prior', () => {
  /** Two embeddings of each of three speakers. */
  const { latent } = drawn([2, 2, 2], 4);

  test('clusters that are apart are never merged, also through others', () => {
    const apart = new Uint8Array(36);
    // The first two are one speaker.
    for (const [a, b] of [[0, 1], [1, 0]] as const) apart[a * 6 + b] = 1;
    const path = mergeByEvidence({ ...inputOf(latent), apart });
    expect(path.merges).toHaveLength(4);
    const cut = cutPath(path, 2);
    expect(cut[0]).not.toBe(cut[1]);
    expect(apart.reduce((sum, value) => sum + value, 0)).toBe(2);
  });

  test('without identities in common, a prior changes nothing', () => {
    const plain = mergeByEvidence(inputOf(latent));
    expect(mergeByEvidence({ ...inputOf(latent), prior: { identities: new Int32Array(6), nats: 50 } })).toEqual(plain);
    expect(cutPath(mergeByEvidence({ ...inputOf(latent), prior: { identities: Int32Array.of(1, 2, 4, 8, 16, 32), nats: 50 } }), 3)).toEqual(cutPath(plain, 3));
  });

  test('a merge gains the nats of each identity in common', () => {
    const nats = 3;
    const identities = Int32Array.of(1, 1, 2, 2, 4, 4);
    const plain = mergeByEvidence(inputOf(latent));
    const path = mergeByEvidence({ ...inputOf(latent), prior: { identities, nats } });
    // Both begin with the pairs of the speakers, which are the identities.
    expect(cutPath(path, 3)).toEqual(cutPath(plain, 3));
    for (const count of [6, 5, 4, 3]) expect(path.scores[count - 1]! - plain.scores[count - 1]!).toBeCloseTo(nats * (6 - count), 9);
    const strong = mergeByEvidence({ ...inputOf(latent), prior: { identities: Int32Array.of(1, 2, 1, 2, 4, 4), nats: 1e6 } });
    expect(cutPath(strong, 3)).toEqual(Int32Array.of(0, 1, 0, 1, 2, 2));
  });
});
