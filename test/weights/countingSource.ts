import type { ByteSource } from '../../src/store/byteSource';

/** A source that records which bytes were read. */
export interface CountingSource extends ByteSource {
  /** Start and end of each read, in order. */
  readonly reads: (readonly [start: number, end: number])[];
  /** Greatest number of reads at a time. */
  readonly mostAtOnce: () => number;
}

/** A file in memory. */
export function countingSource(bytes: Uint8Array, name = 'model.safetensors'): CountingSource {
  const reads: (readonly [number, number])[] = [];
  let [atOnce, mostAtOnce] = [0, 0];
  return {
    name,
    size: bytes.length,
    reads,
    mostAtOnce: () => mostAtOnce,
    async read(start, end) {
      reads.push([start, end]);
      mostAtOnce = Math.max(mostAtOnce, ++atOnce);
      await Promise.resolve();
      atOnce--;
      return new Uint8Array(bytes.subarray(start, end));
    },
  };
}
