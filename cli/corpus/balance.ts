/** Splits recordings into shards of nearly equal audio duration. */

/** A shard and the audio that it has so far. */
interface Load {
  readonly shard: number;
  seconds: number;
}

/**
 * Longest processing time first: the longest recording that is left goes to the shard with the least audio (Graham 1969).
 * Shards differ by at most the length of one recording. Depends only on the durations and their order.
 *
 * @param durations axes (recording), in seconds
 * @returns axes (recording), the shard of each, from 0
 */
export function balancedShards(durations: Float64Array, numShards: number): Uint32Array {
  // Sorted by shard, so it is a heap.
  const heap = Array.from({ length: numShards }, (_, shard): Load => ({ shard, seconds: 0 }));
  const order = Uint32Array.from(durations, (_, index) => index).sort((a, b) => durations[b]! - durations[a]! || a - b);
  const shards = new Uint32Array(durations.length);
  for (const index of order) {
    const [least] = heap as [Load, ...Load[]];
    shards[index] = least.shard;
    least.seconds += durations[index]!;
    sink(heap);
  }
  return shards;
}

const isLess = (a: Load, b: Load): boolean => a.seconds < b.seconds || (a.seconds === b.seconds && a.shard < b.shard);

/** Restores the order of a binary heap after its first element has grown. */
function sink(heap: Load[]): void {
  let at = 0;
  for (;;) {
    let least = at;
    for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && isLess(heap[child]!, heap[least]!)) least = child;
    if (least === at) return;
    [heap[at], heap[least]] = [heap[least]!, heap[at]!];
    at = least;
  }
}
