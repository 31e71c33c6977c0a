import type { RecordingNote } from '../audio/notes';
import type { AudioTrack } from '../audio/types';
import type { Dendrogram } from '../clustering/dendrogram';
import type { ModelCheck } from '../compare/modelCheck';
import type { GpuCountsByStage } from '../gpu/meter';
import type { TimeGeometry } from '../segmentation/geometry';
import type { MinDurations } from '../timeline/minDurations';
import type { Turn } from '../timeline/turns';
import type { ClusteringName, ClusteringSettings, PresetId, Speed } from './settings';
import type { SpeakerCount } from './speakerCount';
import type { StageName, StageHook } from './stages';

export type { CountScore } from '../clustering/localSpeakers';

/**
 * What the models heard of one recording: enough to cluster it again with another number of speakers, without the
 * recording or the models. Plain data that `structuredClone` and IndexedDB take as it is; 45 MB for three hours.
 *
 * Made by {@link Diarizer.diarize} with `keepVoices`, for {@link Reclusterer.create}.
 */
export interface KeptVoices {
  /** Of this form; another one is not read. */
  readonly version: 1;
  /** The preset of the run. */
  readonly preset: PresetId;
  /** The speed of the run. */
  readonly speed: Speed;
  /** The segmentation model that ran. */
  readonly segmentation: KeptModel;
  /** The embedding model that ran. */
  readonly embedding: KeptModel;
  /** Where the first window starts in the recording. */
  readonly startSeconds: number;
  /** Local speakers of a window. */
  readonly numSpeakers: number;
  /** Size of one embedding. */
  readonly dimension: number;
  /** Where windows and frames lie, in seconds from the start of the first window. */
  readonly geometry: TimeGeometry;
  /** Frames that must be a speaker's alone for them to stand for the speaker. */
  readonly minCleanFrames: number;
  /** How local speakers become people, but for their number. */
  readonly clustering: ClusteringSettings;
  /** Shortest turns and gaps of the run; absent in what earlier releases kept, which had none. */
  readonly minDurations?: MinDurations;
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array<ArrayBuffer>;
  /** Axes (window, local speaker, dimension), float32; NaN where there was too little speech, or it was not embedded. */
  readonly embeddings: Float32Array<ArrayBuffer>;
  /** Axes (window), 1 where the window went through the embedding model. */
  readonly embedded: Uint8Array<ArrayBuffer>;
  /** The linkage of the run, which takes long of a long recording; null where there was nothing to link. */
  readonly dendrogram: Dendrogram | null;
}

/** A model's file. */
export interface KeptModel {
  /** As the manifest calls the model. */
  readonly id: string;
  /** Of the file, 64 lower-case hex digits. */
  readonly sha256: string;
}

export type { ModelCheck, StageCheck } from '../compare/modelCheck';
export type { AudioTrack } from '../audio/types';
export type { RecordingNote, RecordingNoteCode } from '../audio/notes';
export type { GpuCounts, GpuCountsByStage } from '../gpu/meter';
export type { Turn } from '../timeline/turns';
export type { ClusteringName, PresetId, Speed } from './settings';

/** One voice of the recording. */
export interface Speaker {
  /** `SPEAKER_00`, `SPEAKER_01` … in the order of the clusters, as pyannote.audio names them. */
  readonly label: string;
  /** Mean embedding of the speaker's cluster, axes (embedding), float32; zeros where a speaker has none. */
  readonly centroid: Float32Array;
  /** SHA-256 of the model that the centroid is of: it can be compared with those of the same model only. */
  readonly embeddingModel: string;
  /** Sum of the lengths of the speaker's turns. */
  readonly speechSeconds: number;
}

/** A model's file that a result comes from. */
export interface UsedModel {
  /** `plda` is what VBx compares the embeddings with. */
  readonly stage: 'segmentation' | 'embedding' | 'plda';
  /** As the manifest calls the model. */
  readonly id: string;
  /** SHA-256 of the file, as it was checked when it was loaded. */
  readonly sha256: string;
}

/** Where the models run. `auto` takes the fastest that is known to work here. */
export type BackendChoice = 'auto' | 'webgpu' | 'wasm';

/** The backend that ran, and why that one. */
export interface BackendReport {
  /** Where the models ran. */
  readonly name: 'webgpu' | 'wasm';
  /** Name of the GPU adapter, as the browser gives it; null on WASM. */
  readonly adapter: string | null;
  /** Processor cores that WASM is given, in as many workers or threads; 0 on WebGPU. */
  readonly threads: number;
  /** One sentence for people: why this backend was taken. */
  readonly reason: string;
  /**
   * How well each backend that was tried reproduced the golden outputs, and a GPU also the results of WASM: one entry for each
   * model and `backend`, in the order of the checks. Those of the backend that ran come last. Before them are those of one that
   * failed and was not used: a GPU, or our kernels on WASM. On WASM, models without golden outputs are not checked; null if
   * nothing was.
   */
  readonly selfCheck: readonly ModelCheck[] | null;
}

/** What {@link Diarizer.diarize} gives. */
export interface DiarizationResult {
  /** Length of the audio that was analyzed, in seconds. */
  readonly durationSeconds: number;
  /** Sorted by start, then end. Turns of different speakers may overlap. */
  readonly turns: readonly Turn[];
  /**
   * What the turns' `confidence` is: VBx's posterior probability of the speaker, or by how much the cosine similarity to
   * the speaker exceeds the one to the next. The two are not to be compared.
   */
  readonly confidenceKind: 'posterior' | 'margin';
  /** The same with one speaker at a time at most, for the alignment of transcripts. */
  readonly exclusiveTurns: readonly Turn[];
  /** Those with a turn, in the order of their labels. */
  readonly speakers: readonly Speaker[];
  /** How many there are, with other likely numbers, and whether the bounds were met. */
  readonly speakerCount: SpeakerCount;
  /** Seconds of work in each stage, measured where the work runs. Stages overlap, so the sum can exceed the wall time. */
  readonly timings: Readonly<Partial<Record<StageName, number>>>;
  /** Where the models ran, and why there. */
  readonly backend: BackendReport;
  /** The preset that was taken. */
  readonly preset: PresetId;
  /** The speed that was asked for. */
  readonly speed: Speed;
  /** The clustering settings that were asked for. */
  readonly clustering: ClusteringName;
  /** Shortest turn in seconds that was kept. */
  readonly minDurationOn: number;
  /** Shortest gap within a speaker's turns in seconds that was not filled. */
  readonly minDurationOff: number;
  /** SHA-256 of the embedding model's file. Centroids of another one cannot be compared with these. */
  readonly embeddingModel: string;
  /** Every model's file that took part, in the order of the work; a PLDA only where the preset has one. */
  readonly models: readonly UsedModel[];
  /**
   * Note about the embedding model's file: it could not be stored, or its hash is unknown and it was used because the user
   * trusts it. Null if there is none.
   */
  readonly modelNote: string | null;
  /** What each stage asked of the GPU in this run; null on WASM. */
  readonly gpu: GpuCountsByStage | null;
  /** The file's audio tracks, with a mark for the one that was read. Empty for WAV, samples, and files that the page's decoder reads. */
  readonly tracks: readonly AudioTrack[];
  /** What was repaired, skipped or left out while the recording was read; empty if nothing was. */
  readonly notes: readonly RecordingNote[];
  /** What the models heard, to cluster it again; absent without {@link DiarizeOptions.keepVoices}. */
  readonly voices?: KeptVoices;
}

/** Who spoke when in the part of a recording that is done. */
export interface Preview {
  /** The part, from its start. */
  readonly analyzedSeconds: number;
  /** Sorted by start, then end; labels may mean other people in the next preview. */
  readonly turns: readonly Turn[];
}

/** Progress of a run, for a person to read. */
export interface Progress {
  /** The stage that this is about: stages run beside each other. */
  readonly stage: StageName;
  /** Units of this stage that are done, such as windows. */
  readonly completed: number;
  /** Units of this stage in all; an estimate until decoding has reached the end, and of a stream what is known so far. */
  readonly total: number;
  /** Expected seconds until this stage is done; null until enough has run to tell. */
  readonly secondsLeft: number | null;
  /** The source is a stream of samples that has not ended: nobody knows how much is to come. Absent otherwise. */
  readonly openEnded?: true;
}

/** How far the download of a model is. */
export interface ModelDownload {
  /** Id of the model. */
  readonly model: string;
  /** Bytes that have arrived. */
  readonly receivedBytes: number;
  /** Bytes of the whole file. */
  readonly totalBytes: number;
}

/** How a diarizer is made: which models, where they are, where they run. */
export interface DiarizerOptions {
  /**
   * Which models, with the settings that belong to them. `auto`, the default, takes `community-1` where its model is
   * stored here, and otherwise `campplus`, which is bundled; it never downloads. `exact` and `fast` are `auto` with that
   * {@link DiarizerOptions.speed}.
   */
  readonly preset?: PresetId | 'auto' | Speed;
  /**
   * `exact`, the default, embeds the speakers of every window. `fast` runs the embedding model on every fifth window (CAM++) or
   * tenth (ResNet34); docs/presets.md has what that saves and what it costs.
   */
  readonly speed?: Speed;
  /**
   * Which clustering settings: `preset`, the default, takes those that fit the preset's models; `pyannote-3.1` takes those
   * of pyannote's speaker-diarization-3.1, without minimum durations, for comparisons with it.
   */
  readonly clustering?: ClusteringName;
  /**
   * Seconds after a run until the workers are ended, which gives their memory back; the next run starts them again.
   * Default 60; `Infinity` keeps them until {@link Diarizer.dispose}.
   */
  readonly idleSeconds?: number;
  /**
   * Address of a model hub in place of the public one; null where all models are self-hosted under `models`, each as
   * `<model id>/<file>`. Asked only for a preset that is not bundled.
   */
  readonly hub?: string | URL | null;
  /** File of the preset's embedding model that the user brought, in place of a download. */
  readonly modelFile?: Blob;
  /**
   * Accept a `modelFile` of unknown hash if it passes the checks of shape and health, and in later visits its stored copy.
   * `result.modelNote` names it each time. Default false: neither is used.
   */
  readonly trustUnknownModel?: boolean;
  /** Hears of the download of a model that is not bundled. */
  readonly onDownload?: (progress: ModelDownload) => void;
  /** Address under which `<model id>/manifest.json` is found. Default: `models/` beside the page. */
  readonly models?: string | URL;
  /** Address of the ONNX Runtime files. Default: `ort/` beside the page. */
  readonly runtime?: string | URL;
  /**
   * Address of the golden outputs that a GPU, and the kernels on WASM, must reproduce. Default: `goldens/` beside the page.
   * Without them, a GPU is not used, and WASM runs unchecked.
   */
  readonly goldens?: string | URL;
  /**
   * Default `auto`. With `webgpu`, the error `backend-unavailable` is thrown if no adapter can run the models. If an adapter fails
   * or its results are wrong, WASM is used.
   */
  readonly backend?: BackendChoice;
  /** Use the GPU without its self-check. Default false. The self-check on WASM takes place all the same. */
  readonly trustGpu?: boolean;
  /** Windows that the models take at a time, 1 to 32. Default: measured on a GPU (1 with `trustGpu`), 4 on WASM. */
  readonly batchWindows?: number;
  /** Processor cores to use on WASM, 1 to 64. Default: the machine's, at most 8; 3 in WebKit where it reports 4. */
  readonly threads?: number;
}

/** What one recording is asked for, and who hears of it. */
export interface DiarizeOptions {
  /**
   * Stops the work at once, in whatever stage it is, also while it waits for its turn. The promise rejects with code
   * `cancelled`, and with the signal's `reason` as the error's `cause`.
   */
  readonly signal?: AbortSignal;
  /** Hears how far each stage is; not called while the run waits for those before it. */
  readonly onProgress?: (progress: Progress) => void;
  /**
   * Receives every stage's artifacts; slower than `onProgress`, meant for capture and debugging. Where a faulty GPU makes
   * the run start anew, `completed` falls back and the artifacts come again from the first window.
   */
  readonly hook?: StageHook;
  /**
   * Hears of what is known while the run goes on: provisional, each time half as much again is done. The final result
   * can differ, in its speakers too.
   */
  readonly onPreview?: (preview: Preview) => void;
  /** Hand what the models heard over with the result, for {@link Reclusterer}: 45 MB for three hours. Default false. */
  readonly keepVoices?: boolean;
  /** Exact number of speakers, 1 to 255. Excludes `minSpeakers` and `maxSpeakers`. */
  readonly speakers?: number;
  /** Least number of speakers, 1 to 255. Default 1. */
  readonly minSpeakers?: number;
  /** Greatest number of speakers, 1 to 255. Default: any. */
  readonly maxSpeakers?: number;
  /**
   * Shortest turn in seconds, 0 to 60: shorter ones are removed. pyannote's `min_duration_on`. Default: that of the preset;
   * docs/presets.md lists them.
   */
  readonly minDurationOn?: number;
  /**
   * Shortest gap between two turns of one speaker in seconds, 0 to 60: shorter ones are filled, before short turns are
   * removed. pyannote's `min_duration_off`. Default: that of the preset.
   */
  readonly minDurationOff?: number;
  /** Where the analyzed segment starts, in seconds. Default 0. Turn times stay relative to the whole recording. */
  readonly startSeconds?: number;
  /** Length of the analyzed segment, in seconds. Default: to the end. A stream is not read beyond it. */
  readonly durationSeconds?: number;
  /**
   * Rate of raw samples in Hz, 1,000 to 768,000. Required for samples. Refused for files, which give their own rate.
   */
  readonly sampleRate?: number;
  /** Number of the audio track of a file, from 1. Default: the track that the file marks, or the first. Refused for samples. */
  readonly track?: number;
}
