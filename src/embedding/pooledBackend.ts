/** A window with local speakers. */
export interface PoolJob {
  /** Index in the features. */
  readonly window: number;
  /** For each speaker, axes (mask frame), 0 or 1. */
  readonly masks: readonly Uint8Array[];
}

/** Features of a batch of windows on one backend, valid until the next batch. */
export interface PooledWindows {
  /** Mel frames of each window; 0 if a window is shorter than a frame. */
  readonly numFrames: number;
  /** The network's input for a window, axes (frame, mel). */
  read(window: number): Promise<Float32Array>;
  /**
   * Runs the backbone once on each window, and pools its map for all masks together.
   *
   * @returns axes (mask of all jobs, dimension); NaN for a mask without a frame of the map
   */
  pool(jobs: readonly PoolJob[]): Promise<Float32Array>;
}

/** The features and the pooling of one backend. */
export interface PooledBackend {
  /**
   * @param samples axes (window, sample), float32 in [-1, 1]
   * @param numSpeakers maximum number of masks of a window
   */
  open(samples: Float32Array, numWindows: number, numSpeakers: number): Promise<PooledWindows>;
  /** Frees the session and its GPU memory. Do not call the backend afterward. */
  close(): Promise<void>;
}
