import type { DiarizationResult, Progress, StageName } from '../../engine/types';
import type { VoxlaneError } from '../../util/errors';

/** What a run is at, for a person: before the stages, and then the stage that the first results have reached. */
export type RunStep = 'fetching' | 'waiting' | 'loading' | 'decode' | 'segmentation' | 'fbank' | 'embedding' | 'clustering';

/** A run, as far as it is. */
export interface RunState {
  /** Name of the recording. */
  readonly name: string;
  readonly step: RunStep;
  /** Of the whole recording, 0 to 1: what all models are done with. */
  readonly fraction: number;
  /** Expected seconds until all is done; null until enough has run to tell. */
  readonly secondsLeft: number | null;
  /** How far a model's download is, in bytes; null while none arrives. */
  readonly download: { readonly receivedBytes: number; readonly totalBytes: number } | null;
}

/** A recording that was analyzed. */
export interface Outcome {
  readonly name: string;
  readonly result: DiarizationResult;
  /** To play; null where the source was samples, or a stream of them. */
  readonly sound: Blob | null;
}

/** What the widget shows. */
export type Phase =
  | { readonly kind: 'empty' }
  | { readonly kind: 'running'; readonly run: RunState }
  | { readonly kind: 'done'; readonly outcome: Outcome }
  | { readonly kind: 'failed'; readonly name: string; readonly error: VoxlaneError };

/** What came of each stage so far. */
export type StageProgress = Readonly<Partial<Record<StageName, Progress>>>;

/** Windows go through these one after the other; what the last has done, all have done. */
const STREAMED = ['decode', 'segmentation', 'fbank', 'embedding'] as const satisfies readonly StageName[];
/** Part of the bar that is left for what comes after the models: it takes no time that a person would notice. */
const ENDING = 0.02;

/**
 * One bar of many stages. They overlap, so the fraction is that of the stage which is least far; the step is the last
 * that has begun.
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
