import { BlobSource, type Source } from 'mediabunny';

/** A demuxer that asks for the same few places so often in a row makes no progress. */
const MAX_REPEATS = 10_000;
/** How many places it may go round in. */
const MAX_PLACES = 8;

/** What mediabunny's demuxers call. The library's types leave it out. */
interface ReadableSource {
  _read?: (start: number, ...others: unknown[]) => unknown;
}

/** A demuxer goes round in circles in the file. */
export class DamagedStructure extends Error {
  constructor(readonly byte: number) {
    super(`The demuxer goes round in circles around byte ${byte}`);
  }
}

/**
 * A file for mediabunny whose reading ends with an error if a demuxer goes round in circles. Version 1.61 never ends with
 * some damaged Matroska files: `resync` in its `ebml.ts` stays where it is 8 bytes before the end of the file, and at an
 * element without a sound size.
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
