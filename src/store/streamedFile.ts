import { openSha256, type RunningSha256 } from '../util/hash';
import type { CacheTools } from './cacheTools';
import { deletePieces, pieceName, PieceSink } from './pieces';
import type { Beginning, Receiver } from './receiver';

/**
 * Receives a file piece by piece into the shelf, and hashes it on the way. Holds less than one piece. After an interruption,
 * the complete pieces are recalled.
 */
export class StreamedFile implements Receiver {
  private sink: PieceSink;
  private hash: RunningSha256 | null = null;

  /**
   * @param file name and length of the complete file
   * @param enter adds the complete file to the index
   */
  constructor(
    private readonly tools: Omit<CacheTools, 'index'>,
    private readonly key: string,
    private readonly file: { readonly name: string; readonly bytes: number },
    private readonly enter: () => Promise<void>,
  ) {
    this.sink = this.sinkAfter(0);
  }

  async recall(): Promise<Beginning> {
    this.hash = await openSha256();
    const { pieceBytes, shelf } = this.tools;
    const { bytes } = this.file;
    let [numPieces, receivedBytes, tag] = [0, 0, null as string | null];
    while (receivedBytes < bytes) {
      // A failure to read means that nothing is stored. If storing fails too, that is reported.
      const piece = await shelf.get(pieceName(this.key, numPieces)).catch(() => null);
      if (piece?.bytes.length !== Math.min(pieceBytes, bytes - receivedBytes)) break;
      if (numPieces > 0 && piece.tag !== tag) break;
      this.hash.update(piece.bytes);
      tag = piece.tag;
      receivedBytes += piece.bytes.length;
      numPieces++;
    }
    this.sink = this.sinkAfter(numPieces);
    return { receivedBytes, tag };
  }

  /** @throws VoxlaneError `storage` if there is no room, or the browser refuses */
  async append(chunk: Uint8Array, tag: string | null): Promise<void> {
    this.hash!.update(chunk);
    await this.sink.write(chunk, tag);
  }

  sha256(): Promise<string> {
    return Promise.resolve(this.hash!.hex());
  }

  async clear(): Promise<void> {
    this.hash = await openSha256();
    this.sink = this.sinkAfter(0);
    await deletePieces(this.tools.shelf, `${this.key}/`).catch(() => undefined);
  }

  /** Adds the complete file to the index. @throws VoxlaneError `storage` */
  finish(sha256: string): Promise<void> {
    return this.sink.finish(sha256);
  }

  /** The last piece may be shorter; nothing follows it. */
  private sinkAfter(numPieces: number): PieceSink {
    return new PieceSink(this.tools, this.key, this.file, this.enter, numPieces);
  }
}
