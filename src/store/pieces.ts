/** Files on a shelf that are read and written piece by piece, so that they never have to fit in memory. */
import { VoxlaneError } from '../util/errors';
import type { ByteSink } from './byteSink';
import type { ByteSource } from './byteSource';
import type { CacheTools, Shelf } from './cacheTools';
import { notStored } from './storageFailure';

/** Name of a piece on the shelf. */
export const pieceName = (key: string, index: number): string => `${key}/${index}`;

/** Deletes all pieces of the files whose key begins with `prefix`, which ends with a slash. */
export async function deletePieces(shelf: Shelf, prefix: string): Promise<void> {
  for (const name of await shelf.names()) {
    if (name.startsWith(prefix)) await shelf.delete(name);
  }
}

/** Facts of a complete file. */
interface Complete {
  readonly bytes: number;
  readonly sha256: string;
}

/** Writes a file of unknown length and hash. Holds less than one piece. */
export class PieceSink implements ByteSink {
  private piece: Uint8Array<ArrayBuffer>;
  private filled = 0;
  private writtenBytes: number;
  /** Version of the bytes in `piece`. */
  private tag: string | null = null;

  /**
   * @param file name and expected size, for errors
   * @param enter adds the complete file to the index
   * @param numPieces pieces that are already on the shelf, to continue after them
   */
  constructor(
    private readonly tools: Omit<CacheTools, 'index'>,
    private readonly key: string,
    private readonly file: { readonly name: string; readonly bytes: number },
    private readonly enter: (facts: Complete) => Promise<void>,
    private numPieces = 0,
  ) {
    this.piece = new Uint8Array(tools.pieceBytes);
    this.writtenBytes = numPieces * tools.pieceBytes;
  }

  /** @param tag version of the bytes on the server; null if it states none */
  async write(bytes: Uint8Array, tag: string | null = null): Promise<void> {
    for (let start = 0; start < bytes.length;) {
      const part = bytes.subarray(start, start + this.piece.length - this.filled);
      this.piece.set(part, this.filled);
      this.filled += part.length;
      start += part.length;
      this.tag = tag;
      if (this.filled === this.piece.length) await this.put();
    }
  }

  async finish(sha256: string): Promise<void> {
    if (this.filled > 0) await this.put();
    await this.stored(() => this.enter({ bytes: this.writtenBytes, sha256 }));
  }

  async discard(): Promise<void> {
    // Pieces that stay count as unfinished, and the next conversion overwrites them.
    await deletePieces(this.tools.shelf, `${this.key}/`).catch(() => undefined);
  }

  private async put(): Promise<void> {
    const bytes = this.piece.slice(0, this.filled);
    await this.stored(() => this.tools.shelf.put(pieceName(this.key, this.numPieces), { bytes, tag: this.tag }));
    this.numPieces++;
    this.writtenBytes += bytes.length;
    this.filled = 0;
  }

  private async stored(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      throw await notStored({ ...this.file, storedBytes: this.writtenBytes }, cause, this.tools.storage);
    }
  }
}

/** Reads a stored file at any position. Holds one piece. */
export class PieceSource implements ByteSource {
  private held: { readonly index: number; readonly bytes: Uint8Array } | null = null;

  /** @param size length of the file in bytes */
  constructor(
    private readonly tools: Pick<CacheTools, 'shelf' | 'pieceBytes'>,
    private readonly key: string,
    readonly name: string,
    readonly size: number,
  ) {}

  /** @throws VoxlaneError `model-altered` if a piece is missing */
  async read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const { pieceBytes } = this.tools;
    const whole = new Uint8Array(end - start);
    for (let at = start; at < end;) {
      const index = Math.floor(at / pieceBytes);
      const piece = await this.pieceAt(index);
      const part = piece.subarray(at - index * pieceBytes, end - index * pieceBytes);
      whole.set(part, at - start);
      at += part.length;
    }
    return whole;
  }

  private async pieceAt(index: number): Promise<Uint8Array> {
    if (this.held?.index === index) return this.held.bytes;
    const length = Math.min(this.tools.pieceBytes, this.size - index * this.tools.pieceBytes);
    let bytes: Uint8Array | undefined;
    try {
      bytes = (await this.tools.shelf.get(pieceName(this.key, index)))?.bytes;
    } catch (cause) {
      throw gone(this.name, cause);
    }
    if (bytes?.length !== length) throw gone(this.name);
    this.held = { index, bytes };
    return bytes;
  }
}

/** The browser has cleared a part of the file, or another tab has deleted it. */
function gone(name: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'model-altered',
      problem: `A part of the stored file ${name} is missing`,
      expected: 'the whole file, as it was stored',
      remedy: 'Run again, and do not change stored models during a run',
    },
    { cause },
  );
}
