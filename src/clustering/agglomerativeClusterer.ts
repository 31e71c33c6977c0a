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
export interface AgglomerativeOptions {
  /** Greatest centroid distance, of unit vectors, at which two clusters are merged: 0 to 2. */
  readonly threshold: number;
  /** Clusters with fewer embeddings are given to the nearest large one. */
  readonly minClusterSize: number;
  /** Bounds on the number of clusters; equal for an exact number. */
  readonly minClusters: number;
  readonly maxClusters: number;
}

/**
 * Clusters embeddings by centroid linkage, then folds clusters that are too small into the others.
 *
 * Matches `AgglomerativeClustering.cluster` of pyannote.audio 4.0.7 with `metric='cosine'` and
 * `method='centroid'`.
 *
 * @param embeddings axes (embedding, dimension), free of NaN, at least one
 * @param linkage of the unit vectors; all of them give the same merges
 * @returns cluster index per embedding, from 0 without gaps
 */
export function agglomerativeClustering(
  embeddings: readonly Float32Array[],
  { minClusters, maxClusters, ...settings }: AgglomerativeOptions,
  linkage: (points: readonly Float64Array[]) => readonly Merge[] = centroidLinkage,
): Int32Array {
  return new Agglomeration(embeddings, settings, linkage).clusters(minClusters, maxClusters);
}

/** What {@link agglomerativeClustering} knows before the number of clusters: the merges, and where each leads. */
export class Agglomeration {
  readonly merges: readonly Merge[];
  /** The embeddings at unit length; axes (embedding, dimension). */
  readonly unit: readonly Float64Array[];
  /** Embeddings that make a cluster large. */
  readonly minSize: number;
  private readonly threshold: number;
  private walk: Walk | null = null;

  constructor(
    embeddings: readonly Float32Array[],
    { threshold, minClusterSize }: Pick<AgglomerativeOptions, 'threshold' | 'minClusterSize'>,
    linkage: (points: readonly Float64Array[]) => readonly Merge[] = centroidLinkage,
  ) {
    this.threshold = threshold;
    // With few embeddings, twelve of one speaker would be too much to ask.
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

/** How many large clusters to look for; null where what the threshold gives is as asked for. */
export function targetCount(found: number, minClusters: number, maxClusters: number): number | null {
  let target = minClusters === maxClusters ? minClusters : null;
  if (found < minClusters) target = minClusters;
  else if (found > maxClusters) target = maxClusters;
  return target === found ? null : target;
}

/** Clusters with at least `minSize` members, in order of their index. */
function largeClusters(clusters: Int32Array, minSize: number): number[] {
  const counts = new Map<number, number>();
  for (const cluster of clusters) counts.set(cluster, (counts.get(cluster) ?? 0) + 1);
  return [...counts.keys()].filter((cluster) => counts.get(cluster)! >= minSize).sort((a, b) => a - b);
}

/** What the walk along the merges wants to know. */
export interface Walk {
  /** Large clusters after each merge. */
  readonly largeCounts: Int32Array;
  /** Merges, the nearest to the threshold first. */
  readonly rows: readonly number[];
}

export function rowsByNearness(merges: readonly Merge[], threshold: number): number[] {
  return merges
    .map((merge, row) => ({ row, offset: Math.abs(merge.distance - threshold) }))
    .sort((a, b) => a.offset - b.offset)
    .map(({ row }) => row);
}

/**
 * Walks the merges away from the threshold, nearest first, for a cut with `target` large clusters; settles for
 * the nearest count. Cuts by merge index, so that centroid inversions do not hide a cut.
 *
 * @returns the last merge to apply; beyond all of them where that is one cluster
 */
export function rowForCount(merges: readonly Merge[], { largeCounts, rows }: Walk, minSize: number, target: number, last = 1): number {
  let bestRow = merges.length;
  let bestCount = last;
  for (const row of rows) {
    // A merge into a small cluster cannot have changed the number of large ones.
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

/** How many clusters are large after each merge: a cut by merge index has applied those up to it. */
function largeCountsAfter(merges: readonly Merge[], minSize: number): Int32Array {
  const numPoints = merges.length + 1;
  const isLarge = (cluster: number) => (cluster < numPoints ? 1 : merges[cluster - numPoints]!.size) >= minSize;
  let count = minSize <= 1 ? numPoints : 0;
  return Int32Array.from(merges, ({ left, right, size }) => {
    count += Number(size >= minSize) - Number(isLarge(left)) - Number(isLarge(right));
    return count;
  });
}

/** Gives every small cluster to the large one with the most similar centroid, then renumbers from 0. */
export function foldSmallClusters(unit: readonly Float64Array[], clusters: Int32Array, large: readonly number[]): Int32Array {
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
 * Atoms that are linked under constraints, at most but for those that constraints split: their distances fill 16 MB. Of more
 * embeddings, the first merges are taken from the linkage without constraints.
 */
const MAX_ATOMS = 2000;

export interface ConstrainedInput {
  readonly table: VoiceTable;
  /** Rows that take part, rising; those of constraints do too. */
  readonly trainRows: readonly number[];
  /** The linkage of these without constraints. */
  readonly merges: readonly Merge[];
  readonly constrained: ConstrainedRows;
}

/**
 * Agglomerative clustering in which each constrained speaker's embeddings are together from the start, and those of two are
 * never merged. A cluster with an constraint counts as large whatever its size.
 *
 * Exact up to {@link MAX_ATOMS} embeddings; of more, embeddings that were merged early without constraints stay together
 * unless an constraint takes them out.
 */
export class ConstrainedAgglomeration {
  private readonly rows: readonly Float32Array[];
  private readonly unit: readonly Float64Array[];
  /** Entry of the constraints for each of `rows`, or -1. */
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

  /** Clusters as many as asked for, or as near to it as the merges come. */
  clusters({ minSpeakers, maxSpeakers }: SpeakerBounds): { centroids: Float64Array[]; constraintClusters: number[] } {
    const { merges, minSize, groups } = this;
    const clamp = (bound: number) => Math.max(this.input.constrained.heard.length, Math.min(this.rows.length, bound));
    // The greatest distance below counts, as in a cut without constraints.
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

  /** What says which rows are one atom: an constraint, or a cluster of the first merges. */
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
    // From the last merge down, so that each parent has its root already.
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

  /** How many clusters are large after each merge. */
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

/** Numbers from 0 without gaps, in the order in which each key comes first. */
function numbered(keys: readonly number[]): Int32Array {
  const numbers = new Map<number, number>();
  return Int32Array.from(keys, (key) => {
    if (!numbers.has(key)) numbers.set(key, numbers.size);
    return numbers.get(key)!;
  });
}

/** Of each merge, the greatest distance of it and of those below it; centroid linkage can have nearer ones above. */
function withThoseBelow(merges: readonly Merge[], numAtoms: number): Float64Array {
  const greatest = new Float64Array(merges.length);
  const below = (cluster: number): number => (cluster < numAtoms ? -Infinity : greatest[cluster - numAtoms]!);
  merges.forEach(({ left, right, distance }, row) => (greatest[row] = Math.max(distance, below(left), below(right))));
  return greatest;
}

type Settings = Omit<ClusteringOptions, keyof SpeakerBounds>;

/**
 * Says which local speakers of different windows are the same person.
 *
 * Matches `AgglomerativeClustering.__call__` of pyannote.audio 4.0.7 with unconstrained assignment: the
 * embeddings with enough clean speech are clustered, then *every* embedding is given to the nearest centroid.
 * An embedding that is NaN goes to cluster 0 there, as numpy's argmax has it, and so here.
 */
export function clusterLocalSpeakers(local: LocalSpeakers, options: ClusteringOptions): Clusters {
  return new AgglomerativeClusterer(new VoiceTable(local), options).cluster(options);
}

/** {@link clusterLocalSpeakers} for one recording and any number of speakers: what does not depend on it is done once. */
export class AgglomerativeClusterer {
  private readonly trainRows: readonly number[];
  private readonly train: readonly Float32Array[];
  private agglomeration: Agglomeration | null = null;
  /** For the constraints that were given last. */
  private constrained: { readonly constrained: ConstrainedRows; readonly agglomeration: ConstrainedAgglomeration } | null = null;

  /** @param known the linkage, where it was made before */
  constructor(
    private readonly table: VoiceTable,
    private readonly settings: Settings,
    private readonly known: Dendrogram | null = null,
  ) {
    this.trainRows = trainableRows(table.local, settings.minActiveRatio);
    this.train = this.trainRows.map((row) => table.rows[row]!);
  }

  /** The linkage, where it was made. */
  get dendrogram(): Dendrogram | null {
    return this.agglomeration && packMerges(this.agglomeration.merges);
  }

  /** Does now what every number of speakers wants. */
  warm(): void {
    if (this.train.length > 1) this.linked();
  }

  /** Another number of speakers wants nothing that could be done now. */
  anticipate(): boolean {
    return false;
  }

  /**
   * LinkConstraints that the clusters keep by themselves change nothing, but that local speakers without an embedding follow them.
   * Otherwise the embeddings are linked anew under the constraints, and every local speaker who is not an constraint's goes to
   * the nearest centroid.
   *
   * @throws VoxlaneError `options` where the constraints speak of more people than there may be
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

  /** Gives each local speaker the nearest centroid, but those of an constraint its cluster; sure by how much it is nearer. */
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
      // One cluster may have no centroid: nobody has an embedding that took part.
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
