import type { SpeakerBounds } from '../clustering/localSpeakers';
import { unavailable } from '../store/load';
import { PUBLIC_HUB } from '../store/sources';
import type { StreamMode } from '../store/streamModes';
import { checkSignal } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import { webAddress } from '../util/fetch';
import type { FileBase } from '../util/fileBase';
import { defaultFiles, type FileBases } from './defaultFiles';
import { type ChoiceRule, isInRange, type NumberRule } from './optionRules';
import { ALL_OPTIONS, DIARIZER_OPTIONS, type OptionRule, type OptionsOf, RUN_OPTIONS } from './optionSchema';
import { optionError } from './optionError';
import { type ClusteringName, isWindowed, type PresetId, type Speed } from './settings';
import { checkStreamDiarizer } from './streamRules';
import type { DiarizeOptions, DiarizerOptions, ModelDownload } from './types';
import { baseAddress, pathOf, shareable } from '../util/host';

const DIARIZER_NAMES: readonly string[] = Object.keys(DIARIZER_OPTIONS);
const RUN_NAMES: readonly string[] = Object.keys(RUN_OPTIONS);

/**
 * @param others further valid names
 * @throws VoxlaneError `options` for an unknown name, with a suggestion
 */
export function checkDiarizerNames(options: object, others: readonly string[] = []): void {
  checkNames(options, [...DIARIZER_NAMES, ...others]);
}

/** @throws VoxlaneError `options` for an unknown option of `Diarizer.diarize`, with a suggestion */
export function checkRunNames(options: object): void {
  checkNames(options, RUN_NAMES);
}

/**
 * Splits combined options into those of the diarizer and those of the run.
 *
 * @throws VoxlaneError `options` for an unknown name, with a suggestion
 */
export function splitOptions(options: DiarizerOptions & DiarizeOptions): { diarizer: DiarizerOptions; run: DiarizeOptions } {
  checkNames(options, [...DIARIZER_NAMES, ...RUN_NAMES]);
  const entries = Object.entries(options);
  return {
    diarizer: Object.fromEntries(entries.filter(([name]) => DIARIZER_NAMES.includes(name))),
    run: Object.fromEntries(entries.filter(([name]) => RUN_NAMES.includes(name))),
  };
}

/**
 * Validates names, callbacks and signals at run time, for callers without types.
 *
 * @throws VoxlaneError `options`, with a suggestion for an unknown name
 */
export function checkNames(options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new VoxlaneError({
      code: 'options',
      problem: `The options are ${String(options)}`,
      expected: 'an object, or no options',
      remedy: 'Change the options and run again',
    });
  }
  for (const [name, value] of Object.entries(options)) {
    checkObject(name, value);
    if (known.includes(name)) continue;
    throw new VoxlaneError({
      code: 'options',
      problem: `There is no option ${name} here`,
      expected: `an existing option, probably ${nearest(name, known)}`,
      remedy: `Available options: ${known.join(', ')}`,
    });
  }
}

/** What an option with a file expects. Only Node can open a path. */
const BLOB = 'a Blob or File, or in Node its path';

/** Checks an option that is called or read as a file. Numbers and names are checked where they are read. */
function checkObject(name: string, value: unknown): void {
  const rule: OptionRule | undefined = (ALL_OPTIONS as Readonly<Record<string, OptionRule>>)[name];
  if (value === undefined || value === null || rule === undefined || !('type' in rule)) return;
  if (rule.type === 'callback' && typeof value !== 'function') throw optionError(name, value, 'a function, or no callback');
  if (rule.type === 'signal') checkSignal(value);
  if (rule.type === 'file' && !(value instanceof Blob) && pathOf(value) === null) throw optionError(name, value, BLOB);
}

function nearest(name: string, known: readonly string[]): string {
  const distances = known.map((each) => editDistance(name.toLowerCase(), each.toLowerCase()));
  return known[distances.indexOf(Math.min(...distances))]!;
}

/** The Levenshtein distance: insertions, deletions and substitutions from `a` to `b`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** Validated options of one run, with defaults. */
export interface CheckedRunOptions extends SpeakerBounds {
  readonly startSeconds: number;
  readonly durationSeconds: number | undefined;
  readonly keepVoices: boolean;
  /** Undefined for the default of the preset. */
  readonly minDurationOn: number | undefined;
  readonly minDurationOff: number | undefined;
  readonly streamingMode: StreamMode;
  /** Sample rate in Hz. */
  readonly sampleRate: number | undefined;
  /** Audio track of a file; undefined for its default. */
  readonly track: number | undefined;
  readonly onPreview: DiarizeOptions['onPreview'] | undefined;
}

/** Validated options of a diarizer with the locations of its files. */
export interface CheckedDiarizerOptions extends OwnDiarizerOptions {
  readonly modelsBase: FileBase;
  readonly runtimeBase: FileBase;
  readonly goldensBase: FileBase;
}

/** Validated options of a diarizer; URLs are absolute and end with a slash. */
export interface OwnDiarizerOptions {
  readonly preset: PresetId | 'auto';
  readonly speed: Speed;
  readonly clustering: ClusteringName;
  /** `Infinity` keeps the workers until the diarizer is disposed. */
  readonly idleSeconds: number;
  /** Null: models are fetched only from `modelsBase`. */
  readonly hub: string | null;
  /** A string is an absolute path. */
  readonly modelFile: Blob | string | undefined;
  readonly trustUnknownModel: boolean;
  readonly onDownload: ((progress: ModelDownload) => void) | undefined;
  readonly backend: 'auto' | 'webgpu' | 'wasm';
  readonly threads: number | undefined;
  /** The locations set by options; defaults apply to the others. */
  readonly files: ReturnType<typeof checkFiles>;
  readonly trustGpu: boolean;
  readonly batchWindows: number | undefined;
}

/** @throws VoxlaneError `options`, with the option, its value and the rule */
export function checkRunOptions(options: DiarizeOptions): CheckedRunOptions {
  const { minSpeakers, maxSpeakers } = checkBounds(options);
  const startSeconds = checkNumber('startSeconds', options.startSeconds ?? RUN_OPTIONS.startSeconds.default);
  const durationSeconds = checkNumber('durationSeconds', options.durationSeconds);
  const { minDurationOn, minDurationOff } = checkMinDurations(options);
  const streamingMode = checkStreamingMode(options.streamingMode);
  const { keepVoices = false, onPreview } = options;
  const sampleRate = checkNumber('sampleRate', options.sampleRate);
  const track = checkNumber('track', options.track);
  return { minSpeakers, maxSpeakers, startSeconds, durationSeconds, minDurationOn, minDurationOff, streamingMode, keepVoices, sampleRate, track, onPreview };
}

/** @throws VoxlaneError `options`, with the option, its value and the rule */
export function checkStreamingMode(mode: StreamMode = RUN_OPTIONS.streamingMode.values[0]): StreamMode {
  return checkChoice('streamingMode', mode);
}

/** @throws VoxlaneError `options`, with the option, its value and the rule */
export function checkMinDurations({
  minDurationOn,
  minDurationOff,
}: Partial<Pick<CheckedRunOptions, 'minDurationOn' | 'minDurationOff'>>): Pick<CheckedRunOptions, 'minDurationOn' | 'minDurationOff'> {
  return {
    minDurationOn: checkNumber('minDurationOn', minDurationOn),
    minDurationOff: checkNumber('minDurationOff', minDurationOff),
  };
}

/** @throws VoxlaneError `options`, with the option, its value and the rule */
export function checkBounds(options: Pick<DiarizeOptions, 'speakers' | 'minSpeakers' | 'maxSpeakers'>): SpeakerBounds {
  const speakers = checkNumber('speakers', options.speakers);
  const least = checkNumber('minSpeakers', options.minSpeakers);
  const most = checkNumber('maxSpeakers', options.maxSpeakers);
  if (speakers !== undefined && (least !== undefined || most !== undefined)) {
    throw optionError('speakers', speakers, 'no minSpeakers or maxSpeakers with it: an exact number needs no bounds');
  }
  const minSpeakers = speakers ?? least ?? 1;
  const maxSpeakers = speakers ?? most ?? Infinity;
  if (minSpeakers > maxSpeakers) throw optionError('minSpeakers', minSpeakers, `at most maxSpeakers, ${maxSpeakers}`);
  return { minSpeakers, maxSpeakers };
}

/**
 * @param base base URL for relative URLs
 * @throws VoxlaneError `options`
 */
export function checkDiarizerOptions(options: DiarizerOptions, base: string): OwnDiarizerOptions {
  const backend = checkChoice('backend', options.backend ?? DIARIZER_OPTIONS.backend.values[0]);
  const threads = checkThreads(options.threads);
  const checked: OwnDiarizerOptions = {
    ...checkPreset(options),
    clustering: checkClustering(options.clustering),
    idleSeconds: checkIdle(options.idleSeconds),
    hub: options.hub === null ? null : folderAddress('hub', options.hub ?? PUBLIC_HUB, base),
    modelFile: options.modelFile instanceof Blob ? options.modelFile : (pathOf(options.modelFile) ?? undefined),
    trustUnknownModel: options.trustUnknownModel ?? false,
    onDownload: options.onDownload,
    files: checkFiles(options, base),
    backend,
    threads,
    trustGpu: options.trustGpu ?? false,
    batchWindows: checkNumber('batchWindows', options.batchWindows),
  };
  const { preset } = checked;
  if (preset !== 'auto' && !isWindowed(preset)) checkStreamDiarizer(preset, checked);
  return checked;
}

/** @throws VoxlaneError `options` */
export function checkClustering(clustering: ClusteringName = DIARIZER_OPTIONS.clustering.values[0]): ClusteringName {
  return checkChoice('clustering', clustering);
}

const isSpeed = (value: unknown): value is Speed => DIARIZER_OPTIONS.speed.values.some((speed) => speed === value);

/** A preset names models or a speed; a speed uses the models of `auto`. */
function checkPreset({ preset = DIARIZER_OPTIONS.preset.values[0], speed }: DiarizerOptions): Pick<CheckedDiarizerOptions, 'preset' | 'speed'> {
  if (speed !== undefined) checkChoice('speed', speed);
  if (isSpeed(preset)) {
    if (speed === undefined || speed === preset) return { preset: 'auto', speed: preset };
    throw optionError('speed', speed, `${preset}, as set by the option preset, or only one of the two options`);
  }
  if (!DIARIZER_OPTIONS.preset.values.includes(preset)) throw optionError('preset', preset, DIARIZER_OPTIONS.preset.values.join(', '));
  return { preset, speed: speed ?? DIARIZER_OPTIONS.speed.values[0] };
}

function checkIdle(idleSeconds: number = DIARIZER_OPTIONS.idleSeconds.default): number {
  const expected = `a number from 0 to ${DIARIZER_OPTIONS.idleSeconds.max}, or Infinity to keep the workers`;
  return idleSeconds === Infinity ? idleSeconds : checkNumber('idleSeconds', idleSeconds, expected);
}

/** @throws VoxlaneError `options` */
export const checkThreads = (threads: number | undefined): number | undefined =>
  checkNumber('threads', threads);

/** Whether two sets of options need the same engine. Blobs are compared by identity, paths as text; `onDownload` is ignored. */
export function askForTheSame(a: OwnDiarizerOptions, b: OwnDiarizerOptions): boolean {
  return a.modelFile === b.modelFile && asText(a) === asText(b);
}

/** JSON omits functions. */
function asText(options: OwnDiarizerOptions): string {
  return JSON.stringify({ ...options, modelFile: null }, (_, value: unknown) =>
    // JSON has no Infinity.
    value === Infinity ? 'Infinity' : value,
  );
}

/** Locations of files. */
interface FileOptions {
  readonly models?: string | URL | undefined;
  readonly runtime?: string | URL | undefined;
  readonly goldens?: string | URL | undefined;
}

/**
 * @returns absolute URLs, ending with a slash, of the options that are set
 * @throws VoxlaneError `options`
 */
export function checkFiles(options: FileOptions, base: string): { readonly [Kind in keyof FileOptions]?: string } {
  const { models, runtime, goldens } = options;
  return {
    ...(models !== undefined && { models: folderAddress('models', models, base) }),
    ...(runtime !== undefined && { runtime: folderAddress('runtime', runtime, base) }),
    ...(goldens !== undefined && { goldens: folderAddress('goldens', goldens, base) }),
  };
}

/** @throws VoxlaneError `options` */
function folderAddress(name: string, value: string | URL, base: string): string {
  const href = webAddress(value, base)?.href;
  if (href === undefined) throw optionError(name, value, 'an http or https URL, or one relative to the page');
  return href.endsWith('/') ? href : `${href}/`;
}

/** @throws VoxlaneError `options` if the value is outside of the option's range */
function checkNumber<Value extends number | undefined>(name: OptionsOf<NumberRule>, value: Value, expected?: string): Value {
  const rule: NumberRule = ALL_OPTIONS[name];
  if (value === undefined || isInRange(rule, value)) return value;
  throw optionError(name, value, expected ?? rangeText(rule));
}

function rangeText({ type, min, max }: NumberRule): string {
  if (max === Infinity) return `a finite number${min === 0 ? ', 0 or more' : ' above 0'}`;
  return `a ${type === 'whole' ? 'whole number' : 'number of seconds'} from ${min} to ${max}`;
}

/** Callers without types pass anything. @throws VoxlaneError `options` if the value is none of the option's */
function checkChoice<Name extends OptionsOf<ChoiceRule>, Value extends (typeof ALL_OPTIONS)[Name]['values'][number]>(name: Name, value: Value): Value {
  const values: readonly string[] = ALL_OPTIONS[name].values;
  if (values.includes(value)) return value;
  throw optionError(name, value, `${values.slice(0, -1).join(', ')} or ${values.at(-1)!}`);
}

/**
 * The locations of all files: those set by options, and defaults for the others. The defaults are not searched if all
 * options are set.
 *
 * @throws VoxlaneError `options`, `model-missing`
 */
export async function fileBases(options: FileOptions): Promise<FileBases> {
  const { models, runtime, goldens } = checkFiles(options, baseAddress());
  if (models !== undefined && runtime !== undefined && goldens !== undefined) return { models, runtime, goldens };
  const defaults = await defaultFiles();
  return { models: models ?? defaults.models, runtime: runtime ?? defaults.runtime, goldens: goldens ?? defaults.goldens };
}

/** Location of the models only. @throws VoxlaneError `options`, `model-missing` */
export async function modelsBase({ models }: Pick<FileOptions, 'models'>): Promise<FileBase> {
  return checkFiles({ models }, baseAddress()).models ?? (await defaultFiles()).models;
}

/** Adds the locations of all files. @throws VoxlaneError `model-missing`, also for a model file that was changed or removed */
export async function withFiles(options: OwnDiarizerOptions): Promise<CheckedDiarizerOptions> {
  const { models, runtime, goldens } = await fileBases(options.files);
  const file = options.modelFile;
  const modelFile = file === undefined || typeof file === 'string' ? file : await shareable(file, (cause) => unavailable(`${file instanceof File ? `The file ${file.name}` : 'The model file'} could not be read`, cause));
  return { ...options, modelFile, modelsBase: models, runtimeBase: runtime, goldensBase: goldens };
}
