/** Sound as it reaches the worker that reads peaks. */
export type PeaksSource =
  | { readonly kind: 'file'; readonly blob: Blob; readonly track: number | undefined }
  /** Planar channels that the page decoded itself. */
  | { readonly kind: 'channels'; readonly channels: Float32Array[]; readonly sampleRate: number };

/** What the page may ask of the worker that reads peaks. */
export interface PeaksWorkerApi {
  /** Rejects with `audio-unsupported` for a file that only the page can decode. */
  open(source: PeaksSource): Promise<void>;
  /** The next peaks, axes (peak, [lowest, highest]), as in `Peaks`; null after the last. What comes back moves. */
  next(): Promise<Int16Array | null>;
}
