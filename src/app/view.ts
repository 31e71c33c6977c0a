import type { Peaks } from '../audio/peaks';
import type { KeptVoices } from '../engine/types';
import type { ThemeControl } from '../ui-kit/pageFrame';
import type { Scope } from '../ui-kit/scope';
import type { SaveState, SharedWork } from './saved/sharedWork';
import type { Outcome, RunOptions, State } from './state';

/** What a result's view keeps in the browser, and gets back from there. */
export interface Work {
  /** Corrections and transcript of a result; the same object for the same result. */
  readonly correctionsOf: (outcome: Outcome) => SharedWork;
  /** Calls back now and after each change of the state. Ends with `owner`. */
  readonly onSaveState: (owner: Scope, listener: (state: SaveState) => void) => void;
  /** The waveform as it was read before; null where it was not. */
  readonly peaksOf: (outcome: Outcome) => Peaks | null;
  readonly keepPeaks: (outcome: Outcome, peaks: Peaks) => void;
  /** What another number of speakers is found by; null where it is not there. */
  readonly voicesOf: (outcome: Outcome) => (() => Promise<KeptVoices>) | null;
}

/** What a person can do, apart from how the page carries it out. */
export interface Actions {
  /** Recordings and models, in any mix. */
  readonly open: (files: Iterable<File>) => void;
  readonly trySample: () => void;
  readonly cancel: () => void;
  readonly retry: (options?: Partial<RunOptions>) => void;
  readonly setOptions: (options: Partial<RunOptions>) => void;
  readonly toggleOptions: (open: boolean) => void;
  /** Analyzes another audio track of the recording that is shown. */
  readonly readTrack: (track: number) => void;
  readonly reset: () => void;
  readonly back: () => void;
  /** Fetches community-1 and makes it the choice. */
  readonly downloadModel: () => void;
  readonly stopDownload: () => void;
  /** Answers whether a model file of unknown hash is to be used. A recording that waits for the answer runs. */
  readonly answerQuestion: (isTrusted: boolean) => void;
  readonly dismissModelFailure: () => void;
  /** Asks whether a kept model is to be deleted; null takes the question back. */
  readonly askDeletion: (model: string | null) => void;
  readonly deleteModel: (model: string) => void;
  /** Makes the next recording check the GPU again. */
  readonly checkGpuAgain: () => void;
  readonly dismissNotice: () => void;
  /** Opens a result that this browser keeps. */
  readonly openKept: (id: string) => void;
  readonly deleteKept: (id: string) => void;
}

export interface ViewContext {
  /** Ends when the page leaves this view. */
  readonly scope: Scope;
  readonly state: State;
  readonly actions: Actions;
  readonly theme: ThemeControl;
  readonly work: Work;
}

export interface View {
  readonly element: HTMLElement;
  /** Takes the focus when the view appears, so that keyboard and screen reader start at its top. */
  readonly heading: HTMLElement;
  readonly update: (state: State) => void;
  /** Takes files that belong to what is shown: turns, transcripts, references. Absent where there is nothing to add them to. */
  readonly take?: (files: readonly File[]) => void;
}
