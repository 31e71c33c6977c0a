import { roundHalfEven } from '../util/values';
import { type ConstrainedRows, checkConstraintCount, clustersOfConstraints, embeddedConstraints } from './constraints';
import { centroidLinkage } from './centroidLinkage';
import { type Dendrogram, flatClusters, type Merge, packMerges, unpackMerges } from './dendrogram';
import { argmin, clusterMeans, cosineDistance, mean, normalized } from './linearAlgebra';
import {
  type ClusteringOptions,
  type Clusters,
  type JudgedClusters,
  type LocalSpeakers,
  type SpeakerBounds,
  trainableRows,
  VoiceTable,
} from './localSpeakers';
import { type Atoms, constrainedLinkage } from './matrixLinkage';
import { margin } from './softClusters';

/** Settings of {@link agglomerativeClustering}. */
interface AgglomerativeOptions {
  /** Maximum centroid distance of unit vectors at which two clusters are merged: 0 to 2. */
  readonly threshold: number;
  /** Clusters with fewer embeddings are folded into the nearest large one. */
  readonly minClusterSize: number;
  /** Bounds on the number of clusters; set both to the same value for an exact number. */
  readonly minClusters: number;
  readonly maxClusters: number;
}

/**
 * Clusters embeddings by centroid linkage, then folds small clusters into the nearest large ones.
 *
 * Matches `AgglomerativeClustering.cluster` of pyannote.audio 4.0.7 with `metric='cosine'` and
 * `method='centroid'`.
 *
 * @param embeddings axes (embedding, dimension), free of NaN, at least one
 * @param linkage linkage of the unit vectors; all implementations return the same merges
 * @returns cluster index per embedding, from 0 without gaps
 */
export function agglomerativeClustering(
  embeddings: readonly Float32Array[],
  { minClusters, maxClusters, ...settings }: AgglomerativeOptions,
  linkage: (points: readonly Float64Array[]) => readonly Merge[] = centroidLinkage,
): Int32Array {
  return new Agglomeration(embeddings, settings, linkage).clusters(minClusters, maxClusters);
}

/** The part of {@link agglomerativeClustering} that does not depend on the number of clusters. */
export class Agglomeration {
  readonly merges: readonly Merge[];
  /** The embeddings at unit length; axes (embedding, dimension). */
  readonly unit: readonly Float64Array[];
  /** Minimum number of embeddings in a large cluster. */
  readonly minSize: number;
  private readonly threshold: number;
  private walk: Walk | null = null;

  constructor(
    embeddings: readonly Float32Array[],
    { threshold, minClusterSize }: Pick<AgglomerativeOptions, 'threshold' | 'minClusterSize'>,
    linkage: (points: readonly Float64Array[]) => readonly Merge[] = centroidLinkage,
  ) {
    this.threshold = threshold;
    // A short recording cannot be expected to have twelve embeddings of one speaker.
    this.minSize = Math.min(minClusterSize, Math.max(1, roundHalfEven(0.1 * embeddings.length)));
    this.unit = embeddings.map(normalized);
    this.merges = embeddings.length > 1 ? linkage(this.unit) : [];
  }

  /** @returns cluster index per embedding, from 0 without gaps */
  clusters(minClusters: number, maxClusters: number): Int32Array {
    const { unit, merges, threshold, minSize } = this;
    if (unit.length === 1) return new Int32Array(1);
    let clusters = flatClusters(merges, threshold);
    let large = largeClusters(clusters, minSize);
    const target = targetCount(large.length, minClusters, maxClusters);
    if (target !== null) {
      this.walk ??= { largeCounts: largeCountsAfter(merges, minSize), rows: rowsByNearness(merges, threshold) };
      const row = rowForCount(merges, this.walk, minSize, target);
      clusters = flatClusters(merges, row, (index) => index);
      large = largeClusters(clusters, minSize);
    }
    if (large.length === 0) return clusters.fill(0);
    return foldSmallClusters(unit, clusters, large);
  }
}

/** The number of large clusters to search for; null if the cut at the threshold already satisfies the bounds. */
function targetCount(found: number, minClusters: number, maxClusters: number): number | null {
  let target = minClusters === maxClusters ? minClusters : null;
  if (found < minClusters) target = minClusters;
  else if (found > maxClusters) target = maxClusters;
  return target === found ? null : target;
}

/** Clusters with at least `minSize` members, sorted by index. */
function largeClusters(clusters: Int32Array, minSize: number): number[] {
  const counts = new Map<number, number>();
  for (const cluster of clusters) counts.set(cluster, (counts.get(cluster) ?? 0) + 1);
  return [...counts.keys()].filter((cluster) => counts.get(cluster)! >= minSize).sort((a, b) => a - b);
}

/** Input of {@link rowForCount}. */
interface Walk {
  /** Number of large clusters after each merge. */
  readonly largeCounts: Int32Array;
  /** Merge indices, sorted by distance to the threshold, the nearest first. */
  readonly rows: readonly number[];
}

function rowsByNearness(merges: readonly Merge[], threshold: number): number[] {
  return merges
    .map((merge, row) => ({ row, offset: Math.abs(merge.distance - threshold) }))
    .sort((a, b) => a.offset - b.offset)
    .map(({ row }) => row);
}

/**
 * Iterates over the merges, the nearest to the threshold first, and searches for a cut with `target` large clusters. If there
 * is none, takes the nearest count. Cuts are by merge index, because centroid inversions can hide a cut by distance.
 *
 * @returns index of the last merge to apply; `merges.length` to apply all of them
 */
function rowForCount(merges: readonly Merge[], { largeCounts, rows }: Walk, minSize: number, target: number, last = 1): number {
  let bestRow = merges.length;
  let bestCount = last;
  for (const row of rows) {
    // A merge into a small cluster does not change the number of large clusters.
    if (merges[row]!.size < minSize) continue;
    const count = largeCounts[row]!;
    if (Math.abs(count - target) < Math.abs(bestCount - target)) {
      bestRow = row;
      bestCount = count;
    }
    if (count === target) return row;
  }
  return bestRow;
}

/** Number of large clusters after each merge. A cut by merge index applies all merges up to that index. */
function largeCountsAfter(merges: readonly Merge[], minSize: number): Int32Array {
  const numPoints = merges.length + 1;
  const isLarge = (cluster: number) => (cluster < numPoints ? 1 : merges[cluster - numPoints]!.size) >= minSize;
  let count = minSize <= 1 ? numPoints : 0;
  return Int32Array.from(merges, ({ left, right, size }) => {
    count += Number(size >= minSize) - Number(isLarge(left)) - Number(isLarge(right));
    return count;
  });
}

/** Folds each small cluster into the large one with the most similar centroid, then renumbers the clusters from 0. */
function foldSmallClusters(unit: readonly Float64Array[], clusters: Int32Array, large: readonly number[]): Int32Array {
  const numClusters = clusters.reduce((most, cluster) => Math.max(most, cluster), -1) + 1;
  const means = clusterMeans(unit, clusters, numClusters, unit[0]!.length);
  const renumbered = new Map(large.map((cluster, index) => [cluster, index]));
  means.forEach((centroid, cluster) => {
    if (renumbered.has(cluster)) return;
    renumbered.set(cluster, argmin(large.map((candidate) => cosineDistance(means[candidate]!, centroid))));
  });
  return clusters.map((cluster) => renumbered.get(cluster)!);
}

/**
 * Maximum number of atoms linked under constraints, not counting atoms split off by constraints: their distances fill 16 MB.
 * With more embeddings, the first merges come from the linkage without constraints.
 */
const MAX_ATOMS = 2000;

interface ConstrainedInput {
  readonly table: VoiceTable;
  /** Rows that take part, ascending. Rows of constraints take part even if they are not listed here. */
  readonly trainRows: readonly number[];
  /** Linkage of `trainRows` without constraints. */
  readonly merges: readonly Merge[];
  readonly constrained: ConstrainedRows;
}

/**
 * Agglomerative clustering in which the embeddings of each constrained speaker are together from the start (must-link), and
 * those of two constrained speakers are never merged (cannot-link). A cluster with a constraint counts as large whatever its size.
 *
 * Exact up to {@link MAX_ATOMS} embeddings. With more, embeddings that were merged early without constraints stay together
 * unless a constraint splits them.
 */
class ConstrainedAgglomeration {
  private readonly rows: readonly Float32Array[];
  private readonly unit: readonly Float64Array[];
  /** Constraint index of each entry of `rows`, or -1. */
  private readonly groups: Int32Array;
  private readonly atomOfRow: Int32Array;
  private readonly atoms: Atoms;
  private readonly merges: readonly Merge[];
  private readonly minSize: number;
  private readonly walk: Walk;

  constructor(
    private readonly input: ConstrainedInput,
    private readonly settings: Pick<ClusteringOptions, 'threshold' | 'minClusterSize'>,
  ) {
    const { table, trainRows, merges, constrained } = input;
    const extra = embeddedConstraints(constrained, table);
    const all = [...new Set([...trainRows, ...extra])].sort((a, b) => a - b);
    this.rows = all.map((row) => table.rows[row]!);
    this.unit = this.rows.map(normalized);
    this.groups = Int32Array.from(all, (row) => constrained.groups[row]!);
    this.minSize = Math.min(settings.minClusterSize, Math.max(1, roundHalfEven(0.1 * all.length)));
    this.atomOfRow = numbered(this.atomKeys(all, trainRows, merges));
    this.atoms = this.makeAtoms();
    this.merges = constrainedLinkage(this.atoms);
    this.walk = { largeCounts: this.largeCounts(), rows: rowsByNearness(this.merges, settings.threshold) };
  }

  /** Returns the requested number of clusters, or the nearest number that the merges allow. */
  clusters({ minSpeakers, maxSpeakers }: SpeakerBounds): { centroids: Float64Array[]; constraintClusters: number[] } {
    const { merges, minSize, groups } = this;
    const clamp = (bound: number) => Math.max(this.input.constrained.heard.length, Math.min(this.rows.length, bound));
    // As in a cut without constraints, the maximum distance in each subtree counts.
    let clusters = this.cut(withThoseBelow(merges, this.atoms.sizes.length), this.settings.threshold);
    let large = this.largeClusters(clusters);
    const target = targetCount(large.length, clamp(minSpeakers), clamp(maxSpeakers));
    if (target !== null) {
      const row = rowForCount(merges, this.walk, minSize, target, this.walk.largeCounts.at(-1) ?? large.length);
      clusters = this.cut(Float64Array.from(merges.keys()), row);
      large = this.largeClusters(clusters);
    }
    const folded = foldSmallClusters(this.unit, clusters, large);
    const numClusters = folded.reduce((most, cluster) => Math.max(most, cluster), -1) + 1;
    const constraintClusters = Array.from({ length: this.input.constrained.numGroups }, () => -1);
    folded.forEach((cluster, index) => {
      if (groups[index]! >= 0) constraintClusters[groups[index]!] = cluster;
    });
    return { centroids: clusterMeans(this.rows, folded, numClusters, this.unit[0]!.length), constraintClusters };
  }

  /** Rows with the same key form one atom: the rows of a constraint, or a cluster of the first merges. */
  private atomKeys(all: readonly number[], trainRows: readonly number[], merges: readonly Merge[]): number[] {
    const numFree = trainRows.length - MAX_ATOMS;
    const early = flatClusters(merges, numFree - 1, (index) => index);
    const clusterOf = new Map(trainRows.map((row, index) => [row, early[index]!]));
    return all.map((row, index) => (this.groups[index]! >= 0 ? -1 - this.groups[index]! : clusterOf.get(row)!));
  }

  private makeAtoms(): Atoms {
    const { atomOfRow } = this;
    const numAtoms = atomOfRow.reduce((most, atom) => Math.max(most, atom), -1) + 1;
    const sizes = new Int32Array(numAtoms);
    const groups = new Int32Array(numAtoms).fill(-1);
    atomOfRow.forEach((atom, index) => {
      sizes[atom]!++;
      groups[atom] = this.groups[index]!;
    });
    return { centroids: clusterMeans(this.unit, atomOfRow, numAtoms, this.unit[0]!.length), sizes, groups };
  }

  /** Applies the merges whose key is at most `limit`; clusters are numbered by their first row. */
  private cut(keys: Float64Array, limit: number): Int32Array {
    const numAtoms = this.atoms.sizes.length;
    const parents = Int32Array.from({ length: numAtoms + this.merges.length }, (_, cluster) => cluster);
    this.merges.forEach(({ left, right }, row) => {
      if (keys[row]! > limit) return;
      parents[left] = numAtoms + row;
      parents[right] = numAtoms + row;
    });
    // From the last merge down: each parent must be resolved before its children.
    for (let cluster = parents.length - 1; cluster >= 0; cluster--) parents[cluster] = parents[parents[cluster]!]!;
    return numbered(Array.from(this.atomOfRow, (atom) => parents[atom]!));
  }

  private largeClusters(clusters: Int32Array): number[] {
    const counts = new Map<number, number>();
    clusters.forEach((cluster, index) => {
      const weight = this.groups[index]! >= 0 ? this.minSize : 1;
      counts.set(cluster, (counts.get(cluster) ?? 0) + weight);
    });
    return [...counts.keys()].filter((cluster) => counts.get(cluster)! >= this.minSize).sort((a, b) => a - b);
  }

  /** Number of large clusters after each merge. */
  private largeCounts(): Int32Array {
    const { atoms, merges, minSize } = this;
    const isLarge = Array.from(atoms.sizes, (size, atom) => size >= minSize || atoms.groups[atom]! >= 0);
    let count = isLarge.filter(Boolean).length;
    return Int32Array.from(merges, ({ left, right, size }) => {
      const merged = size >= minSize || isLarge[left]! || isLarge[right]!;
      count += Number(merged) - Number(isLarge[left]) - Number(isLarge[right]);
      isLarge.push(merged);
      return count;
    });
  }
}

/** Numbers from 0 without gaps, in order of first occurrence. */
function numbered(keys: readonly number[]): Int32Array {
  const numbers = new Map<number, number>();
  return Int32Array.from(keys, (key) => {
    if (!numbers.has(key)) numbers.set(key, numbers.size);
    return numbers.get(key)!;
  });
}

/** The maximum distance in the subtree of each merge. In centroid linkage, a merge can be nearer than one below it. */
function withThoseBelow(merges: readonly Merge[], numAtoms: number): Float64Array {
  const greatest = new Float64Array(merges.length);
  const below = (cluster: number): number => (cluster < numAtoms ? -Infinity : greatest[cluster - numAtoms]!);
  merges.forEach(({ left, right, distance }, row) => (greatest[row] = Math.max(distance, below(left), below(right))));
  return greatest;
}

type Settings = Omit<ClusteringOptions, keyof SpeakerBounds>;

/**
 * Clusters the local speakers of all windows.
 *
 * Matches `AgglomerativeClustering.__call__` of pyannote.audio 4.0.7 with unconstrained assignment: the
 * embeddings with enough clean speech are clustered, then *every* embedding is assigned to the nearest centroid.
 * As in pyannote, a NaN embedding goes to cluster 0, because numpy's argmax returns the first NaN.
 */
export function clusterLocalSpeakers(local: LocalSpeakers, options: ClusteringOptions): Clusters {
  return new AgglomerativeClusterer(new VoiceTable(local), options).cluster(options);
}

/** {@link clusterLocalSpeakers} for one recording and several speaker bounds; reuses the work that does not depend on the bounds. */
export class AgglomerativeClusterer {
  private readonly trainRows: readonly number[];
  private readonly train: readonly Float32Array[];
  private agglomeration: Agglomeration | null = null;
  /** Cached for the most recent constraints. */
  private constrained: { readonly constrained: ConstrainedRows; readonly agglomeration: ConstrainedAgglomeration } | null = null;

  /** @param known a linkage computed earlier, if there is one */
  constructor(
    private readonly table: VoiceTable,
    private readonly settings: Settings,
    private readonly known: Dendrogram | null = null,
  ) {
    this.trainRows = trainableRows(table.local, settings.minActiveRatio);
    this.train = this.trainRows.map((row) => table.rows[row]!);
  }

  /** The linkage; null before it is computed. */
  get dendrogram(): Dendrogram | null {
    return this.agglomeration && packMerges(this.agglomeration.merges);
  }

  /** Computes in advance the part that does not depend on the number of speakers. */
  warm(): void {
    if (this.train.length > 1) this.linked();
  }

  /** There is nothing to prepare for another number of speakers. */
  anticipate(): boolean {
    return false;
  }

  /**
   * Constraints that the clusters already satisfy change nothing, except that local speakers without an embedding follow them.
   * Otherwise the embeddings are linked again under the constraints, and every unconstrained local speaker goes to the nearest
   * centroid.
   *
   * @throws VoxlaneError `options` if there are more constrained speakers than `maxSpeakers`
   */
  cluster(bounds: SpeakerBounds, constrained: ConstrainedRows | null = null): JudgedClusters {
    if (constrained) checkConstraintCount(constrained, bounds.maxSpeakers);
    const free = this.assign(this.centroids(bounds), null, []);
    if (!constrained) return free;
    const kept = clustersOfConstraints(constrained, this.table, (row) => free.hardClusters[row]!);
    if (kept) return this.assign(free.centroids, constrained, kept);
    if (this.constrained?.constrained !== constrained) {
      const input = { table: this.table, trainRows: this.trainRows, merges: this.linked().merges, constrained };
      this.constrained = { constrained, agglomeration: new ConstrainedAgglomeration(input, this.settings) };
    }
    const { centroids, constraintClusters } = this.constrained.agglomeration.clusters(bounds);
    return this.assign(centroids, constrained, constraintClusters);
  }

  private linked(): Agglomeration {
    const linkage = (points: readonly Float64Array[]) =>
      (this.known && unpackMerges(this.known, points.length)) ?? centroidLinkage(points);
    return (this.agglomeration ??= new Agglomeration(this.train, this.settings, linkage));
  }

  private centroids({ minSpeakers, maxSpeakers }: SpeakerBounds): Float64Array[] {
    const { train } = this;
    const { dimension } = this.table.local;
    const clamp = (bound: number) => Math.max(1, Math.min(train.length, bound));
    const maxClusters = clamp(maxSpeakers);
    if (maxClusters < 2) return [mean(train, dimension)];
    const clusters = this.linked().clusters(clamp(minSpeakers), maxClusters);
    const numClusters = clusters.reduce((most, cluster) => Math.max(most, cluster), -1) + 1;
    return clusterMeans(train, clusters, numClusters, dimension);
  }

  /** Assigns constrained local speakers to their cluster and the others to the nearest centroid; the confidence is the margin. */
  private assign(
    centroids: readonly Float64Array[],
    constrained: ConstrainedRows | null,
    constraintClusters: readonly number[],
  ): JudgedClusters {
    const { table } = this;
    const hardClusters = new Int32Array(table.rows.length);
    const confidences = new Float64Array(table.rows.length).fill(NaN);
    const scores = new Float64Array(centroids.length);
    table.compare(centroids, (row, distances) => {
      const group = constrained ? constrained.groups[row]! : -1;
      // The only centroid can be NaN if no embedding took part.
      const cluster = group >= 0 ? constraintClusters[group]! : argmin(distances);
      hardClusters[row] = cluster;
      if (table.isSilent[row] || !table.hasEmbedding(row)) return;
      for (let k = 0; k < scores.length; k++) scores[k] = 2 - distances[k]!;
      confidences[row] = margin(scores, cluster);
    });
    table.silence(hardClusters);
    return { hardClusters, centroids, confidences, confidenceKind: 'margin', ...(constrained && { constraintClusters }) };
  }
}
