import { CAMPPLUS_CLUSTERING, COMMUNITY_1_CLUSTERING, type EvidenceSettings, type IdentitySettings, NEMOTRON_CLUSTERING } from '../clustering/settings';
import { NO_MIN_DURATIONS, type MinDurations } from '../timeline/minDurations';

/** The available pipelines. */
export type PresetId = 'campplus' | 'community-1' | 'nemotron';

/** Presets with one streaming model, which follows the speakers itself. Embeddings are computed only on request. */
export type StreamedPreset = 'nemotron';

/** Presets that segment and embed windows, and then cluster the embeddings. */
export type WindowedPreset = Exclude<PresetId, StreamedPreset>;

/**
 * Amount of computation. `exact` follows pyannote: every window is embedded. `fast` embeds every fifth or tenth window;
 * the other windows use the mean of the embeddings of the windows that share their frames.
 */
export type Speed = 'exact' | 'fast';

/**
 * Clustering settings of a run: those of its preset, or those of pyannote's speaker-diarization-3.1, which also has no
 * minimum durations.
 */
export type ClusteringName = 'preset' | 'pyannote-3.1';

/** Settings for clustering local speakers, except for their number. They belong to a pair of models. */
export type ClusteringSettings =
  /** pyannote's `AgglomerativeClustering` with centroid linkage. */
  | {
      /** Clustering method. */
      readonly method: 'agglomerative';
      /** Maximum distance at which two clusters are merged, between centroids of unit vectors: 0 to 2. */
      readonly threshold: number;
      /**
       * Minimum number of embeddings in a cluster; those of smaller clusters are assigned to the nearest remaining
       * cluster.
       */
      readonly minClusterSize: number;
      /**
       * Minimum fraction of the window in which only this speaker is active, for the embedding to take part in
       * clustering.
       */
      readonly minActiveRatio: number;
    }
  /** pyannote's `VBxClustering`. */
  | {
      /** Clustering method. */
      readonly method: 'vbx';
      /** Id of the PLDA for the embedding model. */
      readonly plda: string;
      /** Maximum distance at which two initial clusters are merged, between centroids of unit vectors: 0 to 2. */
      readonly threshold: number;
      /**
       * Minimum fraction of the window in which only this speaker is active, for the embedding to take part in
       * clustering.
       */
      readonly minActiveRatio: number;
      /** Fa: weight of the likelihood against the priors. Values below 1 compensate for dependent embeddings. */
      readonly fa: number;
      /** Fb: speaker regularization. Higher values result in fewer speakers. */
      readonly fb: number;
      /** Maximum number of iterations; they end earlier when the lower bound stops rising. */
      readonly maxIterations: number;
    }
  /** Merges clusters by the evidence of a two-covariance PLDA. */
  | ({
      /** Clustering method. */
      readonly method: 'evidence';
      /** Id of the PLDA for the embedding model. */
      readonly plda: string;
    } & EvidenceSettings)
  /** For a model that follows speakers itself: its identities, or clusters of their speech by the evidence of a two-covariance PLDA. */
  | ({
      /** Clustering method. */
      readonly method: 'identities';
      /** Id of the PLDA for the embedding model. */
      readonly plda: string;
    } & IdentitySettings);

/** The models of a pipeline of windows, and the settings tuned for them. */
export interface PipelineSettings {
  readonly kind: 'windowed';
  readonly preset: WindowedPreset;
  readonly segmentation: string;
  readonly embedding: string;
  readonly clustering: ClusteringSettings;
  /** Minimum durations of turns and gaps, unless a run sets others. */
  readonly minDurations: MinDurations;
  /** Windows per call of the segmentation model on WASM; on a GPU, the number is measured. */
  readonly wasmBatchWindows: number;
  /**
   * Hop of the embedded windows with `fast`. At most the number of overlapping windows: each frame must be in an
   * embedded window.
   */
  readonly fastEmbedHop: number;
  /** Maximum number of embedding workers on WASM, limited by memory. */
  readonly maxEmbedders: number;
}

/** The model of a streamed pipeline. Its own settings are in its manifest. */
export interface StreamSettings {
  readonly kind: 'streamed';
  readonly preset: StreamedPreset;
  /** Id of the model. */
  readonly model: string;
  /** For a requested number of speakers, and for kept voices. */
  readonly voices: {
    /** Id of the embedding model. */
    readonly embedding: string;
    readonly clustering: { readonly plda: string } & Omit<IdentitySettings, 'windowsPerSpan'>;
  };
}

/** Settings of any pipeline. */
export type AnySettings = PipelineSettings | StreamSettings;

/**
 * pyannote's `AgglomerativeClustering` with the settings of the references: speaker-diarization-3.1 with its threshold
 * rounded to 0.7. `minActiveRatio` is the default of its `filter_embeddings`.
 */
export const PYANNOTE_3_1: Pick<PipelineSettings, 'clustering' | 'minDurations'> = {
  clustering: { method: 'agglomerative', threshold: 0.7, minClusterSize: 12, minActiveRatio: 0.2 },
  minDurations: NO_MIN_DURATIONS,
};

/** Shorter turns and gaps are too short to hear or read. Higher values increase the error rate: see docs/presets.md. */
const MIN_DURATIONS: MinDurations = { minDurationOn: 0.15, minDurationOff: 0.1 };

/**
 * segmentation-3.0 with CAM++, equivalent to `SpeakerDiarization` of pyannote.audio 4.0.7 except for the clustering,
 * which was selected for these embeddings.
 *
 * Batches of four make segmentation on WASM about twice as fast as single windows. Larger batches are not faster, and
 * progress is reported once per batch.
 */
export const CAMPPLUS: PipelineSettings = {
  kind: 'windowed',
  preset: 'campplus',
  segmentation: 'segmentation-3.0',
  embedding: 'campplus-zh-en',
  clustering: { method: 'evidence', plda: 'plda-campplus-zh-en', ...CAMPPLUS_CLUSTERING },
  minDurations: MIN_DURATIONS,
  wasmBatchWindows: 4,
  // Half of the maximum hop: otherwise, recordings of half a minute have too few embedded windows.
  fastEmbedHop: 5,
  maxEmbedders: 8,
};

/** pyannote's community-1: segmentation-3.0 with WeSpeaker ResNet34-LM, PLDA and VBx. */
export const COMMUNITY_1: PipelineSettings = {
  kind: 'windowed',
  preset: 'community-1',
  segmentation: 'segmentation-3.0',
  embedding: 'wespeaker-resnet34-lm',
  clustering: { method: 'vbx', plda: 'plda-community-1', ...COMMUNITY_1_CLUSTERING },
  minDurations: MIN_DURATIONS,
  wasmBatchWindows: 4,
  // A window takes eight times as long as with CAM++.
  fastEmbedHop: 10,
  maxEmbedders: 4,
};

/** Nemotron 3 Diarization. With a requested number of speakers, its speech is embedded and clustered with the models of `campplus`. */
export const NEMOTRON: StreamSettings = {
  kind: 'streamed',
  preset: 'nemotron',
  model: 'nemotron-3-diarization',
  voices: { embedding: CAMPPLUS.embedding, clustering: { plda: 'plda-campplus-zh-en', ...NEMOTRON_CLUSTERING } },
};

/** The presets with windows. */
export const PRESETS: Readonly<Record<WindowedPreset, PipelineSettings>> = { campplus: CAMPPLUS, 'community-1': COMMUNITY_1 };

/** Whether a preset has windows, embeddings and clustering. */
export const isWindowed = (preset: PresetId): preset is WindowedPreset => Object.hasOwn(PRESETS, preset);

/** The settings of a preset with windows, with the requested clustering. */
export const settingsOf = (preset: WindowedPreset, clustering: ClusteringName): PipelineSettings =>
  clustering === 'preset' ? PRESETS[preset] : { ...PRESETS[preset], ...PYANNOTE_3_1 };
