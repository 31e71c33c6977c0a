import { Agglomeration } from './agglomerative';
import { checkAnchorCount, clustersOfAnchors, type AnchoredRows } from './anchors';
import { trainableRows, type ClusteringOptions, type Clusters, type JudgedClusters, type LocalSpeakers, type SpeakerBounds } from './cluster';
import { margin } from './confidence';
import { ConstrainedAgglomeration } from './constrainedAgglomeration';
import { packMerges, unpackMerges, type Dendrogram } from './dendrogram';
import { centroidLinkage } from './linkage';
import { argmin, clusterMeans, mean } from './vectors';
import { VoiceTable } from './voiceTable';

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
  /** For the anchors that were given last. */
  private constrained: { readonly anchored: AnchoredRows; readonly agglomeration: ConstrainedAgglomeration } | null = null;

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
   * Anchors that the clusters keep by themselves change nothing, but that local speakers without an embedding follow them.
   * Otherwise the embeddings are linked anew under the constraints, and every local speaker who is not an anchor's goes to
   * the nearest centroid.
   *
   * @throws VoxlaneError `options` where the anchors speak of more people than there may be
   */
  cluster(bounds: SpeakerBounds, anchored: AnchoredRows | null = null): JudgedClusters {
    if (anchored) checkAnchorCount(anchored, bounds.maxSpeakers);
    const free = this.assign(this.centroids(bounds), null, []);
    if (!anchored) return free;
    const kept = clustersOfAnchors(anchored, this.table, (row) => free.hardClusters[row]!);
    if (kept) return this.assign(free.centroids, anchored, kept);
    if (this.constrained?.anchored !== anchored) {
      const input = { table: this.table, trainRows: this.trainRows, merges: this.linked().merges, anchored };
      this.constrained = { anchored, agglomeration: new ConstrainedAgglomeration(input, this.settings) };
    }
    const { centroids, anchorClusters } = this.constrained.agglomeration.clusters(bounds);
    return this.assign(centroids, anchored, anchorClusters);
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

  /** Gives each local speaker the nearest centroid, but those of an anchor its cluster; sure by how much it is nearer. */
  private assign(
    centroids: readonly Float64Array[],
    anchored: AnchoredRows | null,
    anchorClusters: readonly number[],
  ): JudgedClusters {
    const { table } = this;
    const hardClusters = new Int32Array(table.rows.length);
    const confidences = new Float64Array(table.rows.length).fill(NaN);
    const scores = new Float64Array(centroids.length);
    table.compare(centroids, (row, distances) => {
      const group = anchored ? anchored.groups[row]! : -1;
      // One cluster may have no centroid: nobody has an embedding that took part.
      const cluster = group >= 0 ? anchorClusters[group]! : argmin(distances);
      hardClusters[row] = cluster;
      if (table.isSilent[row] || !table.hasEmbedding(row)) return;
      for (let k = 0; k < scores.length; k++) scores[k] = 2 - distances[k]!;
      confidences[row] = margin(scores, cluster);
    });
    table.silence(hardClusters);
    return { hardClusters, centroids, confidences, confidenceKind: 'margin', ...(anchored && { anchorClusters }) };
  }
}
