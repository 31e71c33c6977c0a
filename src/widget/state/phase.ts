import type { PeakPyramid } from '../../audio/peaks';
import type { StageName } from '../../engine/stages';
import type { ModelDownload, Progress } from '../../engine/types';
import type { VoxlaneError } from '../../util/errors';
import type { ShownResult } from '../givenResult';

/** The step of a run that the user sees: a step before the stages, or the last stage that has begun. */
export type RunStep = 'fetching' | 'waiting' | 'loading' | 'decode' | 'segmentation' | 'fbank' | 'embedding' | 'clustering';

/** A run in progress. */
export interface RunState {
  /** Name of the recording. */
  readonly name: string;
  readonly step: RunStep;
  /** Completed fraction of the whole recording, 0 to 1. */
  readonly fraction: number;
  /** Estimated seconds until the end; null until there is enough data for an estimate. */
  readonly secondsLeft: number | null;
  /** Progress of a model download or conversion in bytes; null if there is none. */
  readonly download: Omit<ModelDownload, 'model'> | null;
}

/** What outlives the view of a result, which is replaced when the language changes or the element moves. */
export interface ViewMemory {
  /** Names of speakers by label, set by the user or the page. */
  names: ReadonlyMap<string, string>;
  /** Position of playback. */
  positionSeconds: number;
  /** The whole waveform; null until it was read. */
  peaks: PeakPyramid | null;
}

/** A recording with its result. */
export interface Outcome {
  readonly name: string;
  readonly result: ShownResult;
  /** The playable recording; null without a recording, and for samples. */
  readonly sound: Blob | null;
  /** Whether the page or the user has given a recording, playable or not. */
  readonly hasRecording: boolean;
  /** Audio track of the recording, counted from 1; undefined for the default of the file. */
  readonly track: number | undefined;
  readonly memory: ViewMemory;
}

export const newMemory = (names: ReadonlyMap<string, string> = new Map()): ViewMemory => ({ names, positionSeconds: 0, peaks: null });

/** The state that the widget shows. */
export type Phase =
  | { readonly kind: 'empty' }
  | { readonly kind: 'running'; readonly run: RunState }
  | { readonly kind: 'done'; readonly outcome: Outcome }
  | { readonly kind: 'failed'; readonly name: string; readonly error: VoxlaneError };

/** Progress of each stage that has begun. */
export type StageProgress = Readonly<Partial<Record<StageName, Progress>>>;

/** Windows pass through these stages in this order. */
const STREAMED = ['decode', 'segmentation', 'fbank', 'embedding'] as const satisfies readonly StageName[];
/** Fraction of the bar for the stages after the models. They take no noticeable time. */
const ENDING = 0.02;

/**
 * Combines the progress of overlapping stages into one bar: the fraction is that of the slowest stage, the step is the
 * last stage that has begun.
 */
export function overallProgress(stages: StageProgress): Pick<RunState, 'step' | 'fraction' | 'secondsLeft'> {
  if (stages.counting ?? stages.clustering ?? stages.reconstruction) return { step: 'clustering', fraction: 1 - ENDING, secondsLeft: null };
  const begun = STREAMED.filter((name) => stages[name]);
  const step = begun.at(-1) ?? 'loading';
  const seconds = begun.map((name) => stages[name]!.secondsLeft);
  const fractions = (['segmentation', 'embedding'] as const).map((name) => fractionOf(stages[name]));
  return {
    step,
    fraction: (1 - ENDING) * Math.min(...fractions),
    secondsLeft: step === 'embedding' && !seconds.includes(null) ? Math.max(...seconds.map(Number)) : null,
  };
}

function fractionOf(progress: Progress | undefined): number {
  if (!progress || progress.total <= 0) return 0;
  return Math.min(1, progress.completed / progress.total);
}
