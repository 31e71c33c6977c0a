import { VoxlaneError } from '../../util/errors';

/** @throws VoxlaneError `audio-decode` if the file has disappeared since it was chosen */
export async function readBytes(source: Blob, start: number, end: number): Promise<DataView> {
  try {
    return new DataView(await source.slice(start, end).arrayBuffer());
  } catch (cause) {
    throw unreadable(start, cause);
  }
}

/** The error for a file that was moved, changed or removed since it was chosen. @param at first byte that could not be read */
export function unreadable(at: number, cause: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'audio-decode',
      problem: `The file cannot be read at byte ${at}`,
      remedy: 'Choose the file again. It may have been moved or changed',
    },
    { cause },
  );
}

const WINDOW_BYTES = 1 << 20;

/** Random access to the bytes of a file through a moving window of about one megabyte. */
export class ByteReader {
  #start = 0;
  #window: Uint8Array = new Uint8Array(0);

  constructor(private readonly source: Blob) {}

  /** Length of the file in bytes. */
  get size(): number {
    return this.source.size;
  }

  /**
   * The bytes of `[start, start + length)`, fewer at the end of the file. The result is a view, valid until the next
   * call.
   *
   * @throws VoxlaneError `audio-decode` if the file can no longer be read
   */
  read(start: number, length: number): Uint8Array | Promise<Uint8Array> {
    const end = Math.min(start + length, this.size);
    if (start >= this.#start && end <= this.#start + this.#window.length) return this.#cut(start, end);
    return this.#load(start, end);
  }

  async #load(start: number, end: number): Promise<Uint8Array> {
    if (end <= start) return new Uint8Array(0);
    const view = await readBytes(this.source, start, Math.min(this.size, Math.max(end, start + WINDOW_BYTES)));
    this.#window = new Uint8Array(view.buffer);
    this.#start = start;
    return this.#cut(start, end);
  }

  #cut(start: number, end: number): Uint8Array {
    return this.#window.subarray(start - this.#start, Math.max(start, end) - this.#start);
  }
}

/** Whether `bytes` has the ASCII characters of `text` at `offset`. */
export function hasText(bytes: Uint8Array, offset: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[offset + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** A big-endian unsigned integer, exact up to 2⁵³. */
export function bigEndian(bytes: Uint8Array, offset: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + (bytes[offset + i] ?? 0);
  return value;
}

/** A little-endian unsigned integer of up to 6 bytes. */
export function littleEndian(bytes: Uint8Array, offset: number, length: number): number {
  let value = 0;
  for (let i = length - 1; i >= 0; i--) value = value * 256 + (bytes[offset + i] ?? 0);
  return value;
}
