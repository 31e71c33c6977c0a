import { BlobSource, type Source } from 'mediabunny';

/** A demuxer that reads the same few places this often in a row makes no progress. */
const MAX_REPEATS = 10_000;
/** Number of places that such a loop can have. */
const MAX_PLACES = 8;

/** The method that mediabunny's demuxers call. The library's types omit it. */
interface ReadableSource {
  _read?: (start: number, ...others: unknown[]) => unknown;
}

/** A demuxer reads the same places of the file in an endless loop. */
export class DamagedStructure extends Error {
  constructor(readonly byte: number) {
    super(`The demuxer is in an endless loop around byte ${byte}`);
  }
}

/**
 * A file for mediabunny that throws if a demuxer is in an endless loop. Version 1.61 hangs on some damaged Matroska files:
 * `resync` in its `ebml.ts` does not advance 8 bytes before the end of the file, or at an element whose size is invalid.
 */
export function guardedSource(blob: Blob): Source {
  const source = new BlobSource(blob);
  const target = source as unknown as ReadableSource;
  const read = target._read;
  if (!read) return source;
  const places: number[] = [];
  let numRepeats = 0;
  target._read = (start, ...others) => {
    if (places.includes(start)) {
      numRepeats++;
    } else {
      numRepeats = 0;
      places.push(start);
      if (places.length > MAX_PLACES) places.shift();
    }
    if (numRepeats > MAX_REPEATS) throw new DamagedStructure(start);
    return read.call(source, start, ...others);
  };
  return source;
}
