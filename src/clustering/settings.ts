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

/** Settings of {@link clusterByVbx}, but for the number of speakers. */
export interface VbxSettings extends VbxOptions {
  /** Greatest centroid distance, of unit vectors, at which two start clusters are merged: 0 to 2. */
  readonly threshold: number;
  /** An embedding takes part in clustering where its speaker talks alone for this share of the window. */
  readonly minActiveRatio: number;
}

/** Settings of the clustering by evidence; docs/presets.md says where each number comes from. */
export interface EvidenceSettings {
  /** Greatest centroid distance, of unit vectors, at which two start clusters are merged: 0 to 2. */
  readonly startThreshold: number;
  /** Independent observations that one embedding is worth, if every window is embedded: above 0, at most 1. */
  readonly observationWeight: number;
  /** Observations that a recording has at least: an embedding of a short recording is worth more. */
  readonly minObservations: number;
  /** Observations that a recording has at most: an embedding of a long recording is worth less, because a voice changes little. */
  readonly maxObservations: number;
  /** An embedding takes part if its speaker talks alone for this share of the window. */
  readonly minActiveRatio: number;
  /** How often centroids are computed again from the embeddings that were assigned to them. */
  readonly numRounds: number;
  /** In a recording of fewer windows there are at least as many speakers as in one window. */
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
