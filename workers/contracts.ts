/**
 * The calls that the page may make to each worker. Only data that `postMessage` can carry crosses here. Results are
 * transferred. Input for a model is copied, so it can be sent again after a lost device.
 */
import type { RecordingNote } from '../src/audio/notes';
import type { AudioFile, AudioInfo, DecodedFile, DecodeOptions, DecoderPlace } from '../src/audio/types';
import type { WindowBatch, WindowGeometry } from '../src/audio/windows';
import type { LinkConstraints } from '../src/clustering/constraints';
import type { Dendrogram } from '../src/clustering/dendrogram';
import type { SpeakerBounds } from '../src/clustering/localSpeakers';
import type { CompareChoices, ComparisonSettings, PrecisionChoices } from '../src/compare/comparison';
import type { LayerChoice } from '../src/compare/layer';
import type { ListedValue } from '../src/compare/matchValues';
import type { Opened } from '../src/compare/describeOpened';
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
import type { ToleranceOverride } from '../src/compare/stageTolerance';
import type { WeightsForm } from '../src/weights/convert';
import type { StepsReport } from '../src/compare/steps/stepsReport';
import type { NamedTensor } from '../src/compare/tensor';
import type { Core } from '../src/embedding/core';
import type { Arithmetic } from '../src/nn/kernels';
import type { StreamLogits } from '../src/sortformer/chunkLoop';
import type { DiarizationFacts } from '../src/store/loadDiarization';
import type { EmbeddingManifest, SegmentationManifest } from '../src/store/manifest';
import type { StreamMode } from '../src/store/streamModes';
import type { Assembly, AssemblyOptions } from '../src/timeline/assembler';
import type { MinDurations } from '../src/timeline/minDurations';
import type { FileBase } from '../src/util/fileBase';

/** Audio input of the decode worker. */
export type DecodeSource =
  | AudioFile
  /** Mono. */
  | { readonly kind: 'samples'; readonly samples: Float32Array; readonly sampleRate: number }
  /** Mono samples requested through the port of `serveFeed` in protocol.ts. */
  | { readonly kind: 'stream'; readonly port: MessagePort; readonly sampleRate: number }
  /** A file that another decoder has decoded. */
  | DecodedFile['source'];

/** Decodes a file once more, with another decoder, if WebCodecs fails. Null if none reads it. */
export type SecondDecoder = () => Promise<DecodedFile['source'] | null>;

interface DecodeProgress {
  /** Samples of the recording decoded so far. */
  readonly decodedSamples: number;
  /** Compute time of this batch in seconds. */
  readonly seconds: number;
}

/** Result of {@link DecodeWorkerApi.next}. */
export interface DecodedBatch extends WindowBatch, DecodeProgress {}

/** Result of {@link DecodeWorkerApi.nextSamples}. */
export interface DecodedSamples extends DecodeProgress {
  /** Axes (sample), float32. */
  readonly samples: Float32Array;
}

export interface DecodeWorkerApi {
  /** Whether this file may need `decodeAudioData`, which only the page has. */
  decoderFor(file: AudioFile, track?: number): Promise<DecoderPlace>;
  /**
   * @param windows of {@link next}; null for {@link nextSamples}
   * @param second port of a {@link SecondDecoder}; null if there is no other decoder for this source
   */
  open(source: DecodeSource, options: DecodeOptions, windows: WindowGeometry | null, second: MessagePort | null): Promise<AudioInfo>;
  /** Up to `count` further windows; null after the last. */
  next(count: number): Promise<DecodedBatch | null>;
  /** The next `count` samples as soon as they are decoded, or fewer at the end; null after the last. */
  nextSamples(count: number): Promise<DecodedSamples | null>;
  /** What was repaired, skipped or left out in the last opened recording; complete after its last window or {@link decodeAll}. */
  notes(): readonly RecordingNote[];
  close(): void;
  /** Decodes the whole recording, or the selected segment: mono, axes (sample). The array is transferred. */
  decodeAll(source: DecodeSource, options: DecodeOptions): Promise<Float32Array>;
  /**
   * Opens a recording for {@link nextPeaks}, independent of {@link open}. Rejects with `audio-unsupported` if only the
   * page can decode the file.
   */
  openPeaks(source: DecodeSource, track: number | undefined): Promise<void>;
  /** The next peaks, axes (peak, [lowest, highest]), as in `Peaks`; null after the last. The array is transferred. */
  nextPeaks(): Promise<Int16Array | null>;
}

export interface LoadRequest {
  readonly modelId: string;
  readonly modelsBase: FileBase;
  readonly runtimeBase: FileBase;
  readonly backend: 'webgpu' | 'wasm';
  readonly threads: number;
  /** Address of the hub for models that are not bundled; null to use none. */
  readonly hub: string | null;
  /** A file from the user instead of a download; in Node also its absolute path. */
  readonly modelFile: Blob | string | undefined;
  /** Name of `modelFile`, if it has one. In Node 20, a File arrives in a thread as a Blob without a name. */
  readonly modelName: string | undefined;
  readonly trustUnknownModel: boolean;
  /** Whether our kernels compute the supported graphs. If false, ONNX Runtime computes all graphs. */
  readonly ownKernels: boolean;
  /** How our kernels multiply on WASM. */
  readonly arithmetic: Arithmetic;
}

/** Called during a wait, a download and a conversion. Crosses to the worker as a proxy. */
export type OnDownload = (progress: { readonly step: 'wait' | 'download' | 'convert'; readonly receivedBytes: number; readonly totalBytes: number }) => void;

export interface LoadReply<Manifest> {
  readonly manifest: Manifest;
  /** GPU adapter of the model; null on WASM. */
  readonly adapter: string | null;
  /** Of the loaded file. */
  readonly sha256: string;
  /** A note for the user; null if there is none. */
  readonly note: string | null;
  /** Whether this release has golden outputs for the file. */
  readonly hasGoldens: boolean;
}

/** Calls that all model workers support. */
export interface ModelWorkerApi<Manifest> {
  load(request: LoadRequest, onDownload: OnDownload | null): Promise<LoadReply<Manifest>>;
  /**
   * Runs the model's golden input and compares each stage. On a GPU, a file without golden outputs is compared with
   * WASM on a short sound.
   */
  selfCheck(goldensBase: FileBase): Promise<ModelCheck>;
}

interface SegmentationReply {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  readonly seconds: number;
}

export interface SegmentationWorkerApi extends ModelWorkerApi<SegmentationManifest> {
  /** @param windows axes (window, sample) */
  segment(windows: Float32Array): Promise<SegmentationReply>;
  /** Compares a batch of `numWindows` windows on the GPU with the same file on WASM. */
  selfCheckWindows(numWindows: number): Promise<ModelCheck>;
  /** Seconds for a batch of `numWindows` windows, after warm-up. */
  timeBatch(numWindows: number): Promise<number>;
}

interface EmbedSizes {
  readonly numWindows: number;
  /** Local speakers of a window. */
  readonly numSpeakers: number;
  /** Axes (window): the frames of each window to embed; absent: all. */
  readonly cores?: readonly Core[];
}

interface EmbeddingReply {
  /** Axes (window, local speaker, dimension), float32; NaN if there was too little speech. */
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

/** What computes a model that does all of its stages in one worker: our kernels on WebGPU, or ONNX Runtime on WASM. */
export interface SortformerArithmetic extends Pick<LoadRequest, 'modelId' | 'modelsBase' | 'runtimeBase' | 'backend' | 'threads'> {
  /** Form of the weights: `float16` on WebGPU. */
  readonly form: WeightsForm;
}

/** A model that does all of its stages in one worker. */
export type SortformerRequest = SortformerArithmetic & Pick<LoadRequest, 'hub' | 'modelFile' | 'modelName' | 'trustUnknownModel'>;

export interface SortformerReply extends DiarizationFacts {
  /** Of the file with the weights, before any conversion. */
  readonly sha256: string;
  /** A note for the user; null if there is none. */
  readonly note: string | null;
}

/** Decided frames, in order. The array is transferred. */
interface DecidedReply extends StreamLogits {
  readonly seconds: number;
}

/** One streaming model with the state of one recording. */
export interface SortformerWorkerApi {
  /** Compares one layer with seeded weights with the reference. Needs no weights of the model, so it runs before they are loaded. */
  selfCheck(arithmetic: SortformerArithmetic): Promise<ModelCheck>;
  load(request: SortformerRequest, onDownload: OnDownload | null): Promise<SortformerReply>;
  /** Starts a recording, and drops the state of an earlier one. */
  begin(mode: StreamMode): void;
  /**
   * Accepts the next samples of the recording, of any number.
   *
   * @param samples mono, axes (sample), at the rate of the model
   */
  push(samples: Float32Array): Promise<DecidedReply>;
  /** Decides the remaining frames. */
  finish(): Promise<DecidedReply>;
}

/** Model outputs of consecutive windows. */
export interface LocalResults {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /**
   * Axes (window, local speaker, dimension), float32; NaN if there was too little speech or the speaker was not
   * embedded.
   */
  readonly embeddings: Float32Array;
  /** Axes (window), 1 if the embedding model ran on the window. */
  readonly embedded: Uint8Array;
  /** Axes (window, frame): the local speaker with the highest score; absent unless the local speakers of all windows are the same. */
  readonly strongest?: Uint8Array;
}

/** All data of a recording that a clustering worker transfers. */
interface HeldResults extends LocalResults {
  readonly activity: Uint8Array<ArrayBuffer>;
  readonly embeddings: Float32Array<ArrayBuffer>;
  readonly embedded: Uint8Array<ArrayBuffer>;
  readonly strongest?: Uint8Array<ArrayBuffer>;
  /** The linkage of the last assembly; null if there was no assembly or nothing to link. */
  readonly dendrogram: Dendrogram | null;
}

/** Turns for another number of speakers: the part of an {@link Assembly} that a page shows. */
interface Reassembly extends Pick<Assembly, 'turns' | 'exclusiveTurns' | 'centroids' | 'confidenceKind' | 'labelOrder' | 'counts' | 'constraintClusters'> {
  readonly seconds: number;
}

/** Stores the model outputs of a recording outside the page's thread. */
export interface ClusteringWorkerApi {
  /** Loads the PLDA for VBx. */
  load(pldaId: string, modelsBase: FileBase): Promise<void>;
  /** Starts a new recording and drops the stored data. */
  begin(): void;
  append(results: LocalResults): void;
  /** Assembles the turns from all data appended so far; null if there is no speech. */
  assemble(facts: AssemblyOptions): Assembly | null;
  /** Transfers the appended data. The worker keeps nothing. */
  take(): HeldResults;
  /** Prepares the appended data, so {@link reassemble} is fast. `known` is its linkage if it was computed. */
  prepare(facts: AssemblyOptions, known: Dendrogram | null): void;
  /**
   * Computes part of a later {@link reassemble} ahead of time. Call it while the page is idle.
   *
   * @returns whether there is more to compute
   */
  anticipate(): boolean;
  /**
   * Assembles the turns from the prepared data; null if there is no speech.
   *
   * @param constraints seconds from the start of the first window
   */
  reassemble(bounds: SpeakerBounds, constraints: LinkConstraints, minDurations: MinDurations): Reassembly | null;
}

/** Called for each step of a long call. Crosses to the worker as a proxy. */
export type OnProgress = (progress: { readonly step: string; readonly completed: number; readonly total: number }) => void;

/** Called for each node with rounded weights. */
type OnPrecisionRow = (row: PrecisionRow, head: PrecisionHead) => void;

/** One graph with its goldens. Send one computing call at a time, because the runtime runs one session at a time. */
export interface CompareWorkerApi {
  setUp(settings: ComparisonSettings): void;
  open(files: readonly { readonly name: string; readonly blob: Blob }[], form?: WeightsForm): Promise<Opened>;
  openShipped(id: string): Promise<Opened>;
  mapStage(stage: string, value: string): Promise<Opened>;
  compare(backend: BackendName, choices: CompareChoices, onProgress: OnProgress | null): Promise<ComparisonReport>;
  selectStep(index: number): Promise<Opened>;
  compareSteps(backend: RuntimeBackend, tolerance: ToleranceOverride | undefined, onProgress: OnProgress | null): Promise<StepsReport>;
  between(): Promise<BetweenReport[]>;
  picture(stage: string, pair: Pair, column?: number): Promise<StagePicture>;
  audit(onProgress: OnProgress | null): Promise<AuditReport>;
  list(onProgress: OnProgress | null): Promise<ListedValue[]>;
  precision(backend: RuntimeBackend, choices: PrecisionChoices, onRow: OnPrecisionRow | null, onProgress: OnProgress | null): Promise<PrecisionReport>;
  bisect(tolerance: number | undefined, onProgress: OnProgress | null): Promise<BisectReport>;
  bugReport(): Promise<Uint8Array>;
  layerSampleRate(choice: LayerChoice): Promise<number>;
  /** @param samples mono, axes (sample), at the rate of {@link layerSampleRate} */
  layer(choice: LayerChoice, samples: Float32Array, backend: RuntimeBackend): Promise<NamedTensor>;
  environment(): Promise<Record<string, string>>;
  /** Ends the current call at its next step. Results of earlier calls are kept. */
  cancel(): void;
}
