import { checkAnchorCount, clustersOfAnchors, type AnchoredRows } from './anchors';
import { trainableRows, type JudgedClusters, type SpeakerBounds } from './cluster';
import { confidences } from './confidence';
import { bestClusters, constrainedClusters, type SoftClusters } from './constrained';
import { packMerges, unpackMerges, type Dendrogram } from './dendrogram';
import { KMeans } from './kmeans';
import { centroidLinkage } from './linkage';
import type { Merge } from './merge';
import { projectEmbeddings, type Plda } from './plda';
import { seededCentroids } from './seededCentroids';
import { similarities, withoutSilent } from './similarity';
import { cutStart, unitEmbeddings } from './startLabels';
import { clusterMeans, mean } from './vectors';
import { startResponsibilities, vbx, type VbxResult } from './vbx';
import type { VbxClusters, VbxSettings, VbxSteps } from './vbxClustering';
import type { VoiceTable } from './voiceTable';

/** A speaker with a smaller share than this is not there: pyannote's. */
const MIN_PRIOR = 1e-7;

/** Greatest number of speakers that is computed before it is asked for. */
const MOST_ANTICIPATED = 10;

/** What VBx found, whatever the number of speakers that was asked for. */
interface Found {
  readonly steps: VbxSteps;
  /** Speakers that are there. */
  readonly kept: readonly number[];
}

/** `clusterByVbx` for one recording and any number of speakers: what does not depend on it is done once. */
export class VbxClusterer {
  private readonly trainRows: readonly number[];
  private readonly train: readonly Float32Array[];
  private readonly unit: readonly Float32Array[];
  private merges: readonly Merge[] | null = null;
  private found: Found | null = null;
  private free: VbxClusters | null = null;
  private kMeans: KMeans | null = null;
  /** Numbers of speakers that are still to be anticipated. */
  private anticipated: number[] | null = null;

  /** @param known the linkage, where it was made before */
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

  /** The linkage, where it was made. */
  get dendrogram(): Dendrogram | null {
    return this.merges && packMerges(this.merges);
  }

  /** Does now what every number of speakers wants. */
  warm(): void {
    if (this.train.length < 2) return;
    this.freeClusters(this.find());
    this.kMeans ??= new KMeans(this.unit);
  }

  /**
   * Does a piece of what another number of speakers would want, nearest numbers first.
   *
   * @returns whether there is more to do
   */
  anticipate(): boolean {
    if (this.train.length < 2) return false;
    const numFound = this.find().kept.length;
    this.anticipated ??= Array.from({ length: Math.min(MOST_ANTICIPATED, this.train.length) }, (_, index) => index + 1)
      .filter((count) => count !== numFound)
      .sort((a, b) => Math.abs(a - numFound) - Math.abs(b - numFound));
    const count = this.anticipated[0];
    if (count === undefined) return false;
    this.kMeans ??= new KMeans(this.unit);
    if (!this.kMeans.advance(count)) this.anticipated.shift();
    return this.anticipated.length > 0;
  }

  /**
   * Anchors that the clusters keep by themselves change nothing, but that local speakers without an embedding follow them.
   * VBx itself knows no constraints: otherwise its clusters, or those of k-means, are where {@link seededCentroids} starts
   * from, and every local speaker who is not an anchor's goes to the nearest of these.
   *
   * @throws VoxlaneError `options` where the anchors speak of more people than there may be
   */
  cluster(bounds: SpeakerBounds, anchored: AnchoredRows | null): JudgedClusters {
    if (!anchored) return this.clusterFreely(bounds);
    checkAnchorCount(anchored, bounds.maxSpeakers);
    const { table } = this;
    const free = this.clusterFreely(bounds);
    const kept = clustersOfAnchors(anchored, table, (row) => free.hardClusters[row]!);
    if (kept) return following(free, kept, anchored, table);
    const start = free.centroids.filter((centroid) => !centroid.some(Number.isNaN));
    const moreCentroids = (count: number) => this.kMeansCentroids(Math.min(this.train.length, count));
    const input = { table, trainRows: this.trainRows, anchored };
    const { centroids, anchorClusters } = seededCentroids(input, start, moreCentroids, bounds);
    return { ...this.assignAnchored(centroids, anchored, anchorClusters), anchorClusters };
  }

  /** As `clusterByVbx`, for any number of speakers. */
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

  /** Forbidding shared clusters would make up more of them than were asked for. */
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

  private assignAnchored(
    centroids: readonly Float64Array[],
    { groups }: AnchoredRows,
    anchorClusters: readonly number[],
  ): JudgedClusters {
    const soft = similarities(this.table, centroids);
    const best = bestClusters(soft);
    const assigned = best.map((cluster, row) => (groups[row]! >= 0 ? anchorClusters[groups[row]!]! : cluster));
    return { ...this.judged(assigned, soft), centroids };
  }

  private judged(assigned: Int32Array, soft: SoftClusters): Omit<JudgedClusters, 'centroids'> {
    const hardClusters = assigned.slice();
    this.table.silence(hardClusters);
    return { hardClusters, confidences: confidences(this.table, hardClusters, soft, null), confidenceKind: 'margin' };
  }
}

/** Means of the embeddings, each weighted with how much it belongs to the speaker; axes (kept speaker, dimension). */
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

/** Clusters in which the local speakers of anchors who have no embedding are with the others of theirs. */
function following(free: VbxClusters, kept: readonly number[], { groups }: AnchoredRows, table: VoiceTable): JudgedClusters {
  const hardClusters = free.hardClusters.map((cluster, row) => {
    const group = groups[row]!;
    return group < 0 || table.hasEmbedding(row) ? cluster : kept[group]!;
  });
  return { ...free, hardClusters, anchorClusters: kept };
}
