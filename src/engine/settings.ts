import { CAMPPLUS_CLUSTERING, COMMUNITY_1_CLUSTERING, type EvidenceSettings } from '../clustering/settings';
import { NO_MIN_DURATIONS, type MinDurations } from '../timeline/minDurations';

/** The pipelines there are. */
export type PresetId = 'campplus' | 'community-1';

/**
 * How much is computed. `exact` is pyannote's semantics: every window's voices are embedded. `fast` embeds every fifth or
 * tenth window, and gives the others, which share their frames, a mean of those.
 */
export type Speed = 'exact' | 'fast';

/**
 * Which clustering settings a run takes: those of its preset, or those of pyannote's speaker-diarization-3.1, which also
 * has no minimum durations.
 */
export type ClusteringName = 'preset' | 'pyannote-3.1';

/** How local speakers become people, but for their number: the settings that belong to a pair of models. */
export type ClusteringSettings =
  /** pyannote's `AgglomerativeClustering` with centroid linkage. */
  | {
      /** Which clustering. */
      readonly method: 'agglomerative';
      /** Greatest centroid distance, of unit vectors, at which two clusters are merged: 0 to 2. */
      readonly threshold: number;
      /** Embeddings of a cluster that is kept; smaller ones go to the nearest that is. */
      readonly minClusterSize: number;
      /** An embedding takes part in clustering where its speaker talks alone for this share of the window. */
      readonly minActiveRatio: number;
    }
  /** pyannote's `VBxClustering`. */
  | {
      /** Which clustering. */
      readonly method: 'vbx';
      /** Id of the PLDA that goes with the embedding model. */
      readonly plda: string;
      /** Greatest centroid distance, of unit vectors, at which two start clusters are merged: 0 to 2. */
      readonly threshold: number;
      /** An embedding takes part in clustering where its speaker talks alone for this share of the window. */
      readonly minActiveRatio: number;
      /** Weight of the likelihood against the priors: below 1 makes up for embeddings that are not independent. */
      readonly fa: number;
      /** How hard it is to be a speaker: greater values leave fewer. */
      readonly fb: number;
      /** Most iterations, where the bound has not stopped to rise before. */
      readonly maxIterations: number;
    }
  /** Merges by the evidence of a two-covariance PLDA. */
  | ({
      /** Which clustering. */
      readonly method: 'evidence';
      /** Id of the PLDA that goes with the embedding model. */
      readonly plda: string;
    } & EvidenceSettings);

/** Which models a pipeline is made of, and the settings that were tuned for them together. */
export interface PipelineSettings {
  readonly preset: PresetId;
  readonly segmentation: string;
  readonly embedding: string;
  readonly clustering: ClusteringSettings;
  /** Shortest turns and gaps, unless a run asks for others. */
  readonly minDurations: MinDurations;
  /** Windows that one run of the segmentation model takes at a time on WASM; on a GPU it is measured. */
  readonly wasmBatchWindows: number;
  /** `fast` embeds every so many windows. At most as many as lie side by side: each frame must be in one of them. */
  readonly fastEmbedHop: number;
  /** Most workers of the embedding on WASM, for what each takes of memory. */
  readonly mostEmbedders: number;
}

/**
 * pyannote's `AgglomerativeClustering` with the settings of the references: speaker-diarization-3.1 with its threshold rounded to
 * 0.7. `minActiveRatio` is the default of its `filter_embeddings`.
 */
export const PYANNOTE_3_1: Pick<PipelineSettings, 'clustering' | 'minDurations'> = {
  clustering: { method: 'agglomerative', threshold: 0.7, minClusterSize: 12, minActiveRatio: 0.2 },
  minDurations: NO_MIN_DURATIONS,
};

/** Shorter turns and gaps are too short to hear or to read. Higher values raise the error rate: see docs/presets.md. */
const MIN_DURATIONS: MinDurations = { minDurationOn: 0.15, minDurationOff: 0.1 };

/**
 * segmentation-3.0 with CAM++, in the semantics of pyannote.audio 4.0.7's `SpeakerDiarization` but for the clustering, which
 * was chosen for these embeddings.
 *
 * Batches of four make segmentation on WASM about twice as fast as single windows, and larger ones no faster; progress is
 * reported once per batch.
 */
export const CAMPPLUS: PipelineSettings = {
  preset: 'campplus',
  segmentation: 'segmentation-3.0',
  embedding: 'campplus-zh-en',
  clustering: { method: 'evidence', plda: 'plda-campplus-zh-en', ...CAMPPLUS_CLUSTERING },
  minDurations: MIN_DURATIONS,
  wasmBatchWindows: 4,
  // Twice as many as needed: on a recording of half a minute there are too few windows otherwise.
  fastEmbedHop: 5,
  mostEmbedders: 8,
};

/** pyannote's community-1: segmentation-3.0 with WeSpeaker ResNet34-LM, PLDA and VBx. */
export const COMMUNITY_1: PipelineSettings = {
  preset: 'community-1',
  segmentation: 'segmentation-3.0',
  embedding: 'wespeaker-resnet34-lm',
  clustering: { method: 'vbx', plda: 'plda-community-1', ...COMMUNITY_1_CLUSTERING },
  minDurations: MIN_DURATIONS,
  wasmBatchWindows: 4,
  // A window costs eight times what CAM++ takes.
  fastEmbedHop: 10,
  mostEmbedders: 4,
};

export const PRESETS: Readonly<Record<PresetId, PipelineSettings>> = { campplus: CAMPPLUS, 'community-1': COMMUNITY_1 };

/** What a preset is made of, with the clustering that is asked for. */
export const settingsOf = (preset: PresetId, clustering: ClusteringName): PipelineSettings =>
  clustering === 'preset' ? PRESETS[preset] : { ...PRESETS[preset], ...PYANNOTE_3_1 };
