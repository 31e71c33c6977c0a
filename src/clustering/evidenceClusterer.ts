import { checkAnchorCount, clustersOfAnchors, embeddedAnchors, type AnchoredRows } from './anchors';
import { INACTIVE, trainableRows, type CountScore, type JudgedClusters, type SpeakerBounds } from './cluster';
import { confidences } from './confidence';
import { bestClusters, constrainedClusters, type SoftClusters } from './constrained';
import { zeros, rowOf } from './dense';
import { packMerges, unpackMerges, type Dendrogram } from './dendrogram';
import { bestCount, countScores, cutPath, mergeByEvidence, type EvidencePath } from './evidence';
import { flatClusters } from './flat';
import { centroidLinkage } from './linkage';
import type { Merge } from './merge';
import { amongEmbedded, similarities } from './similarity';
import { projectTwoCovariance, type TwoCovariance } from './twoCovariance';
import { clusterMeans, mean, normalised } from './vectors';
import type { VoiceTable } from './voiceTable';

/** Settings of {@link EvidenceClusterer}; docs/presets.md says where each number comes from. */
export interface EvidenceSettings {
  /** Greatest centroid distance, of unit vectors, at which two start clusters are merged: 0 to 2. */
  readonly startThreshold: number;
  /** Independent observations that one embedding is worth, if every window is embedded: above 0, at most 1. */
  readonly observationWeight: number;
  /** Observations that a recording has at least: of a short one, an embedding is worth more. */
  readonly minObservations: number;
  /** Observations that a recording has at most: of a long one, an embedding is worth less, because a voice changes little. */
  readonly maxObservations: number;
  /** An embedding takes part if its speaker talks alone for this share of the window. */
  readonly minActiveRatio: number;
  /** How often centroids are computed anew from the embeddings that were assigned to them. */
  readonly numRounds: number;
}

/** Settings for CAM++ embeddings of windows that are 1 s apart, with the PLDA plda-campplus-zh-en. */
export const CAMPPLUS_CLUSTERING: EvidenceSettings = {
  startThreshold: 0.4,
  observationWeight: 0.06,
  minObservations: 8,
  maxObservations: 30,
  minActiveRatio: 0.2,
  numRounds: 2,
};

/** Start clusters, at most: the gains of all pairs fill 18 MB. */
const MAX_START_CLUSTERS = 1500;

/** A speaker who is heard in fewer windows does not make another number of speakers likely. */
const MIN_COUNTED_WINDOWS = 4;

/**
 * In a recording of fewer windows, every embedding takes part, because of a speaker who says little there is no better one; and
 * there are at least as many speakers as in one window.
 */
const MIN_WINDOWS = 5;

/** One way to merge the start clusters. */
interface Start {
  /** Start cluster of each embedding that takes part. */
  readonly labels: Int32Array;
  readonly path: EvidencePath;
}

/**
 * Says which local speakers of different windows are the same person: a fine agglomerative start, then merges by the
 * evidence of a PLDA down to the number of speakers with the greatest evidence, then every embedding to the most similar
 * speaker, two local speakers of a window never to the same one.
 *
 * Another number of speakers is another place on the same path of merges, so it costs one assignment.
 */
export class EvidenceClusterer {
  private readonly trainRows: readonly number[];
  private readonly train: readonly Float32Array[];
  private merges: readonly Merge[] | null = null;
  private readonly free = new Map<number, Start>();
  /** For the anchors that were given last. */
  private anchored: { readonly rows: AnchoredRows; readonly usual: Int32Array; readonly start: AnchoredStart } | null = null;

  /**
   * @param embedded axes (window), 1 if the window was embedded; the embeddings of others are means and take no part
   * @param known the linkage, if it was made before
   * @throws VoxlaneError `options` if the embeddings are not of the PLDA's size
   */
  constructor(
    private readonly table: VoiceTable,
    private readonly plda: TwoCovariance,
    private readonly settings: EvidenceSettings,
    private readonly embedded: Uint8Array | null = null,
    private readonly known: Dendrogram | null = null,
  ) {
    const { numSpeakers } = table.local;
    const isEmbedded = (row: number): boolean => !embedded || embedded[Math.floor(row / numSpeakers)] === 1;
    const embeddedRows = (): number[] => [...table.rows.keys()].filter((row) => isEmbedded(row) && table.squares[row]! > 0 && !table.isSilent[row]);
    const trainable = table.local.numWindows < MIN_WINDOWS ? [] : trainableRows(table.local, settings.minActiveRatio).filter(isEmbedded);
    // If nobody, or only one, talks alone for long, other embeddings are better than none.
    this.trainRows = trainable.length > 1 ? trainable : embeddedRows();
    this.train = this.trainRows.map((row) => table.rows[row]!);
  }

  /** The linkage, if it was made. */
  get dendrogram(): Dendrogram | null {
    return this.merges && packMerges(this.merges);
  }

  /** Does now what every number of speakers needs. */
  warm(): void {
    if (this.train.length > 1) this.startFor(1);
  }

  /** There is nothing to prepare for another number of speakers. */
  anticipate(): boolean {
    return false;
  }

  /**
   * Anchors that the clusters keep by themselves change nothing, but that local speakers without an embedding follow them.
   * Otherwise the embeddings of each anchored speaker are together from the start, and those of two are never merged.
   *
   * @throws VoxlaneError `options` if the anchors speak of more people than there may be
   */
  cluster(bounds: SpeakerBounds, anchored: AnchoredRows | null): JudgedClusters {
    if (anchored) checkAnchorCount(anchored, bounds.maxSpeakers);
    const free = this.clusterFreely(bounds);
    if (!anchored) return free;
    const kept = clustersOfAnchors(anchored, this.table, (row) => free.hardClusters[row]!);
    if (kept) return this.assign(free.centroids, anchored, kept, free);
    return this.clusterAnchored(bounds, anchored);
  }

  private clusterFreely({ minSpeakers, maxSpeakers }: SpeakerBounds): JudgedClusters {
    const { train, table } = this;
    if (train.length < 2 || maxSpeakers < 2) return this.oneCluster();
    const least = Math.min(maxSpeakers, Math.max(minSpeakers, this.speakersOfOneWindow()));
    const { labels, path } = this.startFor(Math.min(least, train.length));
    const count = bestCount(path, Math.min(least, path.numStart), maxSpeakers);
    const cut = cutPath(path, count);
    const start = labels.map((label) => cut[label]!);
    const centroids = this.refined(clusterMeans(train, start, count, table.local.dimension));
    return { ...this.assign(centroids, null, []), counts: this.counts(labels, path) };
  }

  /**
   * The most local speakers of a window who take part. Over few windows there is too little evidence to overrule the
   * segmentation, which separates the speakers of a window; of more windows, 0.
   */
  private speakersOfOneWindow(): number {
    const { numWindows, numSpeakers } = this.table.local;
    if (numWindows >= MIN_WINDOWS) return 0;
    const counts = new Int32Array(numWindows);
    for (const row of this.trainRows) counts[Math.floor(row / numSpeakers)]!++;
    return counts.reduce((most, count) => Math.max(most, count), 0);
  }

  /** Means of the embeddings that are assigned to each centroid, again and again. One that gets none stays as it is. */
  private refined(centroids: readonly Float64Array[]): readonly Float64Array[] {
    const { train, trainRows, table, settings } = this;
    let current = centroids;
    for (let round = 0; round < settings.numRounds; round++) {
      const assigned = constrainedClusters(amongEmbedded(similarities(table, current), table));
      const taken = [...trainRows.keys()].filter((index) => assigned[trainRows[index]!]! >= 0);
      const means = clusterMeans(
        taken.map((index) => train[index]!),
        Int32Array.from(taken, (index) => assigned[trainRows[index]!]!),
        current.length,
        table.local.dimension,
      );
      const before = current;
      current = means.map((next, cluster) => (Number.isNaN(next[0]!) ? before[cluster]! : next));
    }
    return current;
  }

  /** The start with at least `minClusters` clusters, as many as there are embeddings at most. */
  private startFor(minClusters: number): Start {
    const { train, settings } = this;
    const usual = flatClusters(this.linked(), settings.startThreshold);
    const numUsual = countClusters(usual);
    const wanted = Math.min(MAX_START_CLUSTERS, Math.max(numUsual, minClusters));
    const known = this.free.get(wanted);
    if (known) return known;
    const labels = wanted === numUsual ? usual : flatClusters(this.linked(), train.length - wanted - 1, (row) => row);
    const start = { labels, path: this.merged(train, labels, null) };
    this.free.set(wanted, start);
    return start;
  }

  /** @param groups of the start clusters; null without any */
  private merged(embeddings: readonly Float32Array[], labels: Int32Array, groups: Int32Array | null): EvidencePath {
    const { plda } = this;
    const numClusters = countClusters(labels);
    const latent = projectTwoCovariance(plda, embeddings);
    const spread = plda.betweenCovariance.map(Math.sqrt);
    const sums = zeros(numClusters, latent.numColumns);
    const sizes = new Int32Array(numClusters);
    labels.forEach((label, index) => {
      const [sum, values] = [rowOf(sums, label), rowOf(latent, index)];
      for (let k = 0; k < sum.length; k++) sum[k]! += values[k]! * spread[k]!;
      sizes[label]!++;
    });
    const observationWeight = this.observationWeight(embeddings.length);
    return mergeByEvidence({ sums, sizes, betweenCovariance: plda.betweenCovariance, observationWeight, ...(groups && { groups }) });
  }

  private counts(labels: Int32Array, path: EvidencePath): CountScore[] {
    const sizes = new Int32Array(path.numStart);
    for (const label of labels) sizes[label]!++;
    return countScores(path, sizes, Math.min(MIN_COUNTED_WINDOWS / this.windowsPerEmbedded(), 0.1 * labels.length));
  }

  /** If only some windows were embedded, each stands for its neighbors. */
  private windowsPerEmbedded(): number {
    const { embedded } = this;
    return embedded ? embedded.length / embedded.reduce((sum, value) => sum + value, 0) : 1;
  }

  private observationWeight(numEmbeddings: number): number {
    const { settings } = this;
    const weight = settings.observationWeight * this.windowsPerEmbedded();
    const least = settings.minObservations / numEmbeddings;
    const most = settings.maxObservations / numEmbeddings;
    return Math.min(1, most, Math.max(weight, least));
  }

  private linked(): readonly Merge[] {
    if (this.merges) return this.merges;
    const unit = this.train.map(normalised);
    return (this.merges = (this.known && unpackMerges(this.known, unit.length)) ?? centroidLinkage(unit));
  }

  private clusterAnchored({ minSpeakers, maxSpeakers }: SpeakerBounds, anchored: AnchoredRows): JudgedClusters {
    const usual = this.train.length > 1 ? this.startFor(Math.min(minSpeakers, this.train.length)).labels : new Int32Array(this.train.length);
    if (this.anchored?.rows !== anchored || this.anchored.usual !== usual) {
      this.anchored = { rows: anchored, usual, start: this.startWith(anchored, usual) };
    }
    const { rows, labels, path, groups } = this.anchored.start;
    const least = Math.max(minSpeakers, anchored.heard.length);
    const count = bestCount(path, Math.min(least, path.numStart), Math.max(maxSpeakers, anchored.heard.length));
    const cut = cutPath(path, count);
    const clusters = labels.map((label) => cut[label]!);
    const centroids = clusterMeans(rows.map((row) => this.table.rows[row]!), clusters, count, this.table.local.dimension);
    const anchorClusters = Array.from({ length: anchored.numGroups }, () => -1);
    groups.forEach((group, label) => {
      if (group >= 0) anchorClusters[group] = cut[label]!;
    });
    return this.assign(centroids, anchored, anchorClusters);
  }

  /** @param usual start cluster of each embedding that takes part, without anchors */
  private startWith(anchored: AnchoredRows, usual: Int32Array): AnchoredStart {
    const rows = [...new Set([...this.trainRows, ...embeddedAnchors(anchored, this.table)])].sort((a, b) => a - b);
    const labelOf = new Map(this.trainRows.map((row, index) => [row, usual[index]!]));
    // Each anchored speaker is one start cluster; the others keep theirs.
    const numbers = new Map<number, number>();
    const groups: number[] = [];
    const labels = Int32Array.from(rows, (row) => {
      const group = anchored.groups[row]!;
      const key = group >= 0 ? -1 - group : labelOf.get(row)!;
      if (!numbers.has(key)) {
        numbers.set(key, numbers.size);
        groups.push(group);
      }
      return numbers.get(key)!;
    });
    const path = this.merged(rows.map((row) => this.table.rows[row]!), labels, Int32Array.from(groups));
    return { rows, labels, path, groups };
  }

  private oneCluster(): JudgedClusters {
    const centroids = [mean(this.train, this.table.local.dimension)];
    return this.assign(centroids, null, []);
  }

  /**
   * Gives each local speaker a cluster, those of an anchor the anchor's.
   *
   * @param free clusters that were found without the anchors, which hold for everybody with an embedding
   */
  private assign(
    centroids: readonly Float64Array[],
    anchored: AnchoredRows | null,
    anchorClusters: readonly number[],
    free: JudgedClusters | null = null,
  ): JudgedClusters {
    const { table } = this;
    const soft = similarities(table, centroids);
    const chosen = free ? free.hardClusters : this.chosen(soft);
    const hardClusters = chosen.map((cluster, row) => {
      const group = anchored ? anchored.groups[row]! : -1;
      return group < 0 || (free && table.hasEmbedding(row)) ? cluster : anchorClusters[group]!;
    });
    table.silence(hardClusters);
    const judged = confidences(table, hardClusters, soft, null);
    // Two local speakers of a window cannot both take the nearest centroid, so that one can be left without any.
    const taken = new Set(hardClusters);
    const used = [...centroids.keys()].filter((cluster) => taken.has(cluster));
    const numberOf = (cluster: number): number => (cluster < 0 ? cluster : used.indexOf(cluster));
    return {
      ...(free?.counts && { counts: free.counts }),
      hardClusters: hardClusters.map(numberOf),
      centroids: used.map((cluster) => centroids[cluster]!),
      confidences: judged,
      confidenceKind: 'margin',
      ...(anchored && { anchorClusters: anchorClusters.map(numberOf) }),
    };
  }

  /**
   * Two local speakers of a window share no cluster, unless there is only one. Without an embedding nobody has one: windows
   * that overlap usually say whose the speech is.
   */
  private chosen(soft: SoftClusters): Int32Array {
    const { table } = this;
    if (soft.numClusters === 1) return bestClusters(soft);
    return constrainedClusters(amongEmbedded(soft, table)).map((cluster, row) => (table.hasEmbedding(row) ? cluster : INACTIVE));
  }
}

interface AnchoredStart extends Start {
  /** Rows that take part, rising. */
  readonly rows: readonly number[];
  /** Entry of the anchors that each start cluster is, or -1. */
  readonly groups: readonly number[];
}

const countClusters = (labels: Int32Array): number => labels.reduce((most, label) => Math.max(most, label), -1) + 1;
