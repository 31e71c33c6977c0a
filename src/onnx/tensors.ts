import { VoxlaneError } from '../util/errors';
import { bfloat16ToFloat32, float8ToFloat32, halfToFloat32, smallFloatTable } from '../util/numberTypes';
import { ownValue } from '../util/values';
import { subgraphsOf } from './nodes';
import { type GraphProto, type ModelProto, type TensorProto, TensorProto_DataLocation } from './onnx_pb';
import { dtypeName } from './types';

/** Memory layout of a type's elements, and their conversion to float32. */
interface Element {
  readonly bits: number;
  /** Values that the file holds in typed fields in place of raw bytes. */
  readonly fromFields: (tensor: TensorProto) => ArrayBufferView;
  /**
   * Null for complex numbers, which are only compared as bytes.
   *
   * @param bytes row-major, little-endian, a copy at the start of its buffer
   */
  readonly toFloat32: ((bytes: Uint8Array<ArrayBuffer>, numValues: number) => Float32Array) | null;
}

/**
 * By type name. In typed fields, ONNX stores small types as int32 and wide unsigned types as uint64. Raw bytes in ONNX are
 * little-endian, like every JavaScript engine.
 */
const ELEMENTS: Partial<Record<string, Element>> = {
  float32: {
    bits: 32,
    fromFields: ({ floatData }) => new Float32Array(floatData),
    toFloat32: ({ buffer }) => new Float32Array(buffer),
  },
  float64: {
    bits: 64,
    fromFields: ({ doubleData }) => new Float64Array(doubleData),
    toFloat32: ({ buffer }) => Float32Array.from(new Float64Array(buffer)),
  },
  float16: {
    bits: 16,
    fromFields: ({ int32Data }) => new Uint16Array(int32Data),
    toFloat32: (bytes) => halfToFloat32(bytes, true),
  },
  bfloat16: {
    bits: 16,
    fromFields: ({ int32Data }) => new Uint16Array(int32Data),
    toFloat32: (bytes) => bfloat16ToFloat32(bytes, true),
  },
  int64: {
    bits: 64,
    fromFields: ({ int64Data }) => new BigInt64Array(int64Data),
    toFloat32: ({ buffer }) => Float32Array.from(new BigInt64Array(buffer), Number),
  },
  uint64: {
    bits: 64,
    fromFields: ({ uint64Data }) => new BigUint64Array(uint64Data),
    toFloat32: ({ buffer }) => Float32Array.from(new BigUint64Array(buffer), Number),
  },
  int32: {
    bits: 32,
    fromFields: ({ int32Data }) => new Int32Array(int32Data),
    toFloat32: ({ buffer }) => Float32Array.from(new Int32Array(buffer)),
  },
  uint32: {
    bits: 32,
    fromFields: ({ uint64Data }) => Uint32Array.from(uint64Data, Number),
    toFloat32: ({ buffer }) => Float32Array.from(new Uint32Array(buffer)),
  },
  int16: {
    bits: 16,
    fromFields: ({ int32Data }) => new Int16Array(int32Data),
    toFloat32: ({ buffer }) => Float32Array.from(new Int16Array(buffer)),
  },
  uint16: {
    bits: 16,
    fromFields: ({ int32Data }) => new Uint16Array(int32Data),
    toFloat32: ({ buffer }) => Float32Array.from(new Uint16Array(buffer)),
  },
  int8: {
    bits: 8,
    fromFields: ({ int32Data }) => new Int8Array(int32Data),
    toFloat32: ({ buffer }) => Float32Array.from(new Int8Array(buffer)),
  },
  uint8: {
    bits: 8,
    fromFields: ({ int32Data }) => new Uint8Array(int32Data),
    toFloat32: (bytes) => Float32Array.from(bytes),
  },
  bool: {
    bits: 8,
    fromFields: ({ int32Data }) => new Uint8Array(int32Data),
    toFloat32: (bytes) => Float32Array.from(bytes),
  },
  complex64: { bits: 64, fromFields: ({ floatData }) => new Float32Array(floatData), toFloat32: null },
  complex128: { bits: 128, fromFields: ({ doubleData }) => new Float64Array(doubleData), toFloat32: null },
  ...Object.fromEntries(
    (['float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz', 'float8e8m0'] as const).map((name) => [
      name,
      { ...packed(8), toFloat32: (bytes: Uint8Array) => float8ToFloat32(bytes, name) },
    ]),
  ),
  float4e2m1: { ...packed(4), toFloat32: (bytes, numValues) => unpack(bytes, numValues, 4, 0).map((code) => smallFloatTable('float4e2m1')[code]!) },
  uint4: { ...packed(4), toFloat32: (bytes, numValues) => unpack(bytes, numValues, 4, 0) },
  int4: { ...packed(4), toFloat32: (bytes, numValues) => unpack(bytes, numValues, 4, 8) },
  uint2: { ...packed(2), toFloat32: (bytes, numValues) => unpack(bytes, numValues, 2, 0) },
  int2: { ...packed(2), toFloat32: (bytes, numValues) => unpack(bytes, numValues, 2, 2) },
};

/** A type of one byte or less: the format packs as many as fit into a byte, and one byte into each int32 of the field. */
function packed(bits: number): Element {
  return { bits, fromFields: ({ int32Data }) => new Uint8Array(int32Data), toFloat32: null };
}

/**
 * Unpacks integers smaller than a byte, the first in the lowest bits.
 *
 * @param signBit value of the sign bit, 0 for unsigned types
 */
function unpack(bytes: Uint8Array, numValues: number, bits: number, signBit: number): Float32Array {
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  return Float32Array.from({ length: numValues }, (_, index) => {
    const value = (bytes[Math.floor(index / perByte)]! >> (bits * (index % perByte))) & mask;
    // Flips the sign bit and subtracts its value: 0b1111 becomes 7 - 8.
    return (value ^ signBit) - signBit;
  });
}

const elementOf = ({ dataType }: TensorProto): Element | undefined => ownValue(ELEMENTS, dtypeName(dataType));

/** Size of each axis of a tensor. */
export const shapeOf = ({ dims }: TensorProto): number[] => dims.map(Number);

/** Number of bytes that the shape and type of `tensor` require; null for strings and unknown types. */
export function neededBytes(tensor: TensorProto): number | null {
  const element = elementOf(tensor);
  return element ? Math.ceil((numValuesOf(tensor) * element.bits) / 8) : null;
}

/** Number of values of `tensor`. */
export const numValuesOf = (tensor: TensorProto): number => shapeOf(tensor).reduce((product, size) => product * size, 1);

/**
 * The values of `tensor` as bytes: row-major, little-endian, with small types packed as in the format; for strings, their
 * concatenated UTF-8. A view of the file if it has this layout.
 */
export function tensorBytes(tensor: TensorProto): Uint8Array {
  if (tensor.rawData.length > 0) return tensor.rawData;
  if (dtypeName(tensor.dataType) === 'string') return joined(tensor.stringData);
  const fields = elementOf(tensor)?.fromFields(tensor);
  return fields ? new Uint8Array(fields.buffer, fields.byteOffset, fields.byteLength) : new Uint8Array();
}

/**
 * The values of `tensor` as float32, row-major: a copy, rounded if its type has more digits. Null for strings and complex
 * numbers, and if the number of bytes is wrong.
 */
export function tensorValues(tensor: TensorProto): Float32Array | null {
  const toFloat32 = elementOf(tensor)?.toFloat32;
  const bytes = tensorBytes(tensor);
  return toFloat32 && bytes.length === neededBytes(tensor) ? toFloat32(new Uint8Array(bytes), numValuesOf(tensor)) : null;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const part of parts) {
    whole.set(part, start);
    start += part.length;
  }
  return whole;
}

/** Returns the bytes of a file by its path from the folder of the ONNX file; undefined if there is none. */
export type FindData = (location: string) => Uint8Array | undefined;

/**
 * Paths of the files that hold weights of `model`, such as the `model.onnx.data` of `torch.onnx.export`, from the folder of
 * its own file, without duplicates.
 */
export function externalLocations({ graph }: ModelProto): string[] {
  if (!graph) return [];
  return [...new Set(externalTensors(graph).map((tensor) => entryOf(tensor, 'location') ?? ''))];
}

/**
 * Attaches the weights from other files to the tensors of `model`, as views of those files.
 *
 * @param name name of the ONNX file for errors
 * @throws VoxlaneError `model-invalid` if a file is missing or too short, or if the stated size does not match the tensor
 */
export function attachExternalData(model: ModelProto, name: string, findData: FindData): void {
  if (!model.graph) return;
  for (const tensor of externalTensors(model.graph)) {
    const location = entryOf(tensor, 'location') ?? '';
    const file = findData(location);
    if (!file) throw missing(name, tensor.name, location);
    tensor.rawData = segmentOf(tensor, file, location);
    tensor.dataLocation = TensorProto_DataLocation.DEFAULT;
    tensor.externalData = [];
  }
}

/**
 * Finds a file among those that were opened together: by its path from the folder of the ONNX file, else by its name alone,
 * because dropped single files have no folders.
 */
export function findAmong(files: readonly { readonly name: string; readonly bytes: Uint8Array }[], modelPath: string): FindData {
  const folder = modelPath.slice(0, modelPath.lastIndexOf('/') + 1);
  return (location) => {
    const path = folder + location.replace(/^\.\//, '');
    const exact = files.find(({ name }) => name === path);
    const alike = files.filter(({ name }) => baseName(name) === baseName(location));
    return (exact ?? (alike.length === 1 ? alike[0] : undefined))?.bytes;
  };
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** All tensors of a graph and its subgraphs. */
function tensorsOf(graph: GraphProto): TensorProto[] {
  return [
    ...graph.initializer,
    ...graph.sparseInitializer.flatMap(({ values, indices }) => [values, indices].filter((part) => part !== undefined)),
    ...graph.node.flatMap(({ attribute }) => attribute.flatMap(({ t, tensors }) => (t ? [t, ...tensors] : tensors))),
    ...graph.node.flatMap(subgraphsOf).flatMap(tensorsOf),
  ];
}

/** True if the values of a tensor are in another file. */
export const isExternal = ({ dataLocation }: TensorProto): boolean => dataLocation === TensorProto_DataLocation.EXTERNAL;

const externalTensors = (graph: GraphProto): TensorProto[] => tensorsOf(graph).filter(isExternal);

const entryOf = ({ externalData }: TensorProto, wanted: string): string | undefined =>
  externalData.find(({ key }) => key === wanted)?.value;

function segmentOf(tensor: TensorProto, file: Uint8Array, location: string): Uint8Array {
  const offset = Number(entryOf(tensor, 'offset') ?? 0);
  const length = Number(entryOf(tensor, 'length') ?? file.length - offset);
  const isWithin = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0 && offset + length <= file.length;
  if (!isWithin) {
    throw invalid(
      `The tensor ${tensor.name} is at bytes ${offset} to ${offset + length} of ${location}, which has ${file.length}`,
      'a data file of the same export as the graph',
      'Export the model again, and keep both files together',
    );
  }
  const needed = neededBytes(tensor);
  if (needed !== null && needed !== length) {
    throw invalid(
      `The tensor ${tensor.name} needs ${needed} bytes, but the graph states ${length} bytes in ${location}`,
      'the number of bytes that its shape and type need',
      'Export the model again',
    );
  }
  return file.subarray(offset, offset + length);
}

function missing(name: string, tensor: string, location: string): VoxlaneError {
  return invalid(
    `${name} keeps the tensor ${tensor} in ${location || 'another file'}, which was not found`,
    'the data file together with the graph',
    `Put ${location || 'that file'} in the folder of ${name}, or open both files together`,
  );
}

const invalid = (problem: string, expected: string, remedy: string): VoxlaneError =>
  new VoxlaneError({ code: 'model-invalid', problem, expected, remedy });
