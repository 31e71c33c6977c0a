import type { Measures, RuntimeBackend, StageReport, Verdict } from '../report';

/** One stage of a step, with the golden state and with our own. */
export interface StepStageReport {
  /** Name of the stage in the golden bundle. */
  readonly name: string;
  /** The error of this step alone: computed from the golden state before the step. */
  readonly step: StageReport;
  /** Computed from the state that our own loop has accumulated, compared with the golden values. */
  readonly own: Measures & {
    /** Verdict with the tolerance of the stage. */
    readonly verdict: Verdict;
  };
  /**
   * What the state adds: root mean square of the difference between both computed values, divided by the spread of the
   * values from the golden state. Null if they have other numbers of frames, or are not finite.
   */
  readonly drift: number | null;
}

/** Our own state before a step, compared with the golden one. */
export interface StateReport {
  /** Encoder frames in speaker cache and FIFO. */
  readonly frames: number;
  /** The same of the golden state. */
  readonly goldenFrames: number;
  /** Places with another frame: their cosine is below 0.9. Null if the numbers of frames differ. */
  readonly otherFrames: number | null;
  /** Root mean square of the difference, divided by the spread of the golden state; null as above, and for an empty state. */
  readonly relative: number | null;
}

/** One recorded step. */
export interface StepReport {
  /** Number of the step in the recording, from 0. */
  readonly index: number;
  /** Start of the chunk in seconds from the start of the recording. */
  readonly startSeconds: number;
  /** State before the step. */
  readonly state: StateReport;
  /** The mel frames first, then the stages in graph order. */
  readonly stages: readonly StepStageReport[];
  /** `step`: a stage is wrong on the golden state; `drift`: stages are wrong on our own state only. */
  readonly verdict: 'pass' | 'step' | 'drift';
  /** The first stage that is wrong on its own on the golden state; for `drift`, `state` or the first wrong stage. Null if none. */
  readonly firstDivergence: string | null;
  /** Decisions of the frames that the step decides; null if the bundle states no threshold for a stage. */
  readonly decisions: StepDecisions | null;
}

/** Number of decisions, and of those that differ from the golden ones. */
export interface StepDecisions {
  /** Number of decisions: one per mel frame and speaker. */
  readonly total: number;
  /** With the golden state. */
  readonly step: number;
  /** With our own state. */
  readonly own: number;
}

/** Differing decisions that one stage causes. */
export interface StageDecisions {
  /** Name of the stage: with its golden output, and those of all stages before it, the decisions are right; of the output itself if none corrects them. */
  readonly stage: string;
  /** Number of decisions. */
  readonly count: number;
}

/** Comparison of a model with a state, step by step. */
export interface StepsReport {
  /** Model of the bundle. */
  readonly model: string;
  /** Backend that computed it. */
  readonly backend: RuntimeBackend;
  /** Mode of the loop. */
  readonly mode: string;
  /** `fail` if a step is wrong, by itself or by drift. */
  readonly verdict: Verdict;
  /** The first step that is wrong, and its first responsible stage; null if all pass. */
  readonly first: {
    /** Number of the step in the recording. */
    readonly step: number;
    /** Name of the stage, or `state`. */
    readonly stage: string;
    /** `step`: an error of the step alone; `drift`: of the state only. */
    readonly kind: 'step' | 'drift';
  } | null;
  /** In the order of the recording. */
  readonly steps: readonly StepReport[];
  /** Of all recorded steps; null as in each. */
  readonly decisions: StepDecisions | null;
  /**
   * Which stages cause the differing decisions from the golden states, in the order of the graph. Frames of the state are
   * decided again and count too. Empty if none differ.
   */
  readonly causes: readonly StageDecisions[];
}
