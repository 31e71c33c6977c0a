import type { Peaks } from '../audio/peaks';
import type { KeptVoices } from '../engine/types';
import type { ThemeControl } from '../ui-kit/pageFrame';
import type { Scope } from '../ui-kit/scope';
import type { DownloadedPreset } from './models/choices';
import type { SaveState, SharedWork } from './saved/sharedWork';
import type { Outcome, RunOptions, State } from './state';

/** The saved work of a result, as the result view uses it. */
export interface Work {
  /** Corrections and transcript of a result; the same object for the same result. */
  readonly correctionsOf: (outcome: Outcome) => SharedWork;
  /** Calls the listener now and after each change. Ends with `owner`. */
  readonly onSaveState: (owner: Scope, listener: (state: SaveState) => void) => void;
  /** The waveform from an earlier read; null if there is none. */
  readonly peaksOf: (outcome: Outcome) => Peaks | null;
  readonly keepPeaks: (outcome: Outcome, peaks: Peaks) => void;
  /** Loads the voice data for re-clustering; null if there is none. */
  readonly voicesOf: (outcome: Outcome) => (() => Promise<KeptVoices>) | null;
}

/** The user's actions, independent of their implementation. */
export interface Actions {
  /** Opens recordings, models, and companion files, in any combination. */
  readonly open: (files: Iterable<File>) => void;
  readonly trySample: () => void;
  readonly cancel: () => void;
  readonly retry: (options?: Partial<RunOptions>) => void;
  readonly setOptions: (options: Partial<RunOptions>) => void;
  readonly toggleOptions: (open: boolean) => void;
  /** Analyzes another audio track of the current recording. */
  readonly readTrack: (track: number) => void;
  readonly reset: () => void;
  readonly back: () => void;
  /** Downloads the model of a preset and selects the preset. */
  readonly downloadModel: (preset: DownloadedPreset) => void;
  readonly stopDownload: () => void;
  /** Answers the question whether to use a model file with an unknown hash. A recording that waits for the answer then runs. */
  readonly answerQuestion: (isTrusted: boolean) => void;
  readonly dismissModelFailure: () => void;
  /** Asks whether to delete a stored model; null withdraws the question. */
  readonly askDeletion: (model: string | null) => void;
  readonly deleteModel: (model: string) => void;
  /** Deletes the original of a stored model, and keeps its converted file. */
  readonly dropOriginal: (model: string) => void;
  /** Repeats the GPU check before the next run. */
  readonly checkGpuAgain: () => void;
  readonly dismissNotice: () => void;
  /** Opens a saved result. */
  readonly openKept: (id: string) => void;
  readonly deleteKept: (id: string) => void;
}

export interface ViewContext {
  /** Ends when the app leaves this view. */
  readonly scope: Scope;
  readonly state: State;
  readonly actions: Actions;
  readonly theme: ThemeControl;
  readonly work: Work;
}

export interface View {
  readonly element: HTMLElement;
  /** Receives the focus when the view appears. Keyboard and screen reader start there. */
  readonly heading: HTMLElement;
  readonly update: (state: State) => void;
  /** Takes files that belong to the current result: turns, transcripts, references. Absent if the view has none. */
  readonly take?: (files: readonly File[]) => void;
}
