import { foldSmallClusters, rowForCount, rowsByNearness, targetCount, type Walk } from './agglomerative';
import { embeddedAnchors, type AnchoredRows } from './anchors';
import type { ClusteringOptions, SpeakerBounds } from './cluster';
import { constrainedLinkage, type Atoms } from './constrainedLinkage';
import { flatClusters } from './flat';
import type { Merge } from './merge';
import { roundHalfEven } from '../util/round';
import { clusterMeans, normalised } from './vectors';
import type { VoiceTable } from './voiceTable';

/**
 * Atoms that are linked under constraints, at most but for those that anchors split: their distances fill 16 MB. Of more
 * embeddings, the first merges are taken from the linkage without constraints.
 */
const MOST_ATOMS = 2000;

export interface ConstrainedInput {
  readonly table: VoiceTable;
  /** Rows that take part, rising; those of anchors do too. */
  readonly trainRows: readonly number[];
  /** The linkage of these without constraints. */
  readonly merges: readonly Merge[];
  readonly anchored: AnchoredRows;
}

/**
 * Agglomerative clustering in which each anchored speaker's embeddings are together from the start, and those of two are
 * never merged. A cluster with an anchor counts as large whatever its size.
 *
 * Exact up to {@link MOST_ATOMS} embeddings; of more, embeddings that were merged early without constraints stay together
 * unless an anchor takes them out.
 */
export class ConstrainedAgglomeration {
  private readonly rows: readonly Float32Array[];
  private readonly unit: readonly Float64Array[];
  /** Entry of the anchors for each of `rows`, or -1. */
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
    const { table, trainRows, merges, anchored } = input;
    const extra = embeddedAnchors(anchored, table);
    const all = [...new Set([...trainRows, ...extra])].sort((a, b) => a - b);
    this.rows = all.map((row) => table.rows[row]!);
    this.unit = this.rows.map(normalised);
    this.groups = Int32Array.from(all, (row) => anchored.groups[row]!);
    this.minSize = Math.min(settings.minClusterSize, Math.max(1, roundHalfEven(0.1 * all.length)));
    this.atomOfRow = numbered(this.atomKeys(all, trainRows, merges));
    this.atoms = this.makeAtoms();
    this.merges = constrainedLinkage(this.atoms);
    this.walk = { largeCounts: this.largeCounts(), rows: rowsByNearness(this.merges, settings.threshold) };
  }

  /** Clusters as many as asked for, or as near to it as the merges come. */
  clusters({ minSpeakers, maxSpeakers }: SpeakerBounds): { centroids: Float64Array[]; anchorClusters: number[] } {
    const { merges, minSize, groups } = this;
    const clamp = (bound: number) => Math.max(this.input.anchored.heard.length, Math.min(this.rows.length, bound));
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
    const anchorClusters = Array.from({ length: this.input.anchored.numGroups }, () => -1);
    folded.forEach((cluster, index) => {
      if (groups[index]! >= 0) anchorClusters[groups[index]!] = cluster;
    });
    return { centroids: clusterMeans(this.rows, folded, numClusters, this.unit[0]!.length), anchorClusters };
  }

  /** What says which rows are one atom: an anchor, or a cluster of the first merges. */
  private atomKeys(all: readonly number[], trainRows: readonly number[], merges: readonly Merge[]): number[] {
    const numFree = trainRows.length - MOST_ATOMS;
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
