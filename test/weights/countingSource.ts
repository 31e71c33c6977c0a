import type { ByteSource } from '../../src/store/byteSource';

/** A source that records which bytes were read. */
export interface CountingSource extends ByteSource {
  /** Start and end of each read, in order. */
  readonly reads: (readonly [start: number, end: number])[];
}

/** A file in memory. */
export function countingSource(bytes: Uint8Array, name = 'model.safetensors'): CountingSource {
  const reads: (readonly [number, number])[] = [];
  return {
    name,
    size: bytes.length,
    reads,
    read(start, end) {
      reads.push([start, end]);
      return Promise.resolve(new Uint8Array(bytes.subarray(start, end)));
    },
  };
}
