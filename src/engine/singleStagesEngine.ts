import type { TimeGeometry } from '../segmentation/geometry';
import { VoxlaneError } from '../util/errors';
import type { Engine } from './engine';
import { EngineLifetime } from './engineLifetime';
import { optionError } from './optionError';
import {
  askForTheSame,
  checkDiarizerNames,
  checkDiarizerOptions,
  type OwnDiarizerOptions,
  withFiles,
} from './options';
import { choosePreset } from './presets';
import { isWindowed, PRESETS } from './settings';
import type { SpeakerCount } from './speakerCount';
import type {
  BackendReport,
  ClusteringName,
  DiarizeOptions,
  DiarizerOptions,
  KeptModel,
  PresetId,
  Speaker,
  Turn,
} from './types';
import { baseAddress } from '../util/host';
import { type EngineSetup, windowedSource } from './windowedSource';

/** A tensor with named axes, row-major (the last axis is contiguous), like the hook's `Artifact`. */
export interface StageTensor<
  Axes extends readonly string[],
  Data extends Float32Array | Float64Array | Int32Array | Uint8Array,
> {
  /** Name of each axis, slowest first. */
  readonly axes: Axes;
  /** Size of each axis, in the order of `axes`. */
  readonly shape: { readonly [Axis in keyof Axes]: number };
  /** All values; the length is the product of `shape`. */
  readonly data: Data;
}

/** Options of the stages that run models. */
export interface StageOptions extends Pick<
  DiarizerOptions,
  'backend' | 'goldens' | 'hub' | 'idleSeconds' | 'modelFile' | 'models' | 'runtime' | 'threads' | 'trustUnknownModel'
> {
  /**
   * Selects the models, like `DiarizerOptions.preset`, but not a speed: stages compute every window. Default `auto`.
   */
  readonly preset?: 'campplus' | 'community-1' | 'auto';
  /** Aborts the call at once. The promise rejects with code `cancelled`. */
  readonly signal?: AbortSignal;
}

/** Options of {@link fbank}, which reads only the manifest of the preset. */
export type FbankStageOptions = Pick<StageOptions, 'models' | 'preset' | 'signal'>;

/** Options of {@link cluster}. The preset is that of the embeddings. */
export interface ClusterOptions extends Pick<DiarizeOptions, 'maxSpeakers' | 'minSpeakers' | 'speakers' | 'minDurationOn' | 'minDurationOff'> {
  /** Clustering settings, as `DiarizerOptions.clustering`. Default `preset`. */
  readonly clustering?: ClusteringName;
  /**
   * Base URL of the models, with `<model id>/manifest.json`, for presets with a PLDA. Default: as
   * `DiarizerOptions.models`.
   */
  readonly models?: string | URL;
  /** Ends the worker at once. The promise rejects with code `cancelled`. */
  readonly signal?: AbortSignal;
}

/** Mel filterbank features of a recording: natural logarithm of power, float32. */
export interface FbankFeatures extends StageTensor<readonly ['frame', 'mel'], Float32Array> {
  /** Id of the embedding model whose options were used. */
  readonly model: string;
  /** Sample rate in Hz. */
  readonly sampleRate: number;
  /** Length of a frame in samples. Frame `f` covers the samples `[f * hopSamples, f * hopSamples + frameSamples)`. */
  readonly frameSamples: number;
  /** From the start of one frame to the start of the next, in samples. */
  readonly hopSamples: number;
}

/**
 * Speaker activity in each window of a recording, 0 or 1. Speakers are local: speaker 1 of one window may be speaker 3
 * of the next. Plain data that `structuredClone` and IndexedDB accept.
 */
export interface Segmentation extends StageTensor<readonly ['window', 'frame', 'speaker'], Uint8Array> {
  /** The segmentation model file. */
  readonly model: KeptModel;
  /** The backend that ran the model, and why it was selected. */
  readonly backend: BackendReport;
  /** Number of samples of the recording. */
  readonly numSamples: number;
  /** Sample rate in Hz. */
  readonly sampleRate: number;
  /** Length of a window in samples: window `w` starts at sample `w * hopSamples`. The last one is padded with zeros. */
  readonly windowSamples: number;
  /** From the start of one window to the start of the next, in samples. */
  readonly hopSamples: number;
  /** Positions of windows and frames in seconds. */
  readonly geometry: TimeGeometry;
}

/**
 * Embeddings of the local speakers of each window, float32; NaN if there was too little speech. Plain data that
 * `structuredClone` and IndexedDB accept.
 */
export interface VoiceEmbeddings extends StageTensor<readonly ['window', 'speaker', 'dimension'], Float32Array> {
  /** The preset of the embedding model; {@link cluster} uses its settings. */
  readonly preset: 'campplus' | 'community-1';
  /** The embedding model file. */
  readonly model: KeptModel;
  /** The backend that ran the model, and why it was selected. */
  readonly backend: BackendReport;
  /** The model file of the segmentation. */
  readonly segmentationModel: KeptModel;
  /**
   * Minimum number of clean frames, in which only this speaker is active, to embed only those frames; otherwise all
   * frames of the speaker are embedded.
   */
  readonly minCleanFrames: number;
}

/** Result of {@link cluster}: global speakers and turns. */
export interface VoiceClusters {
  /** Cluster of each local speaker, from 0; -2 if the speaker is silent in the window. */
  readonly hardClusters: StageTensor<readonly ['window', 'speaker'], Int32Array>;
  /** Mean embedding of each cluster; NaN if it has no embeddings. */
  readonly centroids: StageTensor<readonly ['cluster', 'dimension'], Float64Array>;
  /** Axes (cluster): speaker label of each cluster, such as `SPEAKER_00`; null if it has no turn. */
  readonly labels: readonly (string | null)[];
  /** Sorted by start, then end, in seconds from the first sample. Turns of different speakers may overlap. */
  readonly turns: readonly Turn[];
  /** The turns with at most one speaker at a time. */
  readonly exclusiveTurns: readonly Turn[];
  /** Speakers with a turn, in the order of their labels. */
  readonly speakers: readonly Speaker[];
  /** Number of speakers, with likely alternatives, and the bounds if they were not met. */
  readonly speakerCount: SpeakerCount;
  /** Meaning of the turns' `confidence`: VBx's posterior probability, or a margin between cosine similarities. */
  readonly confidenceKind: 'margin' | 'posterior';
}

/** @throws VoxlaneError `options` for other values than samples, `audio-no-samples` if there are none */
export function checkSamples(samples: Float32Array): void {
  // Validated at run time, for callers without types.
  if (!((samples as unknown) instanceof Float32Array)) {
    throw wrongInput(
      `The samples are ${Object.prototype.toString.call(samples)}`,
      'a Float32Array of mono samples at the rate of the model, 16 kHz',
      'Decode the recording first, or pass it to Diarizer.diarize',
    );
  }
  if (samples.length > 0) return;
  throw new VoxlaneError({ code: 'audio-no-samples', problem: 'There are no samples', expected: 'at least one sample' });
}

/**
 * Validates a tensor that a caller passes back to a stage.
 *
 * @param kind type of the array with its values
 * @throws VoxlaneError `options`
 */
function checkTensor(
  name: string,
  tensor: StageTensor<readonly string[], Float32Array | Uint8Array>,
  axes: readonly string[],
  kind: typeof Float32Array | typeof Uint8Array,
): void {
  // Parts can be lost in a store or a message.
  const { axes: found, shape, data } = tensor as Partial<typeof tensor>;
  const isWhole =
    data instanceof kind &&
    found?.join() === axes.join() &&
    shape?.length === axes.length &&
    shape.every((size) => Number.isInteger(size) && size >= 0) &&
    shape.reduce((product, size) => product * size, 1) === data.length;
  if (isWhole) return;
  throw wrongInput(
    `The ${name} has axes (${String(found)}), shape (${String(shape)}) and ${data?.length ?? 'no'} values in ${Object.prototype.toString.call(data)}`,
    `axes (${axes.join(', ')}), and a ${kind.name} whose length matches the shape`,
    'Pass the result of the stage unchanged',
  );
}

/** @throws VoxlaneError `options` */
export function checkSegmentation(segmentation: Segmentation): void {
  checkTensor('segmentation', segmentation, ['window', 'frame', 'speaker'], Uint8Array);
  const odd = segmentation.data.find((value) => value > 1);
  if (odd !== undefined) throw wrongInput(`The segmentation has the value ${odd}`, '0 or 1', 'Pass the result of segment() unchanged');
}

/** Validates that embeddings belong to the segmentation. @throws VoxlaneError `options` */
export function checkPairOfStages(segmentation: Segmentation, embeddings: VoiceEmbeddings): void {
  checkSegmentation(segmentation);
  checkTensor('embeddings', embeddings, ['window', 'speaker', 'dimension'], Float32Array);
  const [windows, frames, speakers] = segmentation.shape;
  const { segmentationModel } = embeddings;
  if (segmentationModel.sha256 !== segmentation.model.sha256) {
    throw wrongInput(
      `The embeddings are for a segmentation from ${nameOf(segmentationModel)}, but the segmentation is from ${nameOf(segmentation.model)}`,
      'embeddings for this segmentation',
      'Call embed() with this segmentation',
    );
  }
  if (embeddings.shape[0] !== windows || embeddings.shape[1] !== speakers) {
    throw wrongInput(
      `The embeddings have ${embeddings.shape[0]} windows with ${embeddings.shape[1]} speakers, the segmentation has ${windows} with ${speakers}`,
      'embeddings for this segmentation',
      'Call embed() with this segmentation',
    );
  }
  if (frames !== segmentation.geometry.framesPerWindow) {
    throw wrongInput(
      `The segmentation has ${frames} frames per window, but its geometry has ${segmentation.geometry.framesPerWindow}`,
      'equal numbers',
      'Pass the result of segment() unchanged',
    );
  }
}

/** Name of a model with its hash: two files may have the same id. */
export const nameOf = ({ id, sha256 }: { readonly id: string; readonly sha256: string }): string => `${id} (${sha256.slice(0, 8)})`;

export function wrongInput(problem: string, expected: string, remedy: string): VoxlaneError {
  return new VoxlaneError({ code: 'options', problem, expected, remedy });
}

/** The engines of single stages, one per set of options. */
const held: HeldEngine[] = [];

interface HeldEngine {
  readonly options: OwnDiarizerOptions;
  readonly lifetime: EngineLifetime<Engine>;
}

/**
 * Validates the options of a stage.
 *
 * @throws VoxlaneError `options`
 */
export function checkStageOptions(options: StageOptions): OwnDiarizerOptions {
  checkDiarizerNames(options, ['signal']);
  const checked = checkDiarizerOptions(options, baseAddress());
  const preset: string | undefined = options.preset;
  // Callers without types may pass a speed, or a preset without these stages.
  if (checked.speed === 'exact' && preset !== 'exact' && (checked.preset === 'auto' || isWindowed(checked.preset))) return checked;
  throw optionError('preset', preset, ['auto', ...Object.keys(PRESETS)].join(', '));
}

/** The error for a preset whose model does all stages at once. */
const withoutStages = (preset: PresetId): VoxlaneError => optionError('preset', preset, `${Object.keys(PRESETS).join(' or ')}: the model of ${preset} has no separate stages`);

/** Returns the settings of the preset and the locations of its files. */
export async function resolveStageOptions(checked: OwnDiarizerOptions): Promise<EngineSetup> {
  const options = await withFiles(checked);
  const preset = await choosePreset(options);
  if (!isWindowed(preset)) throw withoutStages(preset);
  return { options, settings: PRESETS[preset] };
}

/**
 * Calls `use` with an engine that all callers with equal options share. Calls are queued. The first one starts the engine,
 * which ends after `idleSeconds` without a call, or when the current call is canceled.
 *
 * @throws VoxlaneError `options`, `model-*`, `backend-*`, `worker-failed`, `cancelled`
 */
export async function withEngine<Result>(options: StageOptions, use: (engine: Engine) => Promise<Result>): Promise<Result> {
  const checked = checkStageOptions(options);
  const { lifetime } = held.find((each) => askForTheSame(each.options, checked)) ?? hold(checked);
  return lifetime.run((useEngine) => useEngine(use), options.signal);
}

function hold(options: OwnDiarizerOptions): HeldEngine {
  const onIdle = (): void => {
    held.splice(held.indexOf(entry), 1);
  };
  const entry = { options, lifetime: new EngineLifetime(windowedSource(() => resolveStageOptions(options)), options.idleSeconds, null, onIdle) };
  held.push(entry);
  return entry;
}

/**
 * Ends the workers of {@link segment} and {@link embed} and frees their memory before their idle time is over. Current
 * calls reject with code `disposed`; the next call starts the workers again.
 */
export function releaseStages(): void {
  for (const { lifetime } of held.splice(0)) lifetime.dispose(released());
}

function released(): VoxlaneError {
  return new VoxlaneError({
    code: 'disposed',
    problem: 'The workers of the stages were released',
    expected: 'no releaseStages() during a call',
    remedy: 'Call the stage again: the workers restart',
  });
}
