/** Where the frames of one stage's tensor lie in the recording that went in. */
export interface FrameClock {
  /** Middle of the first frame, in samples from the start; may be fractional. */
  readonly centerSamples: number;
  /** From one frame's middle to the next one's. */
  readonly stepSamples: number;
  /** Hertz. */
  readonly sampleRate: number;
}

/** Middle of a frame, in seconds from the start. */
export function secondsOfFrame({ centerSamples, stepSamples, sampleRate }: FrameClock, frame: number): number {
  return (centerSamples + frame * stepSamples) / sampleRate;
}
