// First: it counts what is loaded after it.
import { countedBytes } from '../compare/countBuffers';
import { messageOf, VoxlaneError } from '../../src/util/errors';

/** A reader of one file format. */
export interface Reader {
  readonly name: string;
  /** Valid files, to be mutated. */
  readonly seeds: () => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** Reads the whole file, and throws if the result cannot be right. */
  readonly read: (bytes: Uint8Array) => unknown;
  /** Inputs in one run of the tests; slow readers get fewer. */
  readonly numRuns: number;
}

/**
 * Bytes of buffers that a reader may allocate: some chunks of megabytes, and a few float32 for each byte of the file. A reader
 * that believes a false size in a header allocates more.
 */
const MAX_FIXED_BYTES = 48 << 20;
const MAX_BYTES_PER_BYTE = 200;

/**
 * Checks that a reader gives a result or a typed error.
 *
 * @returns what was wrong; null if nothing was
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
  return asked > MAX_FIXED_BYTES + MAX_BYTES_PER_BYTE * bytes.length ? `asked for ${asked} bytes for a file of ${bytes.length}` : null;
}

/** People read error messages. */
const MAX_MESSAGE = 5000;

/** @throws Error if `holds` is false: the result of a reader cannot be right */
export function ensure(holds: boolean, what: string): void {
  if (!holds) throw new Error(`The result cannot be right: ${what}`);
}
