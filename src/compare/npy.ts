import { VoxlaneError } from '../util/errors';

/** A tensor as a `.npy` file holds it. */
export interface NpyTensor {
  /** Size of each axis; empty for a single number. */
  readonly shape: readonly number[];
  /** Row-major (C order): the last axis runs fastest. */
  readonly data: Float32Array;
}

/** How the values of one dtype are read. */
interface ValueType {
  readonly bytesPerValue: number;
  /** @param bytes whole values, at any alignment */
  readonly toFloat32: (bytes: Uint8Array) => Float32Array;
}

/** By numpy's `descr`. Other dtypes that a float32 can stand for are one line each. */
const VALUE_TYPES: Partial<Record<string, ValueType>> = {
  // A copy, because a typed array must begin at a multiple of its element size. Not by `slice`, which is a view where
  // the bytes are Node's Buffer.
  '<f4': { bytesPerValue: 4, toFloat32: (bytes) => new Float32Array(new Uint8Array(bytes).buffer) },
};

const EXPECTED = `a .npy file of ${Object.keys(VALUE_TYPES).join(', ')} values in C order`;
const MAGIC = [0x93, ...Array.from('NUMPY', (letter) => letter.charCodeAt(0))];
/** A dictionary of three short fields; more is no header, and would be decoded to text first. */
const MAX_HEADER_BYTES = 1 << 16;
/** Magic, version (major, minor). */
const VERSION_END = 8;
/** Bytes of the header's length, and how its text is encoded, by major version. */
const VERSIONS: Partial<Record<number, { readonly lengthBytes: 2 | 4; readonly encoding: 'latin1' | 'utf-8' }>> = {
  1: { lengthBytes: 2, encoding: 'latin1' },
  2: { lengthBytes: 4, encoding: 'latin1' },
  3: { lengthBytes: 4, encoding: 'utf-8' },
};

/**
 * Reads numpy's array file format, versions 1 to 3, little-endian float32 in C order.
 *
 * @param name of the file, for the error
 * @throws VoxlaneError `format` that says what was found: another format, version, dtype or order, or a shape that
 *   needs more or fewer bytes than there are
 */
export function parseNpy(bytes: Uint8Array, name: string): NpyTensor {
  const { text, dataStart } = readHeader(bytes, name);
  const dtype = quotedField(text, 'descr');
  const type = dtype === undefined ? undefined : VALUE_TYPES[dtype];
  if (!type) throw unreadable(name, `has the dtype ${dtype ?? `of the header ${shown(text)}`}`);
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  if (fortran !== 'False') {
    throw unreadable(name, fortran ? 'is in Fortran order' : `has no order in its header ${shown(text)}`);
  }
  const shape = readShape(text, name);
  const data = bytes.subarray(dataStart);
  // Before any allocation: a claimed shape costs nothing until as many bytes stand behind it.
  const needed = shape.reduce((product, size) => product * size, type.bytesPerValue);
  if (needed !== data.length) {
    throw unreadable(name, `has the shape (${shape.join(', ')}), which is ${needed} bytes, but ${data.length} follow`);
  }
  return { shape, data: type.toFloat32(data) };
}

/** The header's text (a Python dictionary) and where the values begin. */
function readHeader(bytes: Uint8Array, name: string): { text: string; dataStart: number } {
  if (MAGIC.some((value, index) => bytes[index] !== value)) throw unreadable(name, 'does not begin as .npy files do');
  const [major, minor] = bytes.subarray(MAGIC.length, VERSION_END);
  const version = VERSIONS[major ?? 0];
  if (!version || minor !== 0) throw unreadable(name, `is of the version ${major ?? '?'}.${minor ?? '?'}`);
  const textStart = VERSION_END + version.lengthBytes;
  if (bytes.length < textStart) throw unreadable(name, `ends in its header, after ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = version.lengthBytes === 2 ? view.getUint16(VERSION_END, true) : view.getUint32(VERSION_END, true);
  if (length > MAX_HEADER_BYTES) throw unreadable(name, `claims a header of ${length} bytes`);
  const dataStart = textStart + length;
  if (dataStart > bytes.length) {
    throw unreadable(name, `ends in its header, after ${bytes.length} bytes of ${dataStart}`);
  }
  return { text: new TextDecoder(version.encoding).decode(bytes.subarray(textStart, dataStart)), dataStart };
}

function quotedField(text: string, field: string): string | undefined {
  return new RegExp(`'${field}'\\s*:\\s*'([^']*)'`).exec(text)?.[1];
}

function readShape(text: string, name: string): number[] {
  const tuple = /'shape'\s*:\s*\(([\d,\s]*)\)/.exec(text)?.[1];
  // A tuple of one ends in a comma: (3,).
  const sizes = tuple?.split(',').map((size) => size.trim()).filter((size) => size !== '');
  const shape = sizes?.map(Number);
  if (!shape?.every(Number.isSafeInteger)) throw unreadable(name, `has no shape in its header ${shown(text)}`);
  return shape;
}

/** The beginning of a header, for a message. */
const shown = (text: string): string => JSON.stringify(text.slice(0, 120).trim());

function unreadable(name: string, found: string): VoxlaneError {
  return new VoxlaneError({
    code: 'format',
    problem: `${name} ${found}`,
    expected: EXPECTED,
    remedy: 'Save it with numpy.save(file, numpy.ascontiguousarray(array, dtype="<f4"))',
  });
}
