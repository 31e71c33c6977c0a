import type { SpeakerBounds } from './localSpeakers';
import type { VbxOptions } from './vbx';

/** The settings that community-1 was tuned with. `minActiveRatio` is the default of pyannote's `filter_embeddings`. */
export const COMMUNITY_1_CLUSTERING: VbxSettings = {
  threshold: 0.6,
  fa: 0.07,
  fb: 0.8,
  maxIterations: 20,
  minActiveRatio: 0.2,
};

export interface VbxClusteringOptions extends VbxSettings, SpeakerBounds {}

/** Settings of {@link clusterByVbx} except the number of speakers. */
export interface VbxSettings extends VbxOptions {
  /** Maximum centroid distance of unit vectors at which two start clusters are merged: 0 to 2. */
  readonly threshold: number;
  /** An embedding takes part in clustering if its speaker talks alone for at least this share of the window. */
  readonly minActiveRatio: number;
}

/** Settings of the clustering by evidence; docs/presets.md documents the source of each value. */
export interface EvidenceSettings {
  /** Maximum centroid distance of unit vectors at which two start clusters are merged: 0 to 2. */
  readonly startThreshold: number;
  /** Number of independent observations per embedding if every window is embedded: above 0, at most 1. */
  readonly observationWeight: number;
  /** Minimum number of observations per recording: raises the weight of embeddings in a short recording. */
  readonly minObservations: number;
  /** Maximum number of observations per recording: lowers the weight in a long one, because a voice varies little. */
  readonly maxObservations: number;
  /** An embedding takes part in clustering if its speaker talks alone for at least this share of the window. */
  readonly minActiveRatio: number;
  /** How many times the centroids are recomputed from the embeddings assigned to them. */
  readonly numRounds: number;
  /** A recording with fewer windows has at least as many speakers as any single window. */
  readonly shortWindows: number;
}

/** Settings for CAM++ embeddings of windows that are 1 s apart, with the PLDA plda-campplus-zh-en. */
export const CAMPPLUS_CLUSTERING: EvidenceSettings = {
  startThreshold: 0.4,
  observationWeight: 0.06,
  minObservations: 8,
  maxObservations: 30,
  minActiveRatio: 0.2,
  numRounds: 2,
  shortWindows: 50,
};
