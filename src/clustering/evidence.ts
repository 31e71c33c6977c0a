import type { CountScore } from './localSpeakers';
import { rowOf, type Dense } from './linearAlgebra';

/** Input of {@link mergeByEvidence}: the start clusters and the parameters of the model. */
export interface EvidenceInput {
  /** Sum of each cluster's latent embeddings, scaled by √betweenCovariance; axes (cluster, latent dimension). */
  readonly sums: Dense;
  /** Number of embeddings in each cluster, at least 1; axes (cluster). */
  readonly sizes: ArrayLike<number>;
  /** Between-speaker variance, relative to a within-speaker variance of 1; axes (latent dimension). */
  readonly betweenCovariance: Float64Array;
  /** Number of independent observations per embedding, above 0 and at most 1: embeddings of overlapping windows are similar. */
  readonly observationWeight: number;
  /** Clusters of two different groups are never merged; -1 for none. Axes (cluster). Default: none. */
  readonly groups?: Int32Array;
  /** 1 if two clusters are never merged; symmetric. Merged clusters keep the limits of both. Axes (cluster, cluster). Default: none. */
  readonly apart?: Uint8Array;
  /** What is known of the speakers before the embeddings. Default: nothing. */
  readonly prior?: IdentityPrior;
}

/** A prior from a model that follows speakers itself: an identity of that model is probably one speaker. */
export interface IdentityPrior {
  /** Bit `i` is set if the cluster has speech of identity `i`, from 0 to 30; axes (cluster). */
  readonly identities: Int32Array;
  /** Loss in evidence, in nats, for each cluster beyond the first among which an identity is divided. */
  readonly nats: number;
}

/** Merges down to the minimum number of clusters. */
export interface EvidencePath {
  /** Number of clusters before the first merge. */
  readonly numStart: number;
  /** Merges in order: `right` becomes part of `left`, which is lower and keeps its number. */
  readonly merges: readonly { readonly left: number; readonly right: number }[];
  /** Log evidence of `index + 1` clusters, in nats; -Infinity for numbers that are not on the path. */
  readonly scores: Float64Array;
}

/**
 * Merges clusters, two at a time, by the gain in evidence if both are one speaker.
 *
 * Embeddings are modeled by two-covariance PLDA: x = y + e, with y ~ N(0, diag(betweenCovariance)) drawn once per speaker and
 * e ~ N(0, I) drawn per observation. Up to a constant that depends only on the recording, the log evidence of a cluster of n
 * embeddings is
 *
 *     E = ½ Σ_d [ r² F_d² / (1 + r n φ_d) − ln(1 + r n φ_d) ],   F_d = √φ_d Σ x_d
 *
 * where r is the weight of an observation. This is the evidence lower bound of VBx (Landini et al. 2020, equation 25) divided by Fb,
 * with r = Fa / Fb and responsibilities of 0 or 1. Each step merges the pair with the greatest gain, divided by
 * √(n_i n_j / (n_i + n_j)): the plain gain would favor large clusters. With a prior, a merge of clusters that share identities
 * gains its nats for each of them.
 */
export function mergeByEvidence(input: EvidenceInput): EvidencePath {
  return new EvidenceMerger(input).run();
}

/** Labels of the start clusters after merging down to `numClusters`; from 0 without gaps, in the order of the start clusters. */
export function cutPath({ numStart, merges }: EvidencePath, numClusters: number): Int32Array {
  const labels = Int32Array.from({ length: numStart }, (_, cluster) => cluster);
  for (const { left, right } of merges.slice(0, Math.max(0, numStart - numClusters))) labels[right] = left;
  const numbers = new Map<number, number>();
  // A cluster points to a lower one, whose number is already final.
  labels.forEach((label, cluster) => {
    if (label === cluster) numbers.set(cluster, numbers.size);
    else labels[cluster] = labels[label]!;
  });
  return labels.map((label) => numbers.get(label)!);
}

/** The number of clusters with the greatest evidence within the bounds; the lower number in a tie. */
export function bestCount({ scores }: EvidencePath, minClusters: number, maxClusters: number): number {
  let best = -1;
  for (let count = Math.max(1, minClusters); count <= Math.min(maxClusters, scores.length); count++) {
    if (best < 0 || scores[count - 1]! > scores[best - 1]!) best = count;
  }
  return best;
}

/** Counts with a lower score are omitted. */
const MIN_COUNT_SCORE = 0.01;
/**
 * Drop in evidence, in nats, that makes a number e times less likely. The raw evidence is overconfident, because real
 * speakers violate the assumptions of the model. With 10, on 50 synthetic conversations, an alternative had a score of at least
 * 0.1 in 14 of them, 6 of which had a wrong number.
 */
const COUNT_TEMPERATURE = 10;

/**
 * The likelihood of each number of speakers, the most likely first. Each number includes the small clusters of the chosen one.
 *
 * @param sizes number of embeddings in each start cluster
 * @param minSize clusters with fewer embeddings are small; they do not change the count
 * @param chosen number of clusters in the result
 */
export function countScores(
  { numStart, merges, scores }: EvidencePath,
  sizes: ArrayLike<number>,
  minSize: number,
  chosen: number,
): CountScore[] {
  const current = Float64Array.from(sizes);
  let numLarge = current.filter((size) => size >= minSize).length;
  let numSmall = 0;
  const best = new Map<number, number>();
  const add = (numClusters: number): void => {
    const count = Math.max(1, numLarge);
    if (numClusters === chosen) numSmall = chosen - count;
    best.set(count, Math.max(best.get(count) ?? -Infinity, scores[numClusters - 1]!));
  };
  add(numStart);
  merges.forEach(({ left, right }, index) => {
    const size = current[left]! + current[right]!;
    numLarge += Number(size >= minSize) - Number(current[left]! >= minSize) - Number(current[right]! >= minSize);
    current[left] = size;
    add(numStart - 1 - index);
  });
  const greatest = Math.max(...best.values());
  const weights = [...best].map(([value, score]) => ({ value, weight: Math.exp((score - greatest) / COUNT_TEMPERATURE) }));
  const total = weights.reduce((sum, { weight }) => sum + weight, 0);
  return weights
    .map(({ value, weight }) => ({ value: value + numSmall, score: weight / total }))
    .filter(({ score }) => score >= MIN_COUNT_SCORE)
    .sort((one, other) => other.score - one.score || one.value - other.value);
}

/** Terms that depend only on the size of a cluster. */
interface SizeTerms {
  /** 1 / (1 + r n φ); axes (latent dimension). */
  readonly inverse: Float64Array;
  /** Σ ln(1 + r n φ). */
  readonly logs: number;
}

class EvidenceMerger {
  private readonly numStart: number;
  private readonly sums: Dense;
  private readonly sizes: Float64Array;
  private readonly groups: Int32Array;
  private readonly apart: Uint8Array | null;
  private readonly identities: Int32Array | null;
  private readonly own: Float64Array;
  private readonly isAlive: Uint8Array;
  private readonly terms = new Map<number, SizeTerms>();
  /** Axes (cluster, later cluster): gain of merging, normalized by size; -Infinity if the two must not be merged. */
  private readonly gains: Float64Array;
  /** The later cluster with the greatest gain for each cluster; -1 for none. */
  private readonly best: Int32Array;

  constructor(private readonly input: EvidenceInput) {
    const { sums } = input;
    this.numStart = sums.numRows;
    this.sums = { ...sums, data: sums.data.slice() };
    this.sizes = Float64Array.from(input.sizes);
    this.groups = input.groups?.slice() ?? new Int32Array(this.numStart).fill(-1);
    this.apart = input.apart?.slice() ?? null;
    this.identities = input.prior?.identities.slice() ?? null;
    this.isAlive = new Uint8Array(this.numStart).fill(1);
    this.own = Float64Array.from({ length: this.numStart }, (_, cluster) => this.evidence(cluster, -1));
    this.gains = new Float64Array(this.numStart * this.numStart).fill(-Infinity);
    this.best = new Int32Array(this.numStart).fill(-1);
    for (let cluster = 0; cluster < this.numStart; cluster++) {
      for (let later = cluster + 1; later < this.numStart; later++) this.gains[cluster * this.numStart + later] = this.gain(cluster, later);
      this.findBest(cluster);
    }
  }

  run(): EvidencePath {
    const { numStart, gains, best } = this;
    const scores = new Float64Array(numStart).fill(-Infinity);
    const merges: { left: number; right: number }[] = [];
    let score = this.own.reduce((sum, evidence) => sum + evidence, 0);
    scores[numStart - 1] = score;
    for (;;) {
      let left = -1;
      for (let cluster = 0; cluster < numStart; cluster++) {
        if (best[cluster]! < 0) continue;
        if (left < 0 || gains[cluster * numStart + best[cluster]!]! > gains[left * numStart + best[left]!]!) left = cluster;
      }
      if (left < 0) return { numStart, merges, scores };
      const right = best[left]!;
      score += this.evidence(left, right) - this.own[left]! - this.own[right]! + this.priorGain(left, right);
      this.merge(left, right);
      merges.push({ left, right });
      scores[numStart - 1 - merges.length] = score;
    }
  }

  private merge(left: number, right: number): void {
    const { numStart, gains, best, isAlive } = this;
    const [into, from] = [rowOf(this.sums, left), rowOf(this.sums, right)];
    for (let k = 0; k < into.length; k++) into[k]! += from[k]!;
    this.sizes[left]! += this.sizes[right]!;
    this.groups[left] = Math.max(this.groups[left]!, this.groups[right]!);
    if (this.identities) this.identities[left]! |= this.identities[right]!;
    this.joinLimits(left, right);
    this.own[left] = this.evidence(left, -1);
    isAlive[right] = 0;
    best[right] = -1;
    for (let cluster = 0; cluster < numStart; cluster++) {
      if (!isAlive[cluster] || cluster === left) continue;
      const [low, high] = cluster < left ? [cluster, left] : [left, cluster];
      gains[low * numStart + high] = this.gain(low, high);
      if (cluster < right) gains[cluster * numStart + right] = -Infinity;
    }
    gains[left * numStart + right] = -Infinity;
    this.findBest(left);
    for (let cluster = 0; cluster < right; cluster++) {
      if (!isAlive[cluster] || cluster === left) continue;
      if (best[cluster] === right || best[cluster] === left) this.findBest(cluster);
      else if (cluster < left && gains[cluster * numStart + left]! > this.bestGain(cluster)) best[cluster] = left;
    }
  }

  private joinLimits(left: number, right: number): void {
    const { apart, numStart } = this;
    if (!apart) return;
    for (let cluster = 0; cluster < numStart; cluster++) {
      apart[left * numStart + cluster]! |= apart[right * numStart + cluster]!;
      apart[cluster * numStart + left]! |= apart[cluster * numStart + right]!;
    }
  }

  private bestGain(cluster: number): number {
    return this.best[cluster]! < 0 ? -Infinity : this.gains[cluster * this.numStart + this.best[cluster]!]!;
  }

  private findBest(cluster: number): void {
    const { numStart, gains, isAlive } = this;
    let found = -1;
    let greatest = -Infinity;
    for (let later = cluster + 1; later < numStart; later++) {
      const gain = gains[cluster * numStart + later]!;
      if (isAlive[later] && gain > greatest) {
        found = later;
        greatest = gain;
      }
    }
    this.best[cluster] = found;
  }

  private gain(one: number, other: number): number {
    const [groupA, groupB] = [this.groups[one]!, this.groups[other]!];
    if (groupA >= 0 && groupB >= 0 && groupA !== groupB) return -Infinity;
    if (this.apart?.[one * this.numStart + other]) return -Infinity;
    const [sizeA, sizeB] = [this.sizes[one]!, this.sizes[other]!];
    const gain = this.evidence(one, other) - this.own[one]! - this.own[other]! + this.priorGain(one, other);
    return gain / Math.sqrt((sizeA * sizeB) / (sizeA + sizeB));
  }

  /** Nats of the prior for the identities that two clusters share. */
  private priorGain(one: number, other: number): number {
    const { identities, input } = this;
    if (!identities || !input.prior) return 0;
    let shared = 0;
    for (let bits = identities[one]! & identities[other]!; bits !== 0; bits &= bits - 1) shared++;
    return shared * input.prior.nats;
  }

  /** Evidence of one cluster, or of two merged clusters. @param other second cluster, or -1 */
  private evidence(one: number, other: number): number {
    const { observationWeight } = this.input;
    const { inverse, logs } = this.termsOf(this.sizes[one]! + (other < 0 ? 0 : this.sizes[other]!));
    const { data, numColumns } = this.sums;
    const [startA, startB] = [one * numColumns, other * numColumns];
    let square = 0;
    if (other < 0) for (let k = 0; k < numColumns; k++) square += data[startA + k]! * data[startA + k]! * inverse[k]!;
    else {
      for (let k = 0; k < numColumns; k++) {
        const sum = data[startA + k]! + data[startB + k]!;
        square += sum * sum * inverse[k]!;
      }
    }
    return 0.5 * (observationWeight * observationWeight * square - logs);
  }

  private termsOf(size: number): SizeTerms {
    const known = this.terms.get(size);
    if (known) return known;
    const { betweenCovariance, observationWeight } = this.input;
    const spread = betweenCovariance.map((variance) => 1 + observationWeight * size * variance);
    const terms = { inverse: spread.map((value) => 1 / value), logs: spread.reduce((sum, value) => sum + Math.log(value), 0) };
    this.terms.set(size, terms);
    return terms;
  }
}
