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

/** Settings for clustering the identities of a model that follows speakers itself; docs/presets.md documents each value. */
export interface IdentitySettings {
  /** Consecutive windows that the model decides with one state: within them, an identity is one speaker. */
  readonly windowsPerSpan: number;
  /** Loss in evidence, in nats, for each additional speaker into whom an identity is divided: 0 or more. */
  readonly identityNats: number;
  /** Two identities that overlap in a span for at least this time are two speakers. Shorter overlaps occur at the ends of turns. */
  readonly overlapSeconds: number;
  /** An embedding of less speech without overlap does not take part, unless its identity has no other. */
  readonly minSeconds: number;
  /** Number of independent observations per second of speech: above 0, at most 1. */
  readonly observationWeight: number;
  /** Minimum number of observations per recording: raises the weight of embeddings in a short recording. */
  readonly minObservations: number;
  /** Maximum number of observations per recording: lowers the weight in a long one, because a voice varies little. */
  readonly maxObservations: number;
}

/** Settings for CAM++ embeddings of the identities of Nemotron 3 Diarization. The span is that of its manifest. */
export const NEMOTRON_CLUSTERING: Omit<IdentitySettings, 'windowsPerSpan'> = {
  identityNats: 2,
  overlapSeconds: 0.5,
  minSeconds: 1,
  // Windows of 1 s hop have one embedding per second of speech, so the weights of CAMPPLUS_CLUSTERING count seconds here.
  observationWeight: CAMPPLUS_CLUSTERING.observationWeight,
  minObservations: CAMPPLUS_CLUSTERING.minObservations,
  maxObservations: CAMPPLUS_CLUSTERING.maxObservations,
};
