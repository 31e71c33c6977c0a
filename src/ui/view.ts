import type { Scope } from '../util/scope';
import type { State, RunOptions } from './state';
import type { ThemeControl } from './theme';
import type { Work } from './work/work';

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
