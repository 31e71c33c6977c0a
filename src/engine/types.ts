import type { RecordingNote } from '../audio/notes';
import type { AudioTrack } from '../audio/types';
import type { Dendrogram } from '../clustering/dendrogram';
import type { ModelCheck } from '../compare/modelCheck';
import type { TimeGeometry } from '../segmentation/geometry';
import type { StreamMode } from '../store/streamModes';
import type { MinDurations } from '../timeline/minDurations';
import type { Turn } from '../timeline/turns';
import type { ClusteringName, ClusteringSettings, PresetId, Speed } from './settings';
import type { SpeakerCount } from './speakerCount';
import type { StageName, StageHook } from './stages';

export type { CountScore } from '../clustering/localSpeakers';

/**
 * The outputs of the models for one recording. They suffice to cluster it again with another number of speakers,
 * without the recording or the models. Plain data that `structuredClone` and IndexedDB accept; 45 MB for three hours.
 *
 * Returned by {@link Diarizer.diarize} with `keepVoices`, for {@link Reclusterer.create}.
 */
export interface KeptVoices {
  /** Version of this format; other versions are rejected. */
  readonly version: 1;
  /** The preset of the run. */
  readonly preset: PresetId;
  /** The speed of the run. */
  readonly speed: Speed;
  /** The segmentation model of the run; with `nemotron`, its model. */
  readonly segmentation: KeptModel;
  /** The embedding model of the run. */
  readonly embedding: KeptModel;
  /** Start of the first window in the recording. */
  readonly startSeconds: number;
  /** Number of local speakers per window. */
  readonly numSpeakers: number;
  /** Dimension of the embeddings. */
  readonly dimension: number;
  /** Positions of windows and frames, in seconds from the start of the first window. */
  readonly geometry: TimeGeometry;
  /**
   * Minimum number of clean frames, in which only this speaker is active, to embed only those frames; otherwise all
   * frames of the speaker are embedded.
   */
  readonly minCleanFrames: number;
  /** Clustering settings, except for the number of speakers. */
  readonly clustering: ClusteringSettings;
  /** Minimum durations of turns and gaps; absent in data of earlier releases, which had none. */
  readonly minDurations?: MinDurations;
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array<ArrayBuffer>;
  /**
   * Axes (window, local speaker, dimension), float32; NaN if there was too little speech or the window was not
   * embedded.
   */
  readonly embeddings: Float32Array<ArrayBuffer>;
  /** Axes (window), 1 if the window was passed to the embedding model. */
  readonly embedded: Uint8Array<ArrayBuffer>;
  /** Axes (window, frame): the local speaker with the highest score. Only with `nemotron`, whose local speakers are the same in all windows. */
  readonly strongest?: Uint8Array<ArrayBuffer>;
  /** The linkage of the run, which is slow to compute for long recordings; null if there was nothing to link. */
  readonly dendrogram: Dendrogram | null;
}

/** A model file. */
export interface KeptModel {
  /** Model id of the manifest. */
  readonly id: string;
  /** SHA-256 of the file, 64 lowercase hex digits. */
  readonly sha256: string;
}

export type { ModelCheck, StageCheck } from '../compare/modelCheck';
export type { AudioTrack } from '../audio/types';
export type { RecordingNote, RecordingNoteCode } from '../audio/notes';
export type { Turn } from '../timeline/turns';
export type { ClusteringName, PresetId, Speed } from './settings';

/** A speaker of the recording. */
export interface Speaker {
  /** `SPEAKER_00`, `SPEAKER_01` … in the order of the clusters, as in pyannote.audio. */
  readonly label: string;
  /**
   * Mean embedding of the speaker's cluster, axes (dimension), float32; zeros if the speaker has none. Null in a run of
   * `nemotron` without embeddings: see docs/presets.md.
   */
  readonly centroid: Float32Array | null;
  /** SHA-256 of the embedding model. Only centroids of the same model can be compared. Null without embeddings. */
  readonly embeddingModel: string | null;
  /** Total length of the speaker's turns. */
  readonly speechSeconds: number;
}

/** A model file used for a result. */
export interface UsedModel {
  /**
   * `plda` is the model with which VBx compares embeddings. The model of `nemotron`, which does all stages, counts as
   * `segmentation`.
   */
  readonly stage: 'segmentation' | 'embedding' | 'plda';
  /** Model id of the manifest. */
  readonly id: string;
  /** SHA-256 of the file, verified when it was loaded. */
  readonly sha256: string;
}

/** Backend that runs the models. `auto` selects the fastest one that is known to work. */
export type BackendChoice = 'auto' | 'webgpu' | 'wasm';

/** The backend of a run, and why it was selected. */
export interface BackendReport {
  /** The backend that ran the models. */
  readonly name: 'webgpu' | 'wasm';
  /** Name of the GPU adapter as reported by the browser; null on WASM. */
  readonly adapter: string | null;
  /** Processor cores used on WASM, as workers or threads; 0 on WebGPU. */
  readonly threads: number;
  /** Why this backend was selected, as a sentence for users. */
  readonly reason: string;
  /**
   * Self-checks of all backends that were tried against the golden outputs; for a GPU, also against the results of
   * WASM. One entry per model and `backend`, in the order of the checks. The entries of the backend that ran come last.
   * Entries of a backend that failed and was not used, a GPU or the WASM kernels, come before them. On WASM, models
   * without golden outputs are not checked. Null if nothing was checked.
   */
  readonly selfCheck: readonly ModelCheck[] | null;
}

/** Result of {@link Diarizer.diarize}. */
export interface DiarizationResult {
  /** Length of the analyzed audio in seconds. */
  readonly durationSeconds: number;
  /** Sorted by start, then end. Turns of different speakers may overlap. */
  readonly turns: readonly Turn[];
  /**
   * Meaning of the turns' `confidence`: the posterior probability of the speaker (VBx), or the margin between the
   * cosine similarities to the speaker and to the next one. The two kinds are not comparable. Null in a run of `nemotron`
   * without embeddings, whose turns have no confidence.
   */
  readonly confidenceKind: 'posterior' | 'margin' | null;
  /** The turns with at most one speaker at a time, for aligning transcripts. */
  readonly exclusiveTurns: readonly Turn[];
  /** Speakers with a turn, in the order of their labels. */
  readonly speakers: readonly Speaker[];
  /** Number of speakers, with likely alternatives, and the bounds if they were not met. */
  readonly speakerCount: SpeakerCount;
  /** Seconds of work in each stage, measured in its workers. Stages overlap, so the sum can exceed the wall time. */
  readonly timings: Readonly<Partial<Record<StageName, number>>>;
  /** The backend that ran the models, and why it was selected. */
  readonly backend: BackendReport;
  /** The selected preset. */
  readonly preset: PresetId;
  /** The requested speed. */
  readonly speed: Speed;
  /** The requested clustering settings. */
  readonly clustering: ClusteringName;
  /** How the recording was split into chunks. Absent without the preset `nemotron`. */
  readonly streamingMode?: StreamMode;
  /** Minimum length of a turn in seconds. */
  readonly minDurationOn: number;
  /** Minimum length of a gap between two turns of a speaker in seconds; shorter gaps were filled. */
  readonly minDurationOff: number;
  /** SHA-256 of the embedding model. Centroids of other models are not comparable. Null without embeddings. */
  readonly embeddingModel: string | null;
  /** All model files used, in the order of the stages; a PLDA only if the preset uses one. */
  readonly models: readonly UsedModel[];
  /**
   * Note about the file of the embedding model: it could not be stored, or its hash is unknown and the user chose to
   * trust it. Null if there is none.
   */
  readonly modelNote: string | null;
  /** Audio tracks of the file; the analyzed one is marked. Empty for WAV, samples, and files decoded by the page. */
  readonly tracks: readonly AudioTrack[];
  /** Notes about audio that was repaired, skipped or omitted; empty if there are none. */
  readonly notes: readonly RecordingNote[];
  /** Outputs of the models, for clustering again; absent without {@link DiarizeOptions.keepVoices}. */
  readonly voices?: KeptVoices;
}

/** Provisional result for the analyzed part of a recording. */
export interface Preview {
  /** Length of the analyzed part, from the start. */
  readonly analyzedSeconds: number;
  /** Sorted by start, then end. A label can denote another speaker in the next preview. */
  readonly turns: readonly Turn[];
}

/** Progress of a run, for display. */
export interface Progress {
  /** The stage; stages run concurrently. */
  readonly stage: StageName;
  /** Completed units of the stage, such as windows. */
  readonly completed: number;
  /** Total units of the stage; an estimate until decoding is complete; for a stream, the part received so far. */
  readonly total: number;
  /** Estimated seconds until this stage is complete; null until there is enough data. */
  readonly secondsLeft: number | null;
  /** The source is a stream of samples that has not ended: the total is unknown. Absent otherwise. */
  readonly openEnded?: true;
}

/** Progress of a model download, and of the conversion that follows it on first use. */
export interface ModelDownload {
  /** Id of the model. */
  readonly model: string;
  /**
   * `convert`: the weights of `nemotron` are converted for the backend. It follows the download, or the choice of a file. `wait`: another
   * tab or worker downloads or converts them, and this one continues after it.
   */
  readonly step: 'wait' | 'download' | 'convert';
  /** Bytes received, including those of an interrupted download; during a conversion, bytes that were read; 0 during a wait, then 1. */
  readonly receivedBytes: number;
  /** Size of the file in bytes; for a conversion, which reads all values twice, twice that of the values; 1 for a wait. */
  readonly totalBytes: number;
}

/** Options of a diarizer: models, locations of files, and backend. */
export interface DiarizerOptions {
  /**
   * Selects the models and their settings. `auto`, the default, uses `community-1` if its model is stored in the
   * browser, and otherwise `campplus`, which is bundled; it never downloads, and never uses `nemotron`. `exact` and `fast` are `auto` with that
   * {@link DiarizerOptions.speed}.
   */
  readonly preset?: PresetId | 'auto' | Speed;
  /**
   * `exact`, the default, embeds the speakers of every window. `fast` runs the embedding model on every fifth (CAM++)
   * or tenth (ResNet34) window; docs/presets.md lists the savings and the cost.
   */
  readonly speed?: Speed;
  /**
   * Clustering settings: `preset`, the default, uses those of the preset; `pyannote-3.1` uses those of pyannote's
   * speaker-diarization-3.1, without minimum durations, for comparisons with it.
   */
  readonly clustering?: ClusteringName;
  /**
   * Idle seconds after a run until the workers are ended to free their memory; the next run starts them again. Default
   * 60; `Infinity` keeps them until {@link Diarizer.dispose}.
   */
  readonly idleSeconds?: number;
  /**
   * URL of a model hub in place of the public one; null if all models are hosted under `models`, each as `<model
   * id>/<file>`. Used only for presets that are not bundled.
   */
  readonly hub?: string | URL | null;
  /**
   * File of the preset's embedding model, or of the weights of `nemotron`, provided by the user in place of a download. In Node also its
   * path or `file:` URL, which is read in parts; a Blob of `openAsBlob()` is copied to memory.
   */
  readonly modelFile?: Blob | string | URL;
  /**
   * Accept a `modelFile` of unknown hash if it passes the checks of shape and output, and its stored copy in later
   * visits. `result.modelNote` reports it each time. Default false: neither is used.
   */
  readonly trustUnknownModel?: boolean;
  /** Called with the progress of the download of a model that is not bundled, and of its conversion. */
  readonly onDownload?: (progress: ModelDownload) => void;
  /** Base URL of the models: each manifest is at `<model id>/manifest.json`. Default: `models/` beside the page. */
  readonly models?: string | URL;
  /** Base URL of the ONNX Runtime files. Default: `ort/` beside the page. */
  readonly runtime?: string | URL;
  /**
   * Base URL of the golden outputs that a GPU and the WASM kernels must reproduce. Default: `goldens/` beside the page.
   * Without them, the GPU is not used, and WASM runs unchecked.
   */
  readonly goldens?: string | URL;
  /**
   * Default `auto`. With `webgpu`, `backend-unavailable` is thrown if no adapter can run the models. If the adapter
   * fails or its results are wrong, WASM is used.
   */
  readonly backend?: BackendChoice;
  /** Use the GPU without its self-check. Default false. The self-check on WASM is not affected. */
  readonly trustGpu?: boolean;
  /** Windows per batch, 1 to 32. Default: measured on a GPU (1 with `trustGpu`), 4 on WASM. */
  readonly batchWindows?: number;
  /** Processor cores to use on WASM, 1 to 64. Default: all cores, at most 8; 3 in WebKit unless it reports 8. */
  readonly threads?: number;
}

/** Options and callbacks of one run. */
export interface DiarizeOptions {
  /**
   * Aborts the run at any stage, also while it is queued. The promise rejects with code `cancelled` and the signal's
   * `reason` as `cause`.
   */
  readonly signal?: AbortSignal;
  /** Called with the progress of each stage; not called while the run is queued. */
  readonly onProgress?: (progress: Progress) => void;
  /**
   * Receives the artifacts of all stages. Slower than `onProgress`; meant for capture and debugging. If a faulty GPU
   * makes the run restart, `completed` drops and the artifacts start again at the first window.
   */
  readonly hook?: StageHook;
  /**
   * Called with provisional results during the run, each time the analyzed part has grown by half. The final result can
   * differ, including its speakers.
   */
  readonly onPreview?: (preview: Preview) => void;
  /**
   * Return the outputs of the models with the result, for {@link Reclusterer}: 45 MB for three hours. Default false.
   */
  readonly keepVoices?: boolean;
  /** Exact number of speakers, 1 to 255. Excludes `minSpeakers` and `maxSpeakers`. */
  readonly speakers?: number;
  /** Minimum number of speakers, 1 to 255. Default 1. */
  readonly minSpeakers?: number;
  /** Maximum number of speakers, 1 to 255. Default: no limit. */
  readonly maxSpeakers?: number;
  /**
   * Minimum length of a turn in seconds, 0 to 60; shorter turns are removed. pyannote's `min_duration_on`. Default: set
   * by the preset; see docs/presets.md.
   */
  readonly minDurationOn?: number;
  /**
   * Minimum gap between two turns of a speaker in seconds, 0 to 60; shorter gaps are filled, before short turns are
   * removed. pyannote's `min_duration_off`. Default: set by the preset.
   */
  readonly minDurationOff?: number;
  /**
   * How the preset `nemotron` splits the recording into chunks. `offline`, the default, is fast and decides after 30 s.
   * `low_latency`, `very_low_latency` and `ultra_low_latency` have the decisions of a model with a latency of 1.04, 0.64 and
   * 0.32 s, with far more computation. An error with other presets.
   */
  readonly streamingMode?: StreamMode;
  /** Start of the analyzed segment in seconds. Default 0. Turn times stay relative to the whole recording. */
  readonly startSeconds?: number;
  /** Length of the analyzed segment in seconds. Default: to the end. A stream is not read beyond it. */
  readonly durationSeconds?: number;
  /**
   * Sample rate in Hz, 1,000 to 768,000. Required for samples; rejected for files, which have their own rate.
   */
  readonly sampleRate?: number;
  /**
   * Audio track of a file, counted from 1. Default: the track marked as default in the file, or the first. Rejected for
   * samples.
   */
  readonly track?: number;
}
