// First: it counts what is loaded after it.
import { countedBytes } from '../compare/countBuffers';
import { messageOf, VoxlaneError } from '../../src/util/errors';

/** Reads files of one form. */
export interface Reader {
  readonly name: string;
  /** Sound files, which are changed. */
  readonly seeds: () => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** Reads a file to its end, and throws if what it reads cannot be right. */
  readonly read: (bytes: Uint8Array) => unknown;
  /** Inputs of one run of the tests: fewer of what takes longer. */
  readonly numRuns: number;
}

/**
 * Bytes of buffers that a file may cost. A reader has chunks of some megabytes, and float32 for every byte of a file a few
 * times over; a size that only a header announces costs more.
 */
const MAX_FIXED_BYTES = 48 << 20;
const MAX_BYTES_PER_BYTE = 200;

/**
 * Whether a reader gives a typed error or a result.
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

/** An error is read by a person. */
const MAX_MESSAGE = 5000;

/** @throws Error if `holds` is false: the result of a reader cannot be right */
export function ensure(holds: boolean, what: string): void {
  if (!holds) throw new Error(`The result cannot be right: ${what}`);
}
