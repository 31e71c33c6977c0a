import { BYTES_PER_ELEMENT, type ElementType } from '../../util/elementTypes';
import { VoxlaneError } from '../../util/errors';
import { ownValue } from '../../util/values';
import { shapeText, sizeOf, type Tensor } from '../tensor';
import { checkpointTensor, type CheckpointTensor, exactValues, toFloat32, toLittleEndian } from './elements';
import { listZip, unpackZip } from './zip';

/**
 * Converts values from Fortran order (the first axis varies fastest) to C order (the last axis varies fastest), for any
 * number of axes.
 *
 * @param bytes `sizeOf(shape)` values
 * @returns the same array if both orders are equal: at most one axis is longer than 1
 */
function fortranToRowMajor(bytes: Uint8Array, shape: readonly number[], bytesPerElement: number): Uint8Array {
  if (shape.filter((size) => size !== 1).length < 2) return bytes;
  const rowMajor = new Uint8Array(bytes.length);
  /** Elements from one index of each axis to the next, in Fortran order. */
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < rowMajor.length; to += bytesPerElement) {
    for (let byte = 0; byte < bytesPerElement; byte++) rowMajor[to + byte] = bytes[from * bytesPerElement + byte]!;
    // Advance to the next element in C order: the last axis counts up and carries into the preceding axes.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return rowMajor;
}

/** The tensor of a `.npy` file. */
export interface NpyTensor extends Tensor {
  /** Type of the values in the file in numpy's notation: `<f4`. */
  readonly dtype: string;
  /** What float32 does not hold exactly, and what was assumed; clauses without a period. */
  readonly notes: readonly string[];
}

/** The header of a `.npy` file, with its values. */
interface NpyHeader {
  readonly dtype: string;
  readonly type: ElementType;
  readonly littleEndian: boolean;
  /** True if the first axis varies fastest. */
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** The values, a view of the file: its length matches type and shape. */
  readonly body: Uint8Array;
  readonly notes: readonly string[];
}

/** By kind and bytes of numpy's `descr`. */
const ELEMENT_TYPES: Partial<Record<string, ElementType>> = {
  b1: 'bool',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  f2: 'float16',
  V2: 'bfloat16',
  f4: 'float32',
  f8: 'float64',
};

/** Unsupported types, by numpy's kind. */
const OTHER_KINDS: Partial<Record<string, string>> = {
  O: 'pickled Python objects, which are never run',
  c: 'complex numbers',
  f: 'floats of more than 64 bits',
  S: 'text',
  U: 'text',
  M: 'dates',
  m: 'durations',
  V: 'raw bytes of unknown type',
};

const MAGIC = [0x93, ...Array.from('NUMPY', (letter) => letter.charCodeAt(0))];
/** A valid header is a dictionary of three short fields. The limit prevents decoding a huge text. */
const MAX_HEADER_BYTES = 1 << 16;
/** Maximum number of axes of numpy arrays. */
const MAX_AXES = 64;
/** Magic number and version (major, minor). */
const VERSION_END = 8;
/** Length of the header's size field, and the encoding of its text, by major version. */
const VERSIONS: Partial<Record<number, { readonly lengthBytes: 2 | 4; readonly encoding: 'latin1' | 'utf-8' }>> = {
  1: { lengthBytes: 2, encoding: 'latin1' },
  2: { lengthBytes: 4, encoding: 'latin1' },
  3: { lengthBytes: 4, encoding: 'utf-8' },
};

/**
 * Parses numpy's array file format, versions 1 to 3: floats, integers and booleans in either byte order, in C or Fortran
 * order. Returns float32 values in C order, and also the values in their own type if float32 rounds any of them.
 *
 * @param name file name for errors
 * @throws VoxlaneError `format` that describes the file: another format, version or dtype, or a shape that does not match
 *   the number of bytes
 */
export function parseNpy(bytes: Uint8Array, name: string): NpyTensor {
  const header = readNpyHeader(bytes, name);
  const { dtype, type, shape, littleEndian, notes } = header;
  const body = rowMajorBody(header);
  const { data, notes: lost } = toFloat32(body, type, littleEndian);
  const exact = exactValues(body, type, data, littleEndian);
  return { shape, data, ...(exact && { exact }), ...(type !== 'float32' && { storedAs: type }), dtype, notes: exact ? notes : [...notes, ...lost] };
}

/** The values of a `.npy` file in C order and little-endian: a view of the file if it has this layout. */
export function rowMajorBytes(header: NpyHeader): Uint8Array {
  return toLittleEndian(rowMajorBody(header), header.type, header.littleEndian);
}

/**
 * Reads everything except the values, and checks their length. Allocates no buffer, whatever the file declares.
 *
 * @throws VoxlaneError `format` like {@link parseNpy}
 */
export function readNpyHeader(bytes: Uint8Array, name: string): NpyHeader {
  const { text, dataStart } = readDictionary(bytes, name);
  const { dtype, type, littleEndian, notes } = readType(text, name);
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  if (!fortran) throw unreadable(name, `has no order in its header ${shown(text)}`);
  const shape = readShape(text, name);
  const body = bytes.subarray(dataStart);
  // An empty axis means zero bytes, even if the product of the other sizes overflows.
  const needed = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, BYTES_PER_ELEMENT[type]);
  if (needed !== body.length) {
    throw unreadable(name, `has the shape ${shapeText(shape)}, which is ${needed} bytes, but ${body.length} follow`);
  }
  return { dtype, type, littleEndian, fortranOrder: fortran === 'True', shape, body, notes };
}

/** True if a `.npy` file holds text. @throws VoxlaneError `format` if its header cannot be read */
export const isTextNpy = (bytes: Uint8Array, name: string): boolean => /'descr'\s*:\s*'[<>=|]?[SU]\d*'/.test(readDictionary(bytes, name).text);

const rowMajorBody = ({ body, shape, type, fortranOrder }: NpyHeader): Uint8Array =>
  fortranOrder ? fortranToRowMajor(body, shape, BYTES_PER_ELEMENT[type]) : body;

/** The header's text (a Python dictionary) and the start of the values. */
function readDictionary(bytes: Uint8Array, name: string): { text: string; dataStart: number } {
  if (MAGIC.some((value, index) => bytes[index] !== value)) throw unreadable(name, 'does not begin like a .npy file');
  const [major, minor] = bytes.subarray(MAGIC.length, VERSION_END);
  const version = VERSIONS[major ?? 0];
  if (!version || minor !== 0) throw unreadable(name, `is of the version ${major ?? '?'}.${minor ?? '?'}`);
  const textStart = VERSION_END + version.lengthBytes;
  if (bytes.length < textStart) throw unreadable(name, `ends in its header, after ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = version.lengthBytes === 2 ? view.getUint16(VERSION_END, true) : view.getUint32(VERSION_END, true);
  if (length > MAX_HEADER_BYTES) throw unreadable(name, `declares a header of ${length} bytes`);
  const dataStart = textStart + length;
  if (dataStart > bytes.length) {
    throw unreadable(name, `ends in its header, after ${bytes.length} bytes of ${dataStart}`);
  }
  return { text: new TextDecoder(version.encoding).decode(bytes.subarray(textStart, dataStart)), dataStart };
}

function readType(text: string, name: string): Pick<NpyHeader, 'dtype' | 'type' | 'littleEndian' | 'notes'> {
  if (/'descr'\s*:\s*\[/.test(text)) throw unreadable(name, `holds records of several fields: ${shown(text)}`);
  const dtype = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  if (dtype === undefined) throw unreadable(name, `has no dtype in its header ${shown(text)}`);
  const [, order = '', kind = '', width = ''] = /^([<>=|]?)([A-Za-z])(\d*)$/.exec(dtype) ?? [];
  const type = ownValue(ELEMENT_TYPES, kind + width);
  if (!type) {
    const meaning = ownValue(OTHER_KINDS, kind);
    throw unreadable(name, `has the dtype ${dtype.slice(0, 40)}${meaning === undefined ? '' : ` (${meaning})`}`);
  }
  // numpy has no bfloat16; ml_dtypes, which adds it, is the usual source of two-byte raw values.
  if (type === 'bfloat16') return { dtype, type, littleEndian: order !== '>', notes: [`has the dtype ${dtype}: read as bfloat16`] };
  const isStated = order === '<' || order === '>' || BYTES_PER_ELEMENT[type] === 1;
  const notes = isStated ? [] : [`has the dtype ${dtype}, which has no byte order: read as little-endian`];
  return { dtype, type, littleEndian: order !== '>', notes };
}

function readShape(text: string, name: string): number[] {
  const tuple = /'shape'\s*:\s*\(([\d,\s]*)\)/.exec(text)?.[1];
  // A one-element tuple ends in a comma: (3,).
  const sizes = tuple?.split(',').map((size) => size.trim()).filter((size) => size !== '');
  const shape = sizes?.map(Number);
  if (!shape?.every(Number.isSafeInteger)) throw unreadable(name, `has no shape in its header ${shown(text)}`);
  if (shape.length > MAX_AXES) throw unreadable(name, `has ${shape.length} axes`);
  return shape;
}

/** The beginning of a header, for an error message. */
const shown = (text: string): string => JSON.stringify(text.slice(0, 120).trim());

function unreadable(name: string, found: string): VoxlaneError {
  return new VoxlaneError({
    code: 'format',
    problem: `${name} ${found}`,
    expected: `a .npy file of ${Object.values(ELEMENT_TYPES).join(', ')} values`,
    remedy: 'Save it with numpy.save(file, array.astype("float32"))',
  });
}

/** Checkpoint weights barely compress: an archive that grows by more than this factor is not a checkpoint. */
const MAX_GROWTH = 4;
/** Small archives of zeros may grow by a larger factor. */
const MIN_UNPACKED_BYTES = 64 * 1024 * 1024;
const SUFFIX = '.npy';

/** One array of an archive, as a `.npy` file. */
interface NpzEntry {
  /** Name in `numpy.load(file)`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Lists the arrays of an `.npz` file in file order, each as a `.npy` file.
 *
 * @param label start of error messages
 * @throws VoxlaneError `format` if it is not a zip, is damaged, or unpacks to more than `maxBytes`
 */
export function unpackNpz(bytes: Uint8Array, label: string, maxBytes: number): NpzEntry[] {
  const names = listZip(bytes, label).map(({ name }) => name).filter((name) => name.endsWith(SUFFIX));
  const files = unpackZip(bytes, label, new Set(names), maxBytes);
  return Array.from(files, ([name, file]) => ({ name: name.slice(0, -SUFFIX.length), bytes: file }));
}

/**
 * Reads the tensors of an `.npz` checkpoint. An unreadable tensor has a `problem` and no values; the others are read.
 *
 * @param name file name for errors
 * @throws VoxlaneError `format` if it is not a zip, is damaged, or unpacks to far more than a checkpoint would
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
