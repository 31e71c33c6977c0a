import type { TimeGeometry } from '../timeline/geometry';
import type { KeptModel } from './keptVoices';
import type { BackendReport, ClusteringName, DiarizeOptions, DiarizerOptions, PresetId, Speaker, SpeakerCount, Turn } from './types';

/** A tensor with named axes, row-major (the last axis runs fastest): a stage's values, as the hook's `Artifact` has them. */
export interface StageTensor<
  Axes extends readonly string[],
  Data extends Float32Array | Float64Array | Int32Array | Uint8Array,
> {
  /** Name of each axis, slowest first. */
  readonly axes: Axes;
  /** Size of each axis, in the order of `axes`. */
  readonly shape: { readonly [Axis in keyof Axes]: number };
  /** All values: as many as the sizes multiply to. */
  readonly data: Data;
}

/** What the stages that run models take: which models, where they are, where they run. */
export interface StageOptions extends Pick<
  DiarizerOptions,
  'backend' | 'goldens' | 'hub' | 'idleSeconds' | 'modelFile' | 'models' | 'runtime' | 'threads' | 'trustUnknownModel'
> {
  /** Which models, as `DiarizerOptions.preset`; a speed is none, because stages compute every window. Default `auto`. */
  readonly preset?: PresetId | 'auto';
  /** Stops the work at once. The promise rejects with code `cancelled`. */
  readonly signal?: AbortSignal;
}

/** What {@link fbank} takes: of a preset, only its manifest is read. */
export type FbankStageOptions = Pick<StageOptions, 'models' | 'preset' | 'signal'>;

/** What {@link cluster} takes. The preset is that of the embeddings. */
export interface ClusterOptions extends Pick<DiarizeOptions, 'maxSpeakers' | 'minSpeakers' | 'speakers' | 'minDurationOn' | 'minDurationOff'> {
  /** Which clustering settings, as `DiarizerOptions.clustering`. Default `preset`. */
  readonly clustering?: ClusteringName;
  /** Address under which `<model id>/manifest.json` is found, for the preset that wants a PLDA. Default as `DiarizerOptions.models`. */
  readonly models?: string | URL;
  /** Ends the worker at once. The promise rejects with code `cancelled`. */
  readonly signal?: AbortSignal;
}

/** Mel filterbank features of a recording: natural logarithm of power, float32. */
export interface FbankFeatures extends StageTensor<readonly ['frame', 'mel'], Float32Array> {
  /** Id of the embedding model whose options were taken. */
  readonly model: string;
  /** Of the samples, in hertz. */
  readonly sampleRate: number;
  /** Length of a frame, in samples. Frame `f` is of samples `[f * hopSamples, f * hopSamples + frameSamples)`. */
  readonly frameSamples: number;
  /** From the start of one frame to the start of the next, in samples. */
  readonly hopSamples: number;
}

/**
 * Who talks when in each window of a recording, 0 or 1. Speakers are local: speaker 1 of one window may be speaker 3 of the
 * next. Plain data, which `structuredClone` and IndexedDB take as it is.
 */
export interface Segmentation extends StageTensor<readonly ['window', 'frame', 'speaker'], Uint8Array> {
  /** The segmentation model's file. */
  readonly model: KeptModel;
  /** Where the model ran, and why there. */
  readonly backend: BackendReport;
  /** Samples of the recording. */
  readonly numSamples: number;
  /** Of the samples, in hertz. */
  readonly sampleRate: number;
  /** Length of a window, in samples: window `w` is of those from `w * hopSamples` on. Zeros are added to the last one. */
  readonly windowSamples: number;
  /** From the start of one window to the start of the next, in samples. */
  readonly hopSamples: number;
  /** Where windows and frames lie, in seconds. */
  readonly geometry: TimeGeometry;
}

/**
 * The voice of each local speaker of each window, float32; NaN in every place where there was too little speech. Plain
 * data, which `structuredClone` and IndexedDB take as it is.
 */
export interface VoiceEmbeddings extends StageTensor<readonly ['window', 'speaker', 'dimension'], Float32Array> {
  /** The preset whose embedding model ran: {@link cluster} takes its settings. */
  readonly preset: PresetId;
  /** The embedding model's file. */
  readonly model: KeptModel;
  /** Where the model ran, and why there. */
  readonly backend: BackendReport;
  /** The file of the model that found the local speakers. */
  readonly segmentationModel: KeptModel;
  /** Frames of the segmentation that must be a speaker's alone for only them to be embedded, else all of the speaker's are. */
  readonly minCleanFrames: number;
}

/** Who is who over all windows, and who spoke when: what {@link cluster} gives. */
export interface VoiceClusters {
  /** Cluster of each local speaker, from 0; -2 where the speaker is silent in the window. */
  readonly hardClusters: StageTensor<readonly ['window', 'speaker'], Int32Array>;
  /** Mean of the embeddings that took part in each cluster; NaN where none did. */
  readonly centroids: StageTensor<readonly ['cluster', 'dimension'], Float64Array>;
  /** Axes (cluster): label of the speaker that the cluster became, such as `SPEAKER_00`; null where it has no turn. */
  readonly labels: readonly (string | null)[];
  /** Sorted by start, then end, in seconds from the first sample. Turns of different speakers may overlap. */
  readonly turns: readonly Turn[];
  /** The same with one speaker at a time at most. */
  readonly exclusiveTurns: readonly Turn[];
  /** Those with a turn, in the order of their labels. */
  readonly speakers: readonly Speaker[];
  /** How many there are, with other likely numbers, and whether the bounds were met. */
  readonly speakerCount: SpeakerCount;
  /** What the turns' `confidence` is: VBx's posterior probability, or a margin between cosine similarities. */
  readonly confidenceKind: 'margin' | 'posterior';
}
