import type { JudgedClusters, LocalSpeakers, SpeakerBounds } from './cluster';
import type { SoftClusters } from './constrained';
import type { Plda, PldaProjection } from './plda';
import { VbxClusterer } from './vbxClusterer';
import type { VbxOptions, VbxResult } from './vbx';
import { VoiceTable } from './voiceTable';

/** Settings of {@link clusterByVbx}, but for the number of speakers. */
export interface VbxSettings extends VbxOptions {
  /** Greatest centroid distance, of unit vectors, at which two start clusters are merged: 0 to 2. */
  readonly threshold: number;
  /** An embedding takes part in clustering where its speaker talks alone for this share of the window. */
  readonly minActiveRatio: number;
}

export interface VbxClusteringOptions extends VbxSettings, SpeakerBounds {}

/** The settings that community-1 was tuned with. `minActiveRatio` is the default of pyannote's `filter_embeddings`. */
export const COMMUNITY_1_CLUSTERING: VbxSettings = {
  threshold: 0.6,
  likelihoodScale: 0.07,
  speakerRegularisation: 0.8,
  maxIterations: 20,
  minActiveRatio: 0.2,
};

/** What came before the clusters, for a comparison with pyannote. */
export interface VbxSteps {
  /** Rows that took part, as window × local speaker; all other arrays here are in their order. */
  readonly trainRows: readonly number[];
  readonly projection: PldaProjection;
  readonly startLabels: Int32Array;
  readonly vbx: VbxResult;
}

export interface VbxClusters extends JudgedClusters {
  /** As `hardClusters`, but before silent local speakers were taken out: what pyannote's clustering returns. */
  readonly assigned: Int32Array;
  /** What the clusters were chosen by; silent local speakers are below all others where two may not share one. */
  readonly soft: SoftClusters;
  /** Null where fewer than two embeddings took part: nothing was computed then. */
  readonly steps: VbxSteps | null;
}

/**
 * Says which local speakers of different windows are the same person: agglomerative start, PLDA, VBx, then every
 * embedding to the most similar speaker, two local speakers of a window never to the same one.
 *
 * Matches `VBxClustering.__call__` of pyannote.audio 4.0.7, with silent local speakers {@link INACTIVE}, as
 * `SpeakerDiarization.apply` makes them. Where the number of speakers is out of bounds, k-means finds as many as are
 * asked for, and local speakers of one window may then share a cluster, as there. Where more are asked for than
 * embeddings took part, each of those is one; pyannote fails.
 *
 * @throws VoxlaneError `options` where the embeddings are not of the size that the PLDA takes
 */
export function clusterByVbx(local: LocalSpeakers, plda: Plda, options: VbxClusteringOptions): VbxClusters {
  return new VbxClusterer(new VoiceTable(local), plda, options).clusterFreely(options);
}
