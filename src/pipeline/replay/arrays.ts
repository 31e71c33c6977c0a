import { unpackNpz } from '../../compare/files/npz';
import { BYTES_PER_ELEMENT, type ElementType } from '../../compare/files/elements';
import { readNpyHeader, rowMajorBytes } from '../../compare/npy';
import { VoxlaneError } from '../../util/errors';

/** An array of a capture, row-major, in float64: the comparison must not lose what float32 would. */
export interface CaptureArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Segmentations of a day at one window a second, in float32, and then some. */
const MAX_UNPACKED_BYTES = 1024 ** 3;

type ReadElement = (view: DataView, at: number) => number;

/** What numpy stores of pyannote's arrays. */
const READERS: Partial<Record<ElementType, ReadElement>> = {
  bool: (view, at) => view.getUint8(at),
  int8: (view, at) => view.getInt8(at),
  uint8: (view, at) => view.getUint8(at),
  int32: (view, at) => view.getInt32(at, true),
  int64: (view, at) => Number(view.getBigInt64(at, true)),
  float32: (view, at) => view.getFloat32(at, true),
  float64: (view, at) => view.getFloat64(at, true),
};

/**
 * Reads a `.npy` file without loss.
 *
 * @param name of the file, for the error
 * @throws VoxlaneError `format` where it cannot be read
 */
export function readArray(bytes: Uint8Array, name: string): CaptureArray {
  const header = readNpyHeader(bytes, name);
  const read = READERS[header.type];
  if (!read) {
    throw new VoxlaneError({
      code: 'format',
      problem: `${name} has the dtype ${header.dtype}`,
      expected: Object.keys(READERS).join(', '),
    });
  }
  const values = rowMajorBytes(header);
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  const size = BYTES_PER_ELEMENT[header.type];
  return {
    shape: header.shape,
    data: Float64Array.from({ length: values.length / size }, (_, index) => read(view, index * size)),
  };
}

/** Reads the arrays of an `.npz` file by name. @throws VoxlaneError `format` where it cannot be read */
export function readArrays(bytes: Uint8Array, name: string): Map<string, CaptureArray> {
  const entries = unpackNpz(bytes, name, MAX_UNPACKED_BYTES);
  return new Map(entries.map((entry) => [entry.name, readArray(entry.bytes, `${name}:${entry.name}`)]));
}
