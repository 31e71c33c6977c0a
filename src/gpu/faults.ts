/**
 * A broken GPU, simulated: for the tests of what happens then. Never set in normal use.
 */
export interface SimulatedFault {
  /** The stage whose values are spoiled. */
  readonly stage: 'segmentation' | 'fbank' | 'embedding';
  /** Wrong values, zeros, NaN, a lost device, or too little memory. */
  readonly kind: 'perturb' | 'zeros' | 'nan' | 'lost' | 'memory';
  /** Runs of the stage that go well before; the self-check counts. Default 0. */
  readonly afterRuns?: number;
  /** For `memory`: batches of more windows than this do not fit. Default 0: nothing fits. */
  readonly fits?: number;
}

/** Added to every value by `perturb`: far beyond rounding, and no NaN or zero. */
const PERTURBATION = 0.25;

/** Counts the runs of one stage and says when the fault is due. */
export class FaultInjector {
  private runs = 0;

  constructor(
    private readonly fault: SimulatedFault | undefined,
    private readonly stage: SimulatedFault['stage'],
  ) {}

  /** To be called once per run of the stage; the fault, if this run has it. */
  next(): SimulatedFault['kind'] | null {
    if (this.fault?.stage !== this.stage) return null;
    return this.runs++ >= (this.fault.afterRuns ?? 0) ? this.fault.kind : null;
  }

  /** Whether `numWindows` at once are too many for the simulated memory. */
  exceedsMemory(numWindows: number): boolean {
    return this.fault?.stage === this.stage && this.fault.kind === 'memory' && numWindows > (this.fault.fits ?? 0);
  }
}

/** What a stage gives under `kind`; the same array where it is no fault of values. */
export function spoil(values: Float32Array, kind: SimulatedFault['kind'] | null): Float32Array {
  switch (kind) {
    case 'perturb':
      return values.map((value) => value + PERTURBATION);
    case 'zeros':
      return new Float32Array(values.length);
    case 'nan':
      return new Float32Array(values.length).fill(NaN);
    default:
      return values;
  }
}
