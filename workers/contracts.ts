/**
 * What the page may ask of each worker. Only data that `postMessage` can carry crosses here. What comes back moves;
 * what is sent to a model is copied, so that it can be sent again after a lost device.
 */
import type { RecordingNote } from '../src/audio/notes';
import type { AudioInfo, DecodeOptions, DecoderPlace } from '../src/audio/types';
import type { WindowBatch } from '../src/audio/windows';
import type { LinkConstraints } from '../src/clustering/constraints';
import type { Dendrogram } from '../src/clustering/dendrogram';
import type { SpeakerBounds } from '../src/clustering/localSpeakers';
import type { CompareChoices, ComparisonSettings, PrecisionChoices } from '../src/compare/comparison';
import type { LayerRequest } from '../src/compare/layer';
import type { ListedValue } from '../src/compare/matchValues';
import type { Opened } from '../src/compare/openModel';
import type { Pair, StagePicture } from '../src/compare/picture';
import type { PrecisionHead, PrecisionReport, PrecisionRow } from '../src/compare/precisionReport';
import type { ModelCheck } from '../src/compare/modelCheck';
import type {
  AuditReport,
  BackendName,
  BetweenReport,
  BisectReport,
  ComparisonReport,
  RuntimeBackend,
} from '../src/compare/report';
import type { NamedTensor } from '../src/compare/tensor';
import type { GpuCountsByStage } from '../src/gpu/meter';
import type { EmbeddingManifest, SegmentationManifest } from '../src/store/manifest';
import type { Assembly, AssemblyOptions } from '../src/timeline/assembler';
import type { MinDurations } from '../src/timeline/minDurations';
import type { FileBase } from '../src/util/fileBase';

/** Sound as it reaches the decoding worker. */
export type DecodeSource =
  | { readonly kind: 'file'; readonly blob: Blob }
  /** Mono. */
  | { readonly kind: 'samples'; readonly samples: Float32Array; readonly sampleRate: number }
  /** Mono samples that are asked for through the port, as feedPort.ts does. */
  | { readonly kind: 'stream'; readonly port: MessagePort; readonly sampleRate: number }
  /** Planar channels that the page decoded itself, with its notes. */
  | {
      readonly kind: 'channels';
      readonly channels: Float32Array[];
      readonly sampleRate: number;
      readonly notes: readonly RecordingNote[];
    };

export interface WindowOptions {
  readonly windowSamples: number;
  readonly hopSamples: number;
}

/** What {@link DecodeWorkerApi.next} gives. */
export interface DecodedBatch extends WindowBatch {
  /** Samples of the recording that are decoded so far. */
  readonly decodedSamples: number;
  /** Seconds of work that this batch took. */
  readonly seconds: number;
}

export interface DecodeWorkerApi {
  /** Whether this file may need `decodeAudioData`, which only the page has. */
  decoderFor(blob: Blob, track?: number): Promise<DecoderPlace>;
  open(source: DecodeSource, options: DecodeOptions, windows: WindowOptions): Promise<AudioInfo>;
  /** The next up to `count` windows; null after the last. */
  next(count: number): Promise<DecodedBatch | null>;
  /** What was repaired, skipped or left out in the recording that was opened last; complete after its last window. */
  notes(): readonly RecordingNote[];
  close(): void;
}

export interface LoadRequest {
  readonly modelId: string;
  readonly modelsBase: FileBase;
  readonly runtimeBase: FileBase;
  readonly backend: 'webgpu' | 'wasm';
  readonly threads: number;
  /** Address of the hub for models that are not bundled; null where none is asked. */
  readonly hub: string | null;
  /** A file that the user brought, in place of a download. */
  readonly modelFile: Blob | undefined;
  readonly trustUnknownModel: boolean;
  /** On WASM, whether our kernels compute the graphs that they know. ONNX Runtime computes all graphs if false. */
  readonly ownKernels: boolean;
}

/** Hears of a download. Crosses to the worker as a proxy. */
export type OnDownload = (progress: { readonly receivedBytes: number; readonly totalBytes: number }) => void;

export interface LoadReply<Manifest> {
  readonly manifest: Manifest;
  /** GPU adapter that the model runs on; null on WASM. */
  readonly adapter: string | null;
  /** Of the file that runs. */
  readonly sha256: string;
  /** What the user should know of it; null where there is nothing. */
  readonly note: string | null;
  /** Whether this release has golden outputs of the file. */
  readonly hasGoldens: boolean;
}

/** What the workers of models have in common. */
export interface ModelWorkerApi<Manifest> {
  load(request: LoadRequest, onDownload: OnDownload | null): Promise<LoadReply<Manifest>>;
  /** Runs the model's golden input and compares each stage. A GPU without golden outputs of the file is compared with WASM on a short sound. */
  selfCheck(goldensBase: FileBase): Promise<ModelCheck>;
  /** What each stage has asked of the GPU since the worker started; empty on WASM. */
  gpuCounts(): Promise<GpuCountsByStage>;
}

export interface SegmentationReply {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  readonly seconds: number;
}

export interface SegmentationWorkerApi extends ModelWorkerApi<SegmentationManifest> {
  /** @param windows axes (window, sample) */
  segment(windows: Float32Array): Promise<SegmentationReply>;
  /** Compares a batch of `numWindows` windows on the GPU with the same file on WASM. */
  selfCheckWindows(numWindows: number): Promise<ModelCheck>;
  /** Seconds that a batch of `numWindows` windows takes, warmed up. */
  timeBatch(numWindows: number): Promise<number>;
}

export interface EmbedSizes {
  readonly numWindows: number;
  /** Local speakers of a window. */
  readonly numSpeakers: number;
}

export interface EmbeddingReply {
  /** Axes (window, local speaker, dimension), float32; NaN where there was too little speech. */
  readonly embeddings: Float32Array;
  readonly fbankSeconds: number;
  readonly embeddingSeconds: number;
}

export interface EmbeddingWorkerApi extends ModelWorkerApi<EmbeddingManifest> {
  /**
   * @param windows axes (window, sample)
   * @param activity axes (window, frame, local speaker)
   */
  embed(windows: Float32Array, activity: Uint8Array, sizes: EmbedSizes): Promise<EmbeddingReply>;
  /** Compares a whole window and a batch of windows on the GPU with the same file on WASM. */
  selfCheckWindows(sizes: { readonly windowSamples: number; readonly numWindows: number }): Promise<ModelCheck>;
}

/** What the models gave of consecutive windows. */
export interface LocalResults {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /** Axes (window, local speaker, dimension), float32; NaN where there was too little speech, or it was not embedded. */
  readonly embeddings: Float32Array;
  /** Axes (window), 1 where the window went through the embedding model. */
  readonly embedded: Uint8Array;
}

/** What a clustering worker holds of a recording, when it gives it away. */
export interface HeldResults extends LocalResults {
  readonly activity: Uint8Array<ArrayBuffer>;
  readonly embeddings: Float32Array<ArrayBuffer>;
  readonly embedded: Uint8Array<ArrayBuffer>;
  /** The linkage of the last assembly; null where there was none, or nothing to link. */
  readonly dendrogram: Dendrogram | null;
}

/** Who spoke when by another number of speakers: what a page shows of an {@link Assembly}. */
export interface Reassembly extends Pick<Assembly, 'turns' | 'exclusiveTurns' | 'centroids' | 'confidenceKind' | 'counts' | 'constraintClusters'> {
  readonly seconds: number;
}

/** Holds what the models gave of a recording, so that the page thread need not. */
export interface ClusteringWorkerApi {
  /** Loads the PLDA that VBx wants. */
  load(pldaId: string, modelsBase: FileBase): Promise<void>;
  /** A new recording: what is held is dropped. */
  begin(): void;
  append(results: LocalResults): void;
  /** Who spoke when in what was appended so far; null where nobody spoke. */
  assemble(facts: AssemblyOptions): Assembly | null;
  /** Gives what was appended away: it moves, and nothing is held any more. */
  take(): HeldResults;
  /** Gets what was appended ready for {@link reassemble}, which is quick then; `known` is its linkage, where it was made. */
  prepare(facts: AssemblyOptions, known: Dendrogram | null): void;
  /**
   * Does a piece of what {@link reassemble} would take long for: for when there is time.
   *
   * @returns whether there is more to do
   */
  anticipate(): boolean;
  /**
   * Who spoke when in what was prepared; null where nobody spoke.
   *
   * @param constraints seconds from the start of the first window
   */
  reassemble(bounds: SpeakerBounds, constraints: LinkConstraints, minDurations: MinDurations): Reassembly | null;
}

/** Called for each step of a long call. Crosses to the worker as a proxy. */
export type OnProgress = (progress: { readonly step: string; readonly completed: number; readonly total: number }) => void;

/** Called for each node whose weights were rounded. */
export type OnPrecisionRow = (row: PrecisionRow, head: PrecisionHead) => void;

/** One graph with its goldens. Send one computing call at a time: the runtime runs one session at once. */
export interface CompareWorkerApi {
  setUp(settings: ComparisonSettings): void;
  open(files: readonly { readonly name: string; readonly blob: Blob }[]): Promise<Opened>;
  openShipped(id: string): Promise<Opened>;
  mapStage(stage: string, value: string): Promise<Opened>;
  compare(backend: BackendName, choices: CompareChoices, onProgress: OnProgress | null): Promise<ComparisonReport>;
  between(): Promise<BetweenReport[]>;
  picture(stage: string, pair: Pair, column?: number): Promise<StagePicture>;
  audit(onProgress: OnProgress | null): Promise<AuditReport>;
  list(onProgress: OnProgress | null): Promise<ListedValue[]>;
  precision(backend: RuntimeBackend, choices: PrecisionChoices, onRow: OnPrecisionRow | null, onProgress: OnProgress | null): Promise<PrecisionReport>;
  bisect(tolerance: number | undefined, onProgress: OnProgress | null): Promise<BisectReport>;
  bugReport(): Promise<Uint8Array>;
  layer(request: LayerRequest, backend: RuntimeBackend): Promise<NamedTensor>;
  environment(): Promise<Record<string, string>>;
  /** Ends the call under way at its next step; what earlier calls gave is kept. */
  cancel(): void;
}

/** Sound as it reaches the worker that reads peaks. */
export type PeaksSource =
  | { readonly kind: 'file'; readonly blob: Blob; readonly track: number | undefined }
  /** Planar channels that the page decoded itself. */
  | { readonly kind: 'channels'; readonly channels: Float32Array[]; readonly sampleRate: number };

/** What the page may ask of the worker that reads peaks. */
export interface PeaksWorkerApi {
  /** Rejects with `audio-unsupported` for a file that only the page can decode. */
  open(source: PeaksSource): Promise<void>;
  /** The next peaks, axes (peak, [lowest, highest]), as in `Peaks`; null after the last. What comes back moves. */
  next(): Promise<Int16Array | null>;
}
