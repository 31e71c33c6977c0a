import { VoxlaneError } from '../../util/errors';
import { readNpyHeader, rowMajorBytes } from '../npy';
import { checkpointTensor, type CheckpointTensor } from './checkpoint';
import { listZip, unpackZip } from './zip';

/** A checkpoint's weights hardly pack: what unpacks to more than this many times its size is none. */
const MAX_GROWTH = 4;
/** An archive of a few zeros may be small. */
const MIN_UNPACKED_BYTES = 64 * 1024 * 1024;
const SUFFIX = '.npy';

/** One array of an archive, as a `.npy` file. */
export interface NpzEntry {
  /** As `numpy.load(file)` knows it. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The arrays of an `.npz` file, in its order, each still a `.npy` file.
 *
 * @param label that an error begins with
 * @throws VoxlaneError `format` where it is no zip, damaged, or unpacks to more than `maxBytes`
 */
export function unpackNpz(bytes: Uint8Array, label: string, maxBytes: number): NpzEntry[] {
  const names = listZip(bytes, label).map(({ name }) => name).filter((name) => name.endsWith(SUFFIX));
  const files = unpackZip(bytes, label, new Set(names), maxBytes);
  return Array.from(files, ([name, file]) => ({ name: name.slice(0, -SUFFIX.length), bytes: file }));
}

/**
 * The tensors of an `.npz` checkpoint. One that cannot be read has a problem and no values; the others are read.
 *
 * @param name of the file, for the error
 * @throws VoxlaneError `format` where it is no zip, damaged, or unpacks to far more than a checkpoint would
 */
export function readNpz(bytes: Uint8Array, name: string): CheckpointTensor[] {
  const maxBytes = Math.max(MIN_UNPACKED_BYTES, MAX_GROWTH * bytes.length);
  return unpackNpz(bytes, name, maxBytes).map((entry) => readEntry(entry));
}

function readEntry({ name, bytes }: NpzEntry): CheckpointTensor {
  try {
    const header = readNpyHeader(bytes, name);
    const { dtype, type, shape } = header;
    const values = rowMajorBytes(header);
    return checkpointTensor({ name, dtype, type, shape, bytes: values, problem: null, isReadable: true });
  } catch (error) {
    if (!(error instanceof VoxlaneError)) throw error;
    const unreadable = { dtype: 'unknown', type: null, shape: [], bytes, isReadable: false };
    return checkpointTensor({ name, ...unreadable, problem: error.problem });
  }
}
