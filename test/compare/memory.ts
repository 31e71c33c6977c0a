import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * Bytes of the array buffers that `run` made, also of those that it dropped: garbage is collected before and not
 * after. Only great sizes can be told by it, because the engine may collect in between.
 */
export function bufferBytesOf(run: () => unknown): number {
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  run();
  return process.memoryUsage().arrayBuffers - before;
}

/** Far above what a reader of a small file needs, far below what the file claims. */
export const FEW_BYTES = 4 * 1024 * 1024;
