/**
 * Receives a file in order. Nothing counts as a file before {@link ByteSink.finish}, so that an interruption leaves nothing
 * that looks complete.
 */
export interface ByteSink {
  /**
   * Appends bytes. The caller must not change them afterward.
   *
   * @throws VoxlaneError `storage` if there is no room, or the browser refuses
   */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Completes the file. @throws VoxlaneError `storage` like `write` */
  finish(sha256: string): Promise<void>;
  /** Deletes what was written. Never rejects. */
  discard(): Promise<void>;
}

/** A sink that keeps the file as a Blob, which browsers move to disk if it is large. For visitors without storage. */
export class BlobSink implements ByteSink {
  private blob: Blob | null = null;
  private parts: Blob[] = [];

  write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.parts.push(new Blob([bytes]));
    return Promise.resolve();
  }

  finish(): Promise<void> {
    this.blob = new Blob(this.parts);
    this.parts = [];
    return Promise.resolve();
  }

  discard(): Promise<void> {
    this.parts = [];
    return Promise.resolve();
  }

  /** The complete file; null before `finish`. */
  get file(): Blob | null {
    return this.blob;
  }
}
