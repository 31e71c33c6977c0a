import { type ConstrainedRows, checkConstraintCount, clustersOfConstraints, embeddedConstraints } from './constraints';
import { centroidLinkage } from './centroidLinkage';
import { type Dendrogram, flatClusters, type Merge, packMerges, unpackMerges } from './dendrogram';
import { KMeans } from './kmeans';
import { argmin, clusterMeans, cosineDistance, mean } from './linearAlgebra';
import {
  type JudgedClusters,
  type LocalSpeakers,
  type SpeakerBounds,
  trainableRows,
  VoiceTable,
} from './localSpeakers';
import { type Plda, type PldaProjection, projectEmbeddings } from './plda';
import type { VbxClusteringOptions, VbxSettings } from './settings';
import {
  bestClusters,
  confidences,
  constrainedClusters,
  similarities,
  type SoftClusters,
  withoutSilent,
} from './softClusters';
import { startResponsibilities, vbx, type VbxResult } from './vbx';

/**
 * Embeddings at unit length, in float32, like a float32 NumPy array divided by its `np.linalg.norm`.
 *
 * @param embeddings axes (embedding, dimension), free of NaN
 */
export function unitEmbeddings(embeddings: readonly Float32Array[]): Float32Array[] {
  return embeddings.map((embedding) => {
    let square = 0;
    for (const value of embedding) square += value * value;
    const norm = Math.fround(Math.sqrt(square));
    return embedding.map((value) => value / norm);
  });
}

/**
 * The start clusters of VBx: centroid linkage of unit embeddings, cut at `threshold`.
 *
 * Matches the AHC of `VBxClustering.__call__` of pyannote.audio 4.0.7, including the numbering.
 *
 * @param unit axes (embedding, dimension), at unit length, at least two
 * @param threshold maximum centroid distance at which two clusters are merged: 0 to 2
 * @returns label per embedding, from 0 without gaps
 */
export function startLabels(unit: readonly Float32Array[], threshold: number): Int32Array {
  return cutStart(centroidLinkage(unit), threshold);
}

/** {@link startLabels} of an existing linkage. */
const cutStart = (merges: readonly Merge[], threshold: number): Int32Array => flatClusters(merges, threshold);

/** Maximum number of rounds in which embeddings may change their cluster: later rounds move few. */
const MAX_ROUNDS = 10;

interface SeededInput {
  readonly table: VoiceTable;
  /** Rows that take part. Rows of constraints take part even if they are not listed here. */
  readonly trainRows: readonly number[];
  readonly constrained: ConstrainedRows;
}

/**
 * Centroids that satisfy constraints: k-means with the cosine distance, seeded as in Basu et al., "Semi-supervised clustering by
 * seeding" (2002), in its constrained form. Each constrained speaker starts at the mean of its embeddings, which stay with
 * it. The other clusters start at the centroids in `start`, except those that are nearest to a constrained speaker.
 *
 * @param start centroids of clusters without constraints
 * @param moreCentroids returns the given number of centroids; called if there are too few
 */
function seededCentroids(
  { table, trainRows, constrained }: SeededInput,
  start: readonly Float64Array[],
  moreCentroids: (count: number) => readonly Float64Array[],
  { minSpeakers, maxSpeakers }: SpeakerBounds,
): { centroids: Float64Array[]; constraintClusters: number[] } {
  const { groups, heard, numGroups } = constrained;
  const seeds = embeddedConstraints(constrained, table);
  const rows = [...new Set([...trainRows, ...seeds])].sort((a, b) => a - b);
  const { dimension } = table.local;
  const clusterOfGroup = (row: number): number => heard.indexOf(groups[row]!);
  const means = clusterMeans(seeds.map((row) => table.rows[row]!), Int32Array.from(seeds, clusterOfGroup), heard.length, dimension);
  const least = Math.min(minSpeakers, rows.length);

  let free = freeCentroids(means, start);
  if (heard.length + free.length < least) free = freeCentroids(means, moreCentroids(least + heard.length));
  const wanted = Math.max(heard.length, least, Math.min(maxSpeakers, heard.length + free.length));
  const centroids = refined({ table, rows, fixed: clusterOfGroup }, nearestMerged(means, free, wanted));
  const constraintClusters = Array.from({ length: numGroups }, (_, group) => heard.indexOf(group));
  return { centroids, constraintClusters };
}

/** Centroids that are not the nearest one of any constrained speaker. */
function freeCentroids(means: readonly Float64Array[], start: readonly Float64Array[]): Float64Array[] {
  if (start.length === 0) return [];
  const taken = new Set(means.map((mean) => argmin(start.map((centroid) => cosineDistance(mean, centroid)))));
  return start.filter((_, index) => !taken.has(index));
}

/** Removes, one by one, the free centroid that is nearest to any other, until `wanted` centroids are left. */
function nearestMerged(means: readonly Float64Array[], free: readonly Float64Array[], wanted: number): Float64Array[] {
  const left = [...means, ...free];
  while (left.length > wanted) {
    let nearest = means.length;
    let least = Infinity;
    for (let index = means.length; index < left.length; index++) {
      left.forEach((other, otherIndex) => {
        const distance = cosineDistance(left[index]!, other);
        if (otherIndex === index || !(distance < least)) return;
        least = distance;
        nearest = index;
      });
    }
    left.splice(nearest, 1);
  }
  return left;
}

interface Refining {
  readonly table: VoiceTable;
  readonly rows: readonly number[];
  /** Fixed cluster of a row; negative if the row may move. */
  readonly fixed: (row: number) => number;
}

/** Assigns rows to the nearest centroid and moves centroids to the means of their rows until nothing changes. */
function refined({ table, rows, fixed }: Refining, start: Float64Array[]): Float64Array[] {
  let centroids = start;
  const labels = new Int32Array(rows.length).fill(-1);
  const vectors = rows.map((row) => table.rows[row]!);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let numMoved = 0;
    table.compare(
      centroids,
      (index, distances) => {
        const own = fixed(rows[index]!);
        const label = own >= 0 ? own : argmin(distances);
        if (label === labels[index]) return;
        labels[index] = label;
        numMoved++;
      },
      rows,
    );
    if (numMoved === 0) break;
    const moved = clusterMeans(vectors, labels, centroids.length, table.local.dimension);
    // A cluster without rows keeps its centroid.
    const before = centroids;
    centroids = moved.map((centroid, cluster) => (centroid.some(Number.isNaN) ? before[cluster]! : centroid));
  }
  return centroids;
}

/** A speaker with a smaller share is dropped, as in pyannote. */
const MIN_PRIOR = 1e-7;

/** Maximum number of speakers that is computed in advance. */
const MAX_ANTICIPATED = 10;

/** Result of VBx, independent of the requested number of speakers. */
interface Found {
  readonly steps: VbxSteps;
  /** Speakers that are not dropped. */
  readonly kept: readonly number[];
}

/** `clusterByVbx` for one recording and several speaker bounds; reuses the work that does not depend on the bounds. */
export class VbxClusterer {
  private readonly trainRows: readonly number[];
  private readonly train: readonly Float32Array[];
  private readonly unit: readonly Float32Array[];
  private merges: readonly Merge[] | null = null;
  private found: Found | null = null;
  private free: VbxClusters | null = null;
  private kMeans: KMeans | null = null;
  /** Numbers of speakers that remain to be computed in advance. */
  private anticipated: number[] | null = null;

  /** @param known a linkage computed earlier, if there is one */
  constructor(
    private readonly table: VoiceTable,
    private readonly plda: Plda,
    private readonly settings: VbxSettings,
    private readonly known: Dendrogram | null = null,
  ) {
    this.trainRows = trainableRows(table.local, settings.minActiveRatio);
    this.train = this.trainRows.map((row) => table.rows[row]!);
    this.unit = unitEmbeddings(this.train);
  }

  /** The linkage; null before it is computed. */
  get dendrogram(): Dendrogram | null {
    return this.merges && packMerges(this.merges);
  }

  /** Computes in advance the part that does not depend on the number of speakers. */
  warm(): void {
    if (this.train.length < 2) return;
    this.freeClusters(this.find());
    this.kMeans ??= new KMeans(this.unit);
  }

  /**
   * Computes one step for another number of speakers in advance, the nearest numbers first.
   *
   * @returns whether there is more to do
   */
  anticipate(): boolean {
    if (this.train.length < 2) return false;
    const numFound = this.find().kept.length;
    this.anticipated ??= Array.from({ length: Math.min(MAX_ANTICIPATED, this.train.length) }, (_, index) => index + 1)
      .filter((count) => count !== numFound)
      .sort((a, b) => Math.abs(a - numFound) - Math.abs(b - numFound));
    const count = this.anticipated[0];
    if (count === undefined) return false;
    this.kMeans ??= new KMeans(this.unit);
    if (!this.kMeans.advance(count)) this.anticipated.shift();
    return this.anticipated.length > 0;
  }

  /**
   * If the clusters already satisfy the constraints, only local speakers without an embedding move, to the cluster of their
   * constraint. Otherwise {@link seededCentroids} starts from the clusters of VBx or k-means, because VBx does not support
   * constraints, and every unconstrained local speaker is assigned to the nearest of the resulting centroids.
   *
   * @throws VoxlaneError `options` if there are more constrained speakers than `maxSpeakers`
   */
  cluster(bounds: SpeakerBounds, constrained: ConstrainedRows | null): JudgedClusters {
    if (!constrained) return this.clusterFreely(bounds);
    checkConstraintCount(constrained, bounds.maxSpeakers);
    const { table } = this;
    const free = this.clusterFreely(bounds);
    const kept = clustersOfConstraints(constrained, table, (row) => free.hardClusters[row]!);
    if (kept) return following(free, kept, constrained, table);
    const start = free.centroids.filter((centroid) => !centroid.some(Number.isNaN));
    const moreCentroids = (count: number) => this.kMeansCentroids(Math.min(this.train.length, count));
    const input = { table, trainRows: this.trainRows, constrained };
    const { centroids, constraintClusters } = seededCentroids(input, start, moreCentroids, bounds);
    return { ...this.assignConstrained(centroids, constrained, constraintClusters), constraintClusters };
  }

  /** Clusters without constraints, like `clusterByVbx`. */
  clusterFreely({ minSpeakers, maxSpeakers }: SpeakerBounds): VbxClusters {
    if (this.train.length < 2) return this.oneCluster();
    const found = this.find();
    const wanted = Math.min(this.train.length, Math.max(minSpeakers, Math.min(maxSpeakers, found.kept.length)));
    return wanted === found.kept.length ? this.freeClusters(found) : this.forcedClusters(found, wanted);
  }

  private find(): Found {
    if (this.found) return this.found;
    const { unit, train, trainRows, plda, settings, known } = this;
    this.merges = (known && unpackMerges(known, unit.length)) ?? centroidLinkage(unit);
    const startLabels = cutStart(this.merges, settings.threshold);
    const projection = projectEmbeddings(plda, train);
    const result = vbx(projection.latent, plda.betweenCovariance, startResponsibilities(startLabels), settings);
    const kept = [...result.priors.keys()].filter((speaker) => result.priors[speaker]! > MIN_PRIOR);
    return (this.found = { steps: { trainRows, projection, startLabels, vbx: result }, kept });
  }

  private freeClusters({ steps, kept }: Found): VbxClusters {
    if (this.free) return this.free;
    const centroids = weightedCentroids(this.train, steps.vbx, kept);
    const soft = withoutSilent(similarities(this.table, centroids), this.table);
    const judge = { plda: this.plda, model: steps.vbx.model, kept };
    const assigned = constrainedClusters(soft);
    const hardClusters = assigned.slice();
    this.table.silence(hardClusters);
    const judged = { confidences: confidences(this.table, hardClusters, soft, judge), confidenceKind: 'posterior' } as const;
    return (this.free = { assigned, hardClusters, centroids, soft, ...judged, steps });
  }

  /** Local speakers of a window may share a cluster: forbidding that would create more clusters than requested. */
  private forcedClusters({ steps }: Found, wanted: number): VbxClusters {
    const centroids = this.kMeansCentroids(wanted);
    const soft = similarities(this.table, centroids);
    const assigned = bestClusters(soft);
    return { ...this.judged(assigned, soft), assigned, centroids, soft, steps };
  }

  private kMeansCentroids(count: number): Float64Array[] {
    if (count === 0) return [];
    this.kMeans ??= new KMeans(this.unit);
    return clusterMeans(this.train, this.kMeans.labels(count), count, this.table.local.dimension);
  }

  private oneCluster(): VbxClusters {
    const { rows, local } = this.table;
    const assigned = new Int32Array(rows.length);
    const soft = { scores: new Float64Array(rows.length).fill(1), numSpeakers: local.numSpeakers, numClusters: 1 };
    return { ...this.judged(assigned, soft), assigned, centroids: [mean(this.train, local.dimension)], soft, steps: null };
  }

  private assignConstrained(
    centroids: readonly Float64Array[],
    { groups }: ConstrainedRows,
    constraintClusters: readonly number[],
  ): JudgedClusters {
    const soft = similarities(this.table, centroids);
    const best = bestClusters(soft);
    const assigned = best.map((cluster, row) => (groups[row]! >= 0 ? constraintClusters[groups[row]!]! : cluster));
    return { ...this.judged(assigned, soft), centroids };
  }

  private judged(assigned: Int32Array, soft: SoftClusters): Omit<JudgedClusters, 'centroids'> {
    const hardClusters = assigned.slice();
    this.table.silence(hardClusters);
    return { hardClusters, confidences: confidences(this.table, hardClusters, soft, null), confidenceKind: 'margin' };
  }
}

/** Means of the embeddings, weighted with the responsibility of each speaker; axes (kept speaker, dimension). */
function weightedCentroids(train: readonly Float32Array[], result: VbxResult, kept: readonly number[]): Float64Array[] {
  const { responsibilities } = result;
  return kept.map((speaker) => {
    const sum = new Float64Array(train[0]!.length);
    let total = 0;
    train.forEach((embedding, row) => {
      const weight = responsibilities.data[row * responsibilities.numColumns + speaker]!;
      total += weight;
      for (let k = 0; k < sum.length; k++) sum[k]! += weight * embedding[k]!;
    });
    return sum.map((value) => value / total);
  });
}

/** Moves constrained local speakers without an embedding to the cluster of their constraint. */
function following(free: VbxClusters, kept: readonly number[], { groups }: ConstrainedRows, table: VoiceTable): JudgedClusters {
  const hardClusters = free.hardClusters.map((cluster, row) => {
    const group = groups[row]!;
    return group < 0 || table.hasEmbedding(row) ? cluster : kept[group]!;
  });
  return { ...free, hardClusters, constraintClusters: kept };
}

/** Intermediate results, for a comparison with pyannote. */
export interface VbxSteps {
  /** Rows that took part, as window × local speaker; all other arrays here are in their order. */
  readonly trainRows: readonly number[];
  readonly projection: PldaProjection;
  readonly startLabels: Int32Array;
  readonly vbx: VbxResult;
}

export interface VbxClusters extends JudgedClusters {
  /** Like `hardClusters`, but including silent local speakers: the result of pyannote's clustering. */
  readonly assigned: Int32Array;
  /** Scores that determine the clusters; those of silent local speakers are below all others if clusters may not be shared. */
  readonly soft: SoftClusters;
  /** Null if fewer than two embeddings took part and VBx did not run. */
  readonly steps: VbxSteps | null;
}

/**
 * Clusters the local speakers of all windows: agglomerative start, PLDA, VBx, then assignment of every
 * embedding to the most similar speaker. Two local speakers of a window never share a speaker.
 *
 * Matches `VBxClustering.__call__` of pyannote.audio 4.0.7, with silent local speakers set to {@link INACTIVE}, as in
 * `SpeakerDiarization.apply`. If the number of speakers is out of bounds, k-means finds the requested number, and local
 * speakers of one window may then share a cluster, as in pyannote. If more speakers are requested than embeddings took part,
 * each embedding is one speaker; pyannote fails in this case.
 *
 * @throws VoxlaneError `options` if the size of the embeddings differs from the PLDA's
 */
export function clusterByVbx(local: LocalSpeakers, plda: Plda, options: VbxClusteringOptions): VbxClusters {
  return new VbxClusterer(new VoiceTable(local), plda, options).clusterFreely(options);
}
