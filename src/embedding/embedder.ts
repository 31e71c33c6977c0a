/** A batch of windows with their local speakers. */
export interface EmbedBatch {
  /** Axes (window, sample), float32 in [-1, 1]. */
  readonly windows: Float32Array;
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  readonly numWindows: number;
  readonly numSpeakers: number;
}

export interface EmbedResult {
  /** Axes (window, local speaker, dimension), float32; NaN where there was too little speech. */
  readonly embeddings: Float32Array<ArrayBuffer>;
  readonly fbankSeconds: number;
  readonly embeddingSeconds: number;
}

/** The stages fbank and embedding on one backend. */
export interface Embedder {
  /** @throws VoxlaneError `backend-failed`, `model-output`, `gpu-lost`, `gpu-memory`, `gpu-wrong` */
  embed(batch: EmbedBatch): Promise<EmbedResult>;
  /**
   * All frames of `samples` as one speaker's, for the self-check. Slower than {@link embed}: features come back too.
   *
   * @param onFeatures receives the model's input, axes (frame, mel), before the model runs
   * @returns axes (dimension)
   */
  embedStretch(samples: Float32Array, onFeatures: (features: Float32Array) => void): Promise<Float32Array>;
  /** Frees the session and its memory on the GPU. Do not call the embedder afterwards. */
  close(): Promise<void>;
}
