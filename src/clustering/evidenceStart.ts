import { embeddedAnchors, type AnchoredRows } from './anchors';
import { rowOf, zeros, type Dense } from './dense';
import { packMerges, unpackMerges, type Dendrogram } from './dendrogram';
import { mergeByEvidence, type EvidencePath } from './evidence';
import type { EvidenceSettings } from './evidenceSettings';
import { flatClusters } from './flat';
import { centroidLinkage } from './linkage';
import type { Merge } from './merge';
import { projectTwoCovariance, type TwoCovariance } from './twoCovariance';
import { normalised } from './vectors';
import type { VoiceTable } from './voiceTable';

/** Start clusters, at most: the gains of all pairs fill 18 MB. */
const MAX_START_CLUSTERS = 1500;

/** Start clusters of some embeddings, and the path of their merges. */
export interface Start {
  /** Rows of the embeddings, as window × local speaker, rising. */
  readonly rows: readonly number[];
  /** Start cluster of each embedding. */
  readonly labels: Int32Array;
  readonly path: EvidencePath;
}

/** {@link Start} in which each anchored speaker is one start cluster. */
export interface AnchoredStart extends Start {
  /** Entry of the anchors for each start cluster, or -1. */
  readonly groups: Int32Array;
}

/** Fine clusters of a set of embeddings, at which the merges by evidence start. Made once for any number of speakers. */
export class EvidenceStart {
  private readonly embeddings: readonly Float32Array[];
  private merges: readonly Merge[] | null = null;
  private usual: Int32Array | null = null;
  private readonly starts = new Map<number, Start>();

  /**
   * @param rows of the embeddings that take part, as window × local speaker, rising
   * @param windowsPerEmbedding windows that each embedding stands for; above 1 if only some windows were embedded
   * @param known the linkage, if it was made before
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

  /** The linkage, if it was made. */
  get dendrogram(): Dendrogram | null {
    return this.merges && packMerges(this.merges);
  }

  /** The start with at least `minClusters` clusters, but at most one per embedding. Needs at least one embedding. */
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
   * The same, with the embeddings of each anchored speaker in one cluster, which is never merged with another anchor's.
   *
   * @param isEmbedded whether a row has an embedding of its own; a mean of others counts only for an anchor that has no other
   */
  withAnchors(anchored: AnchoredRows, minClusters: number, isEmbedded: (row: number) => boolean): AnchoredStart {
    const anchors = embeddedAnchors(anchored, this.table);
    const embeddedGroups = new Set(anchors.filter(isEmbedded).map((row) => anchored.groups[row]!));
    const taken = anchors.filter((row) => isEmbedded(row) || !embeddedGroups.has(anchored.groups[row]!));
    const rows = [...new Set([...this.rows, ...taken])].sort((a, b) => a - b);
    // Anchors take embeddings from other clusters, some of which can become empty.
    const { labels } = this.of(minClusters + anchored.heard.length);
    const labelOf = new Map(this.rows.map((row, index) => [row, labels[index]!]));
    const numbers = new Map<number, number>();
    const groups: number[] = [];
    const anchoredLabels = Int32Array.from(rows, (row) => {
      const group = anchored.groups[row]!;
      const key = group >= 0 ? -1 - group : labelOf.get(row)!;
      if (!numbers.has(key)) {
        numbers.set(key, numbers.size);
        groups.push(group);
      }
      return numbers.get(key)!;
    });
    return { rows, labels: anchoredLabels, path: this.merge(rows, anchoredLabels, Int32Array.from(groups)), groups: Int32Array.from(groups) };
  }

  /** @param groups of the start clusters; absent without any */
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
    return (this.merges = (known && unpackMerges(known, embeddings.length)) ?? centroidLinkage(embeddings.map(normalised)));
  }
}

/** Embeddings of each cluster. */
export function sizesOf(labels: Int32Array): Int32Array {
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
