const STEPS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400,
] as const;

export interface TickSteps {
  /** Seconds between labelled ticks. */
  readonly major: number;
  /** Seconds between the small ticks; divides `major`. */
  readonly minor: number;
}

/** Steps that a clock has, wide enough apart for their labels. */
export function tickSteps(secondsPerPixel: number, labelPixels = 84, minorPixels = 8): TickSteps {
  const widest = STEPS[STEPS.length - 1] as number;
  const major = STEPS.find((step) => step >= labelPixels * secondsPerPixel) ?? widest;
  const divides = (step: number): boolean => {
    const times = major / step;
    return Math.abs(times - Math.round(times)) < 1e-6;
  };
  const minor = STEPS.find((step) => step >= minorPixels * secondsPerPixel && step <= major && divides(step));
  return { major, minor: minor ?? major };
}
