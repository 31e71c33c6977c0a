import { countedBytes } from './countBuffers';
import { zlibSync } from 'fflate';

/**
 * Bytes of the buffers that `run` asked for, also of those that it dropped: a count, which does not depend on the
 * machine or on when garbage is collected.
 */
export function bufferBytesOf(run: () => unknown): number {
  const before = countedBytes;
  run();
  return countedBytes - before;
}

/** Far above what a reader of a small file needs, far below what the file claims. */
export const FEW_BYTES = 4 * 1024 * 1024;

if (bufferBytesOf(() => zlibSync(Uint8Array.of(1))) < 100) {
  throw new Error('fflate was loaded before its buffers could be counted. Import test/compare/memory first.');
}
