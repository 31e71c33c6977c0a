import { unavailable } from './load';

/** Bytes that can be read at any position, without the rest: of a Blob, or of a stored model. */
export interface ByteSource {
  /** File name for errors. */
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /**
   * Reads the bytes from `start` to before `end`: a copy at the start of its buffer, so that any typed array can view it.
   *
   * @throws VoxlaneError if they cannot be read
   */
  read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * The bytes of a Blob: a chosen or dropped File, the File of a handle in OPFS, or in Node the result of `openAsBlob`. Each
 * read throws VoxlaneError `model-missing` if the file was changed or removed after it was chosen.
 */
export function blobSource(blob: Blob, name: string): ByteSource {
  return {
    name,
    size: blob.size,
    async read(start, end) {
      let bytes: Uint8Array<ArrayBuffer>;
      try {
        bytes = new Uint8Array(await blob.slice(start, end).arrayBuffer());
      } catch (cause) {
        throw unavailable(`The file ${name} could not be read`, cause);
      }
      if (bytes.length === end - start) return bytes;
      throw unavailable(`The file ${name} could not be read: it has ${bytes.length} bytes at ${start}, not ${end - start}`);
    },
  };
}
