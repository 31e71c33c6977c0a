import { type ConstrainedRows, checkConstraintCount, clustersOfConstraints, embeddedConstraints } from './constraints';
import { centroidLinkage } from './centroidLinkage';
import { type Dendrogram, flatClusters, type Merge, packMerges, unpackMerges } from './dendrogram';
import { bestCount, countScores, cutPath, type EvidencePath, mergeByEvidence } from './evidence';
import { clusterMeans, type Dense, mean, normalized, rowOf, zeros } from './linearAlgebra';
import { type JudgedClusters, type SpeakerBounds, trainableRows, type VoiceTable } from './localSpeakers';
import { projectTwoCovariance, type TwoCovariance } from './plda';
import type { EvidenceSettings } from './settings';
import { bestClusters, confidences, constrainedAmong, similarities, type SoftClusters } from './softClusters';

/** Maximum number of start clusters: the gains of all pairs fill 18 MB. */
const MAX_START_CLUSTERS = 1500;

/** Start clusters of a set of embeddings, and the path of their merges. */
interface Start {
  /** Rows of the embeddings, as window × local speaker, ascending. */
  readonly rows: readonly number[];
  /** Start cluster of each embedding. */
  readonly labels: Int32Array;
  readonly path: EvidencePath;
}

/** {@link Start} in which each constrained speaker is one start cluster. */
interface ConstrainedStart extends Start {
  /** Constraint index of each start cluster, or -1. */
  readonly groups: Int32Array;
}

/** Fine clusters from which the merges by evidence start. Computed once for all speaker bounds. */
class EvidenceStart {
  private readonly embeddings: readonly Float32Array[];
  private merges: readonly Merge[] | null = null;
  private usual: Int32Array | null = null;
  private readonly starts = new Map<number, Start>();

  /**
   * @param rows rows of the embeddings that take part, as window × local speaker, ascending
   * @param windowsPerEmbedding number of windows per embedding; above 1 if only some windows were embedded
   * @param known a linkage computed earlier, if there is one
   */
  constructor(
    private readonly table: VoiceTable,
    readonly rows: readonly number[],
    private readonly plda: TwoCovariance,
    private readonly settings: EvidenceSettings,
    private readonly windowsPerEmbedding: number,
    private readonly known: Dendrogram | null,
  ) {
    this.embeddings = rows.map((row) => table.rows[row]!);
  }

  /** The linkage; null before it is computed. */
  get dendrogram(): Dendrogram | null {
    return this.merges && packMerges(this.merges);
  }

  /** The start with at least `minClusters` clusters, at most one per embedding. Requires at least one embedding. */
  of(minClusters: number): Start {
    const { rows, settings } = this;
    this.usual ??= flatClusters(this.linked(), settings.startThreshold);
    const numUsual = countClusters(this.usual);
    const numClusters = Math.min(rows.length, MAX_START_CLUSTERS, Math.max(numUsual, minClusters));
    let start = this.starts.get(numClusters);
    if (!start) {
      const labels = numClusters === numUsual ? this.usual : flatClusters(this.linked(), rows.length - numClusters - 1, (row) => row);
      start = { rows, labels, path: this.merge(rows, labels) };
      this.starts.set(numClusters, start);
    }
    return start;
  }

  /**
   * Like `of`, but the embeddings of each constrained speaker form one cluster, which is never merged with that of another.
   *
   * @param isEmbedded whether a row has its own embedding; means of others count only if a constraint has no other embedding
   */
  withConstraints(constrained: ConstrainedRows, minClusters: number, isEmbedded: (row: number) => boolean): ConstrainedStart {
    const constraints = embeddedConstraints(constrained, this.table);
    const embeddedGroups = new Set(constraints.filter(isEmbedded).map((row) => constrained.groups[row]!));
    const taken = constraints.filter((row) => isEmbedded(row) || !embeddedGroups.has(constrained.groups[row]!));
    const rows = [...new Set([...this.rows, ...taken])].sort((a, b) => a - b);
    // Constraints take embeddings out of other clusters, which can become empty.
    const { labels } = this.of(minClusters + constrained.heard.length);
    const labelOf = new Map(this.rows.map((row, index) => [row, labels[index]!]));
    const numbers = new Map<number, number>();
    const groups: number[] = [];
    const constrainedLabels = Int32Array.from(rows, (row) => {
      const group = constrained.groups[row]!;
      const key = group >= 0 ? -1 - group : labelOf.get(row)!;
      if (!numbers.has(key)) {
        numbers.set(key, numbers.size);
        groups.push(group);
      }
      return numbers.get(key)!;
    });
    return { rows, labels: constrainedLabels, path: this.merge(rows, constrainedLabels, Int32Array.from(groups)), groups: Int32Array.from(groups) };
  }

  /** @param groups groups of the start clusters; absent without constraints */
  private merge(rows: readonly number[], labels: Int32Array, groups?: Int32Array): EvidencePath {
    const { plda, table } = this;
    const latent = projectTwoCovariance(plda, rows.map((row) => table.rows[row]!));
    return mergeByEvidence({
      sums: scaledSums(latent, labels, plda.betweenCovariance),
      sizes: sizesOf(labels),
      betweenCovariance: plda.betweenCovariance,
      observationWeight: this.observationWeight(rows.length),
      ...(groups && { groups }),
    });
  }

  private observationWeight(numEmbeddings: number): number {
    const { observationWeight, minObservations, maxObservations } = this.settings;
    const least = minObservations / numEmbeddings;
    const most = maxObservations / numEmbeddings;
    return Math.min(1, most, Math.max(observationWeight * this.windowsPerEmbedding, least));
  }

  private linked(): readonly Merge[] {
    if (this.merges) return this.merges;
    const { embeddings, known } = this;
    if (embeddings.length < 2) return (this.merges = []);
    return (this.merges = (known && unpackMerges(known, embeddings.length)) ?? centroidLinkage(embeddings.map(normalized)));
  }
}

/** Number of embeddings in each cluster. */
function sizesOf(labels: Int32Array): Int32Array {
  const sizes = new Int32Array(countClusters(labels));
  for (const label of labels) sizes[label]!++;
  return sizes;
}

const countClusters = (labels: Int32Array): number => labels.reduce((most, label) => Math.max(most, label), -1) + 1;

/** Sums of the embeddings of each cluster, scaled by √betweenCovariance; axes (cluster, latent dimension). */
function scaledSums(latent: Dense, labels: Int32Array, betweenCovariance: Float64Array): Dense {
  const spread = betweenCovariance.map(Math.sqrt);
  const sums = zeros(countClusters(labels), latent.numColumns);
  labels.forEach((label, index) => {
    const [sum, values] = [rowOf(sums, label), rowOf(latent, index)];
    for (let k = 0; k < sum.length; k++) sum[k]! += values[k]! * spread[k]!;
  });
  return sums;
}

/** Clusters with fewer windows do not affect the likelihood of a number of speakers. */
const MIN_COUNTED_WINDOWS = 4;

/** Constraints and their clusters. */
interface Placed {
  readonly constrained: ConstrainedRows;
  /** Cluster of each constraint, or -1. */
  readonly clusters: readonly number[];
}

/** Which local speakers have their own embedding. Others have a mean of these, and do not take part in the evidence. */
interface Embedded {
  /** Axes (window): 1 if the window was embedded. */
  readonly windows: Uint8Array;
  /** Axes (window, local speaker): 1 if the local speaker has its own embedding. */
  readonly rows: Uint8Array;
}

/**
 * Clusters the local speakers of all windows: a fine agglomerative start, then merges by the evidence of a PLDA down to the
 * number of speakers with the greatest evidence, then assignment of every embedding to the most similar speaker. Two local
 * speakers of a window never share a speaker unless there is only one.
 *
 * Another number of speakers is another position on the same merge path, so it costs only the assignment.
 */
export class EvidenceClusterer {
  /** Rows with their own embedding, not a mean of others. */
  private readonly embeddedRows: readonly number[];
  /** Start from embeddings whose speaker talks alone long enough; from all embeddings if there are fewer than two. */
  private readonly clean: EvidenceStart;
  /** Start from all embeddings, for a short recording. */
  private readonly all: EvidenceStart;
  private readonly windowsPerEmbedding: number;
  /** Cached for the most recent constraints. */
  private constrainedStart: { readonly constrained: ConstrainedRows; readonly least: number; readonly start: ConstrainedStart } | null = null;

  /**
   * @param embedded null if all windows were embedded
   * @param known a linkage computed earlier, if there is one
   */
  constructor(
    private readonly table: VoiceTable,
    plda: TwoCovariance,
    private readonly settings: EvidenceSettings,
    private readonly embedded: Embedded | null = null,
    known: Dendrogram | null = null,
  ) {
    this.windowsPerEmbedding = embedded ? embedded.windows.length / embedded.windows.reduce((sum, value) => sum + value, 0) : 1;
    this.embeddedRows = [...table.rows.keys()].filter((row) => this.isEmbedded(row) && table.squares[row]! > 0 && !table.isSilent[row]);
    const cleanRows = trainableRows(table.local, settings.minActiveRatio).filter((row) => this.isEmbedded(row));
    const startOf = (rows: readonly number[], linkage: Dendrogram | null): EvidenceStart =>
      new EvidenceStart(table, rows, plda, settings, this.windowsPerEmbedding, linkage);
    this.clean = startOf(cleanRows.length > 1 ? cleanRows : this.embeddedRows, known);
    this.all = startOf(this.embeddedRows, null);
  }

  /** The linkage; null before it is computed. */
  get dendrogram(): Dendrogram | null {
    return this.clean.dendrogram;
  }

  /** Computes in advance the part that does not depend on the number of speakers. */
  warm(): void {
    if (this.clean.rows.length > 1) this.clean.of(1);
  }

  /** There is nothing to prepare for another number of speakers. */
  anticipate(): boolean {
    return false;
  }

  /**
   * Constraints that the clusters already satisfy change nothing, except that local speakers without an embedding follow them.
   * Otherwise the embeddings of each constrained speaker are together from the start, and those of two are never merged.
   *
   * @throws VoxlaneError `options` if there are more constrained speakers than `maxSpeakers`
   */
  cluster(bounds: SpeakerBounds, constrained: ConstrainedRows | null): JudgedClusters {
    if (constrained) checkConstraintCount(constrained, bounds.maxSpeakers);
    const free = this.clusterFreely(bounds);
    if (!constrained) return free;
    const kept = clustersOfConstraints(constrained, this.table, (row) => free.hardClusters[row]!);
    if (kept) return this.follow(free, { constrained, clusters: kept });
    return this.clusterConstrained(bounds, constrained);
  }

  private clusterFreely(bounds: SpeakerBounds): JudgedClusters {
    const { embeddedRows, table, windowsPerEmbedding } = this;
    if (embeddedRows.length < 2 || bounds.maxSpeakers < 2) {
      return this.assign([mean(embeddedRows.length > 0 ? this.clean.rows.map((row) => table.rows[row]!) : [], table.local.dimension)], null);
    }
    const { start, count } = this.startFor(bounds);
    const centroids = this.refined(this.centroidsOf(start, count), start.rows, null);
    const minSize = Math.min(MIN_COUNTED_WINDOWS / windowsPerEmbedding, 0.1 * start.rows.length);
    return { ...this.assign(centroids, null), counts: countScores(start.path, sizesOf(start.labels), minSize, count) };
  }

  /**
   * A short recording has too little evidence to overrule the segmentation, which separates the speakers of a window. If the
   * clean embeddings yield fewer speakers than one window has, all embeddings take part.
   */
  private startFor({ minSpeakers, maxSpeakers }: SpeakerBounds): { readonly start: Start; readonly count: number } {
    const of = (candidates: EvidenceStart, least: number): { readonly start: Start; readonly count: number } => {
      const start = candidates.of(least);
      return { start, count: bestCount(start.path, Math.min(least, start.path.numStart), maxSpeakers) };
    };
    const clean = of(this.clean, minSpeakers);
    const least = Math.min(maxSpeakers, Math.max(minSpeakers, this.speakersOfOneWindow()));
    return clean.count >= least ? clean : of(this.all, least);
  }

  /** Maximum number of local speakers with an embedding in any window; 0 if the recording is not short. */
  private speakersOfOneWindow(): number {
    const { numWindows, numSpeakers } = this.table.local;
    if (numWindows >= this.settings.shortWindows) return 0;
    const counts = new Int32Array(numWindows);
    for (const row of this.embeddedRows) counts[Math.floor(row / numSpeakers)]!++;
    return counts.reduce((most, count) => Math.max(most, count), 0);
  }

  private clusterConstrained({ minSpeakers, maxSpeakers }: SpeakerBounds, constrained: ConstrainedRows): JudgedClusters {
    const least = Math.max(minSpeakers, constrained.heard.length);
    if (this.constrainedStart?.constrained !== constrained || this.constrainedStart.least !== least) {
      const start = this.clean.withConstraints(constrained, least, (row) => this.isEmbedded(row));
      this.constrainedStart = { constrained, least, start };
    }
    const { start } = this.constrainedStart;
    const count = bestCount(start.path, Math.min(least, start.path.numStart), maxSpeakers);
    const cut = cutPath(start.path, count);
    const clusters = Array.from({ length: constrained.numGroups }, () => -1);
    start.groups.forEach((group, label) => {
      if (group >= 0) clusters[group] = cut[label]!;
    });
    const placed = { constrained, clusters };
    return this.assign(this.refined(this.centroidsOf(start, count), start.rows, placed), placed);
  }

  private centroidsOf({ rows, labels, path }: Start, count: number): Float64Array[] {
    const cut = cutPath(path, count);
    return this.meansOf(rows, labels.map((label) => cut[label]!), count);
  }

  /** Repeatedly replaces each centroid with the mean of the embeddings assigned to it. One without embeddings stays unchanged. */
  private refined(centroids: readonly Float64Array[], rows: readonly number[], placed: Placed | null): readonly Float64Array[] {
    const { table, settings } = this;
    let current = centroids;
    for (let round = 0; round < settings.numRounds; round++) {
      const assigned = this.clustersOf(similarities(table, current), placed);
      const taken = rows.filter((row) => assigned[row]! >= 0);
      const means = this.meansOf(taken, Int32Array.from(taken, (row) => assigned[row]!), current.length);
      const before = current;
      current = means.map((next, cluster) => (Number.isNaN(next[0]!) ? before[cluster]! : next));
    }
    return current;
  }

  private meansOf(rows: readonly number[], clusters: Int32Array, numClusters: number): Float64Array[] {
    const { table } = this;
    return clusterMeans(rows.map((row) => table.rows[row]!), clusters, numClusters, table.local.dimension);
  }

  private assign(centroids: readonly Float64Array[], placed: Placed | null): JudgedClusters {
    const { table } = this;
    const soft = similarities(table, centroids);
    const hardClusters = this.clustersOf(soft, placed);
    table.silence(hardClusters);
    const judged = confidences(table, hardClusters, soft, null);
    // Two local speakers of a window cannot share the nearest centroid, so a centroid can end up without local speakers.
    const taken = new Set(hardClusters);
    const used = [...centroids.keys()].filter((cluster) => taken.has(cluster));
    const numbers = new Map(used.map((cluster, number) => [cluster, number]));
    const numberOf = (cluster: number): number => numbers.get(cluster) ?? cluster;
    return {
      hardClusters: hardClusters.map(numberOf),
      centroids: used.map((cluster) => centroids[cluster]!),
      confidences: judged,
      confidenceKind: 'margin',
      ...(placed && { constraintClusters: placed.clusters.map(numberOf) }),
    };
  }

  /** Moves constrained local speakers without an embedding to the cluster of their constraint. */
  private follow(free: JudgedClusters, { constrained, clusters }: Placed): JudgedClusters {
    const hardClusters = free.hardClusters.map((cluster, row) => {
      const group = constrained.groups[row]!;
      return group < 0 || this.table.hasEmbedding(row) ? cluster : clusters[group]!;
    });
    return { ...free, hardClusters, constraintClusters: clusters };
  }

  /**
   * The cluster of each local speaker; for constrained ones, that of the constraint. Two local speakers of a window never share a
   * cluster unless there is only one. A local speaker without an embedding has none: overlapping windows usually identify the speaker.
   */
  private clustersOf(soft: SoftClusters, placed: Placed | null): Int32Array {
    const { table } = this;
    const best =
      soft.numClusters === 1
        ? bestClusters(soft)
        : constrainedAmong(soft, (row) => !table.isSilent[row] && table.hasEmbedding(row));
    if (!placed) return best;
    return best.map((cluster, row) => {
      const group = placed.constrained.groups[row]!;
      return group < 0 ? cluster : placed.clusters[group]!;
    });
  }

  private isEmbedded(row: number): boolean {
    return !this.embedded || this.embedded.rows[row] === 1;
  }
}
