/** Input of one step: everything that the encoder attends to. */
export interface StepInput {
  /** Speaker cache, FIFO, chunk and look-ahead, in this order; axes (encoder frame, hidden), float32. */
  readonly embeddings: Float32Array;
  readonly numFrames: number;
  /** Encoder frames before padding. No frame may attend to the others, which are at the end. */
  readonly numValidFrames: number;
  /** Only the logits of encoder frames from this one on are returned. A network may compute the others too. */
  readonly firstScoredFrame: number;
}

/** Samples of consecutive mel frames. */
export interface SampleBatch {
  /** Axes (sample), float32, nominally in [-1, 1]: every sample in the windows of the frames, and the one before, if the recording has them. */
  readonly samples: Float32Array;
  /** Center of the first frame, from the first of `samples`. */
  readonly centerSamples: number;
  readonly numFrames: number;
}

/**
 * The network of a Sortformer model without its state. All methods must return equal values for equal arguments.
 */
export interface StreamNetwork {
  readonly numMelBins: number;
  /** Learned embedding of silence, `silence_embeds`; axes (hidden), float32. Its length is the size of an encoder frame. */
  readonly silence: Float32Array;
  /**
   * Stacks mel frames and projects them. Matches `Nemotron3DiarizationFeatureStacking`.
   *
   * @param melFrames axes (mel frame, mel), float32; whole encoder frames
   * @returns axes (encoder frame, hidden), float32
   */
  embed(melFrames: Float32Array): Promise<Float32Array>;
  /**
   * Computes the mel frames of samples, stacks and projects them. Absent if the network has no filterbank.
   *
   * @param batch whole encoder frames
   * @returns as {@link embed}
   */
  embedSamples?(batch: SampleBatch): Promise<Float32Array>;
  /**
   * Runs encoder, projection, upsampling and classifier. One call, so all values between them can stay on a GPU. Positions
   * start at 0 in each step. Matches `Nemotron3DiarizationModel` and its classification head.
   *
   * @returns axes (mel frame, speaker), float32, from the first mel frame of `firstScoredFrame` on
   */
  logits(input: StepInput): Promise<Float32Array>;
}
