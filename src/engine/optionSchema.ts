import { type ChoiceRule, DIARIZER_RULES, type NumberRule, RUN_RULES } from './optionRules';
import { STREAM_MODES } from '../store/streamModes';
import type { DiarizeOptions, DiarizerOptions } from './types';

/**
 * The options of a diarizer and of a run. The checks of the library and the flags of the command line are derived from
 * them, and the attributes of the widget from a part of them. Plain data, because a schema library would be heavier than
 * all of its readers.
 */

/** Values that an option accepts. */
export type OptionRule = ChoiceRule | NumberRule | { readonly type: 'boolean' | 'address' | 'file' | 'callback' | 'signal' };

/** Maximum windows per batch. Larger batches gain little, and make cancellation and progress coarse. */
export const MAX_WINDOWS = 32;

/** In the order in which errors list the names. */
export const DIARIZER_OPTIONS = {
  preset: DIARIZER_RULES.preset,
  speed: DIARIZER_RULES.speed,
  clustering: { values: ['preset', 'pyannote-3.1'] },
  // A day. Timers cannot exceed 24 days: they would fire at once. The default is long enough to look at a result and drop
  // the next recording.
  idleSeconds: { type: 'seconds', min: 0, max: 86_400, default: 60 },
  hub: { type: 'address' },
  modelFile: { type: 'file' },
  trustUnknownModel: { type: 'boolean' },
  onDownload: { type: 'callback' },
  models: DIARIZER_RULES.models,
  runtime: { type: 'address' },
  goldens: { type: 'address' },
  backend: DIARIZER_RULES.backend,
  trustGpu: { type: 'boolean' },
  batchWindows: { type: 'whole', min: 1, max: MAX_WINDOWS },
  threads: { type: 'whole', min: 1, max: 64 },
} as const satisfies Record<keyof DiarizerOptions, OptionRule>;

/** In the order in which errors list the names. */
export const RUN_OPTIONS = {
  signal: { type: 'signal' },
  onProgress: { type: 'callback' },
  hook: { type: 'callback' },
  onPreview: { type: 'callback' },
  keepVoices: { type: 'boolean' },
  speakers: RUN_RULES.speakers,
  minSpeakers: RUN_RULES.minSpeakers,
  maxSpeakers: RUN_RULES.maxSpeakers,
  minDurationOn: RUN_RULES.minDurationOn,
  minDurationOff: RUN_RULES.minDurationOff,
  streamingMode: { values: STREAM_MODES },
  startSeconds: { type: 'seconds', min: 0, max: Infinity, default: 0 },
  durationSeconds: { type: 'seconds', min: Number.MIN_VALUE, max: Infinity },
  sampleRate: RUN_RULES.sampleRate,
  track: RUN_RULES.track,
} as const satisfies Record<keyof DiarizeOptions, OptionRule>;

export const ALL_OPTIONS = { ...DIARIZER_OPTIONS, ...RUN_OPTIONS };

/** Names of the options that have a rule of this kind. */
export type OptionsOf<Rule> = {
  [Name in keyof typeof ALL_OPTIONS]: (typeof ALL_OPTIONS)[Name] extends Rule ? Name : never;
}[keyof typeof ALL_OPTIONS];

/** One line about each option that can be written as text. Separate from the rules, so that no page loads the lines. */
export const DESCRIPTIONS = {
  preset: 'models to use (default auto: community-1 if its model is available, never nemotron); exact and fast select auto with that speed',
  speed: 'exact (default) embeds every window; fast embeds every fifth or tenth window',
  modelFile: 'embedding model of the preset, or weights of nemotron, used instead of a download',
  trustUnknownModel: 'accept a model file with an unknown hash if it passes all other checks',
  hub: 'server for models that are not bundled',
  backend: 'backend for the models (default auto)',
  trustGpu: 'use the GPU without its self-check',
  speakers: 'exact number of speakers',
  minSpeakers: 'at least N speakers',
  maxSpeakers: 'at most N speakers',
  clustering: 'clustering settings of the preset (default) or of pyannote, for comparisons',
  minDurationOn: 'remove turns shorter than S seconds',
  minDurationOff: 'fill gaps shorter than S seconds between two turns of the same speaker',
  streamingMode: 'mode of nemotron: offline (default), or a latency of 1.04, 0.64 or 0.32 s, which takes far more computation',
  startSeconds: 'start S seconds into the recording',
  durationSeconds: 'stop after S seconds',
  track: "audio track of the file, counted from 1 (default: the file's default track, or the first)",
} as const satisfies Partial<Record<keyof typeof ALL_OPTIONS, string>>;
