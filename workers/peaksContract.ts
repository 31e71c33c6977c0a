/** What the page may ask of the worker that reads peaks. */
export interface PeaksWorkerApi {
  /** Opens a file to be decoded in this worker. Where only the page has a decoder, it rejects with `audio-unsupported`. */
  open(blob: Blob): Promise<void>;
  /** The next peaks, axes (peak, [lowest, highest]), as in `Peaks`; null after the last. What comes back moves. */
  next(): Promise<Int16Array | null>;
}
