/** The beginning of a partly downloaded file. */
export interface Beginning {
  readonly receivedBytes: number;
  /** The server's ETag of the file version. */
  readonly tag: string | null;
}

/** Where received bytes go. */
export interface Receiver {
  /** Recalls the bytes of an earlier visit. Called first. */
  recall(): Promise<Beginning>;
  /**
   * Appends a chunk.
   *
   * @param tag version of the received bytes
   */
  append(chunk: Uint8Array, tag: string | null): Promise<void>;
  /** SHA-256 of the complete file. */
  sha256(): Promise<string>;
  /** Drops all bytes. */
  clear(): Promise<void>;
}
