// Must be imported first, because it counts buffers of modules loaded later.
import { countedBytes } from '../compare/countBuffers';
import { messageOf, VoxlaneError } from '../../src/util/errors';

/** A reader of one file format. */
export interface Reader {
  readonly name: string;
  /** Valid files to mutate. */
  readonly seeds: () => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** Reads the whole file and throws if the result is impossible. */
  readonly read: (bytes: Uint8Array) => unknown;
  /** Number of inputs per test run; fewer for slow readers. */
  readonly numRuns: number;
}

/**
 * Maximum bytes of buffers that a reader may allocate: some megabytes, plus a few float32 values per byte of the file. A reader
 * that trusts a wrong size in a header allocates more.
 */
const MAX_FIXED_BYTES = 48 << 20;
const MAX_BYTES_PER_BYTE = 200;

/**
 * Checks that a reader returns a result or throws a typed error.
 *
 * @returns the fault; null if there is none
 */
export async function findingOf({ read }: Reader, bytes: Uint8Array): Promise<string | null> {
  const before = countedBytes;
  try {
    await read(bytes);
  } catch (thrown) {
    if (!(thrown instanceof VoxlaneError)) return thrown instanceof Error ? (thrown.stack ?? thrown.message) : `threw ${messageOf(thrown)}`;
    if (thrown.problem.trim() === '' || thrown.message.length > MAX_MESSAGE) return `has an error of ${thrown.message.length} characters: ${thrown.message.slice(0, 300)}`;
    // eslint-disable-next-line no-control-regex
    if (/[\0-\x08\x0e-\x1f]/.test(thrown.message)) return `has control characters in its error: ${JSON.stringify(thrown.message)}`;
  }
  const asked = countedBytes - before;
  return asked > MAX_FIXED_BYTES + MAX_BYTES_PER_BYTE * bytes.length ? `allocated ${asked} bytes for a file of ${bytes.length}` : null;
}

/** Maximum length of a readable error message. */
const MAX_MESSAGE = 5000;

/** @throws Error if `holds` is false, which means that the result of a reader is impossible */
export function ensure(holds: boolean, what: string): void {
  if (!holds) throw new Error(`The result is impossible: ${what}`);
}
