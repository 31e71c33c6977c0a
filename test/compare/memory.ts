import { countedBytes } from './countBuffers';
import { zlibSync } from 'fflate';

/**
 * Total bytes of buffers allocated by `run`, including released ones. The count does not depend on the machine or on garbage
 * collection.
 */
export function bufferBytesOf(run: () => unknown): number {
  const before = countedBytes;
  run();
  return countedBytes - before;
}

/** Far more than a reader of a small file needs, and far less than the file claims. */
export const FEW_BYTES = 4 * 1024 * 1024;

if (bufferBytesOf(() => zlibSync(Uint8Array.of(1))) < 100) {
  throw new Error('fflate was loaded before its buffers could be counted. Import test/compare/memory first.');
}
