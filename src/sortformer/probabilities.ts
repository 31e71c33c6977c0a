/** The logistic function in float32, each operation rounded, as `torch.sigmoid` computes it on CPUs. */
export function sigmoid(logit: number): number {
  return Math.fround(1 / Math.fround(1 + Math.fround(Math.exp(-logit))));
}

/** Logits of one step, from which the probabilities of encoder frames follow. */
export interface StepLogits {
  /** Axes (mel frame, speaker), float32. */
  readonly logits: Float32Array;
  /** Encoder frame of the step to which the first row belongs. */
  readonly firstFrame: number;
  /** Encoder frames of the step before padding; the probabilities of the others are 0. */
  readonly numValidFrames: number;
}

/**
 * Probabilities per encoder frame: the mean over its mel frames. Matches `_pool_probs` of `Nemotron3DiarizationSpeakerCache`:
 * a sum in the order of time, then a division, in float32.
 *
 * @param from first encoder frame of the step, not before `firstFrame`
 * @param to encoder frame after the last one
 * @param factor mel frames per encoder frame
 * @returns axes (encoder frame, speaker), float32, 0 to 1
 */
export function pooledProbabilities(
  { logits, firstFrame, numValidFrames }: StepLogits,
  from: number,
  to: number,
  factor: number,
  numSpeakers: number,
): Float32Array {
  const pooled = new Float32Array((to - from) * numSpeakers);
  for (let frame = from; frame < Math.min(to, numValidFrames); frame++) {
    for (let speaker = 0; speaker < numSpeakers; speaker++) {
      let sum = 0;
      for (let part = 0; part < factor; part++) {
        const row = (frame - firstFrame) * factor + part;
        sum = Math.fround(sum + sigmoid(logits[row * numSpeakers + speaker]!));
      }
      pooled[(frame - from) * numSpeakers + speaker] = sum / factor;
    }
  }
  return pooled;
}
