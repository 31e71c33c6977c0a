/** Opens files of any size as Blobs. Node's `openAsBlob` truncates sizes to 32 bits: of a file of 5 GiB, it opens 1 GiB. */
import { createReadStream, openAsBlob } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';

/** Files below this size are opened by Node. */
const MAX_NODE_BYTES = 2 ** 32;

/**
 * A file as a Blob that is read on demand.
 *
 * @throws errors of the file system
 */
export async function openFileBlob(path: string): Promise<Blob> {
  const { size } = await stat(path);
  return size < MAX_NODE_BYTES ? openAsBlob(path) : new LargeFileBlob(path, 0, size);
}

/**
 * A part of a file. Each read opens the file. Node itself sees an empty Blob, so a `LargeFileBlob` can neither be sent to a
 * thread nor be a part of another Blob.
 */
class LargeFileBlob extends Blob {
  readonly #path: string;
  readonly #start: number;
  readonly #end: number;

  /** @param end after the last byte */
  constructor(path: string, start: number, end: number, type = '') {
    super([], { type });
    this.#path = path;
    this.#start = start;
    this.#end = end;
  }

  override get size(): number {
    return this.#end - this.#start;
  }

  override slice(from = 0, to = this.size, type = ''): Blob {
    const place = (index: number): number => this.#start + (index < 0 ? Math.max(this.size + index, 0) : Math.min(index, this.size));
    return new LargeFileBlob(this.#path, place(from), Math.max(place(from), place(to)), type);
  }

  /** @throws errors of the file system; Error if the file has become shorter */
  override async arrayBuffer(): Promise<ArrayBuffer> {
    const bytes = new Uint8Array(this.size);
    const file = await open(this.#path);
    try {
      for (let filled = 0; filled < bytes.length;) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, this.#start + filled);
        if (bytesRead === 0) throw new Error(`${this.#path} has become shorter while it was read`);
        filled += bytesRead;
      }
    } finally {
      await file.close();
    }
    return bytes.buffer;
  }

  override async text(): Promise<string> {
    return new TextDecoder().decode(await this.arrayBuffer());
  }

  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    if (this.size === 0) return new Blob([]).stream();
    const file = createReadStream(this.#path, { start: this.#start, end: this.#end - 1, highWaterMark: 1 << 16 });
    return Readable.toWeb(file) as ReadableStream<Uint8Array<ArrayBuffer>>;
  }
}
