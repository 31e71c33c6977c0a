import type { TimeGeometry } from '../segmentation/geometry';
import { VoxlaneError } from '../util/errors';
import type { Engine } from './engine';
import { EngineLifetime, type EngineSetup } from './engineLifetime';
import {
  askForTheSame,
  checkDiarizerNames,
  checkDiarizerOptions,
  optionError,
  type OwnDiarizerOptions,
  withFiles,
} from './options';
import { choosePreset } from './presets';
import { PRESETS } from './settings';
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

/** @throws VoxlaneError `options` for what is no samples, `audio-no-samples` for none */
export function checkSamples(samples: Float32Array): void {
  // Callers without types pass anything.
  if (!((samples as unknown) instanceof Float32Array)) {
    throw wrongInput(
      `The samples are ${Object.prototype.toString.call(samples)}`,
      'a Float32Array of mono samples at the rate of the model, 16 kHz',
      'Decode the recording first, or give it to Diarizer.diarize',
    );
  }
  if (samples.length > 0) return;
  throw new VoxlaneError({ code: 'audio-no-samples', problem: 'There are no samples', expected: 'one sample at least' });
}

/**
 * Whether a tensor that a caller gives back is one that a stage gave.
 *
 * @param kind of the array that holds its values
 * @throws VoxlaneError `options`
 */
export function checkTensor(
  name: string,
  tensor: StageTensor<readonly string[], Float32Array | Uint8Array>,
  axes: readonly string[],
  kind: typeof Float32Array | typeof Uint8Array,
): void {
  // Of what a store or a message has lost, parts are missing.
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
    `axes (${axes.join(', ')}), and as many values in a ${kind.name} as its shape says`,
    'Give it as the stage gave it',
  );
}

/** @throws VoxlaneError `options` */
export function checkSegmentation(segmentation: Segmentation): void {
  checkTensor('segmentation', segmentation, ['window', 'frame', 'speaker'], Uint8Array);
  const odd = segmentation.data.find((value) => value > 1);
  if (odd !== undefined) throw wrongInput(`The segmentation holds the value ${odd}`, '0 or 1', 'Give it as segment() gave it');
}

/** Whether embeddings are of the segmentation's local speakers. @throws VoxlaneError `options` */
export function checkPairOfStages(segmentation: Segmentation, embeddings: VoiceEmbeddings): void {
  checkSegmentation(segmentation);
  checkTensor('embeddings', embeddings, ['window', 'speaker', 'dimension'], Float32Array);
  const [windows, frames, speakers] = segmentation.shape;
  const { segmentationModel } = embeddings;
  if (segmentationModel.sha256 !== segmentation.model.sha256) {
    throw wrongInput(
      `The embeddings are of a segmentation by ${nameOf(segmentationModel)}, and the segmentation is by ${nameOf(segmentation.model)}`,
      'embeddings of this segmentation',
      'Call embed() with this segmentation',
    );
  }
  if (embeddings.shape[0] !== windows || embeddings.shape[1] !== speakers) {
    throw wrongInput(
      `The embeddings are of ${embeddings.shape[0]} windows with ${embeddings.shape[1]} speakers, the segmentation has ${windows} with ${speakers}`,
      'embeddings of this segmentation',
      'Call embed() with this segmentation',
    );
  }
  if (frames !== segmentation.geometry.framesPerWindow) {
    throw wrongInput(
      `The segmentation has ${frames} frames a window, and its geometry ${segmentation.geometry.framesPerWindow}`,
      'as many in both',
      'Give it as segment() gave it',
    );
  }
}

/** A model in words: two files may have one id. */
export const nameOf = ({ id, sha256 }: { readonly id: string; readonly sha256: string }): string => `${id} (${sha256.slice(0, 8)})`;

export function wrongInput(problem: string, expected: string, remedy: string): VoxlaneError {
  return new VoxlaneError({ code: 'options', problem, expected, remedy });
}

/** The engines of single stages, one for each set of options. */
const held: HeldEngine[] = [];

interface HeldEngine {
  readonly options: OwnDiarizerOptions;
  readonly lifetime: EngineLifetime;
}

/**
 * Checks what the stages take.
 *
 * @throws VoxlaneError `options`
 */
export function checkStageOptions(options: StageOptions): OwnDiarizerOptions {
  checkDiarizerNames(options, ['signal']);
  const checked = checkDiarizerOptions(options, document.baseURI);
  const preset: string | undefined = options.preset;
  // Callers without types ask for a speed.
  if (checked.speed === 'exact' && preset !== 'exact') return checked;
  throw optionError('preset', preset, ['auto', ...Object.keys(PRESETS)].join(', '));
}

/** The preset's settings, and where its files are. */
export async function resolveStageOptions(checked: OwnDiarizerOptions): Promise<EngineSetup> {
  const options = await withFiles(checked);
  return { options, settings: PRESETS[await choosePreset(options)] };
}

/**
 * Calls `use` with an engine that all callers with equal options share. Calls are queued. The first one starts the engine,
 * which ends after `idleSeconds` without a call, or when the current call is cancelled.
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
  const entry = { options, lifetime: new EngineLifetime(() => resolveStageOptions(options), options.idleSeconds, null, onIdle) };
  held.push(entry);
  return entry;
}

/**
 * Ends the workers of {@link segment} and {@link embed}, and frees their memory, before their time is up. What is under
 * way rejects with code `disposed`; the next call starts them again.
 */
export function releaseStages(): void {
  for (const { lifetime } of held.splice(0)) lifetime.dispose(released());
}

function released(): VoxlaneError {
  return new VoxlaneError({
    code: 'disposed',
    problem: 'The workers of the stages were released',
    expected: 'no releaseStages() while a stage is at work',
    remedy: 'Call the stage again: the workers are started anew',
  });
}
