/**
 * The header of the format of https://huggingface.co/docs/safetensors: 8 bytes with the length of the header, then JSON
 * with the type, shape and place of each tensor. The values follow.
 */
import * as v from 'valibot';
import { describeIssue } from '../util/describeIssue';
import { BYTES_PER_ELEMENT, type ElementType } from '../util/elementTypes';
import type { VoxlaneError } from '../util/errors';
import { shapeText, sizeOf } from '../util/shape';
import { ownValue } from '../util/values';
import { firstDuplicateKey } from './duplicateKey';

/** Type names of the format. Tensors of other types (`F4`, complex) have no values that this code can read. */
const ELEMENT_TYPES: Partial<Record<string, ElementType>> = {
  BOOL: 'bool',
  I8: 'int8',
  I16: 'int16',
  I32: 'int32',
  I64: 'int64',
  U8: 'uint8',
  U16: 'uint16',
  U32: 'uint32',
  U64: 'uint64',
  F8_E4M3: 'float8e4m3fn',
  F8_E5M2: 'float8e5m2',
  F8_E4M3FNUZ: 'float8e4m3fnuz',
  F8_E5M2FNUZ: 'float8e5m2fnuz',
  F8_E8M0: 'float8e8m0',
  F16: 'float16',
  BF16: 'bfloat16',
  F32: 'float32',
  F64: 'float64',
};

const TYPE_NAMES = new Map(Object.entries(ELEMENT_TYPES).map(([name, type]) => [type, name]));

/** Bytes of the header's length, a 64-bit integer. */
export const LENGTH_BYTES = 8;
/** Limit in the format specification. */
const MAX_HEADER_BYTES = 100_000_000;
/** Key of the free text about the file, which is no tensor. */
export const METADATA = '__metadata__';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const entrySchema = v.object({ dtype: v.string(), shape: v.array(count), data_offsets: v.tuple([count, count]) });

/** A tensor's name and position. Pairs, because a record would lose a tensor named `__proto__`. */
type HeaderEntry = readonly [name: string, entry: v.InferOutput<typeof entrySchema>];

/** Makes the error of an unreadable file. @param found what was found, to follow the name of the file */
export type Unreadable = (found: string, cause?: unknown) => VoxlaneError;

/** One tensor, as the header describes it. */
export interface HeaderTensor {
  readonly name: string;
  /** Type name in the file, such as `F32`. */
  readonly dtype: string;
  /** Null for a type that is not supported. */
  readonly type: ElementType | null;
  readonly shape: readonly number[];
  /** First byte, from the end of the header. */
  readonly start: number;
  /** After the last byte. */
  readonly end: number;
  /** True if the file has these bytes. */
  readonly isInFile: boolean;
  /** True if the file has these bytes, and as many as shape and type need. */
  readonly isReadable: boolean;
  /** What is wrong with the type, position or length, as clauses without a period; null if nothing is wrong. */
  readonly problem: string | null;
}

/** The tensors of a file, in header order. */
export interface Header {
  readonly tensors: readonly HeaderTensor[];
  /** Free text about the file; undefined if there is none. Not validated. */
  readonly metadata: unknown;
}

/**
 * Reads the length of the JSON header in bytes.
 *
 * @param start the first bytes of the file, at least {@link LENGTH_BYTES} if it has as many
 * @param fileBytes length of the file
 * @throws errors of `unreadable` if the file is shorter than that, or the header is longer than the format allows
 */
export function readHeaderLength(start: Uint8Array, fileBytes: number, unreadable: Unreadable): number {
  if (start.length < LENGTH_BYTES) throw unreadable(`ends after ${start.length} bytes, in the header's length`);
  const headerBytes = Number(new DataView(start.buffer, start.byteOffset, start.byteLength).getBigUint64(0, true));
  if (headerBytes > MAX_HEADER_BYTES) throw unreadable(`is damaged or no .safetensors file: it declares a header of ${headerBytes} bytes`);
  const bodyStart = LENGTH_BYTES + headerBytes;
  if (bodyStart > fileBytes) throw unreadable(`ends in its header, after ${fileBytes} bytes of ${bodyStart}`);
  return headerBytes;
}

/**
 * Parses the JSON header. A tensor has a `problem` if its bytes overlap another tensor, follow a gap, are misaligned, are
 * not in the file or have the wrong length, or if its type is not supported.
 *
 * @param json the header without its length
 * @param bodyBytes length of the file after the header
 * @throws errors of `unreadable` if the header is not a JSON list of tensors, or lists a name twice
 */
export function parseHeader(json: Uint8Array, bodyBytes: number, unreadable: Unreadable): Header {
  const { entries, metadata } = parseEntries(json, unreadable);
  const problems = placementProblems(entries, bodyBytes);
  const tensors = entries.map(([name, { dtype, shape, data_offsets: [start, end] }]): HeaderTensor => {
    const type = ownValue(ELEMENT_TYPES, dtype) ?? null;
    const isInFile = start <= end && end <= bodyBytes;
    const needed = type && bytesNeeded(shape, type);
    const found = [...(problems.get(name) ?? [])];
    if (type === null) found.push(`has the type ${dtype.slice(0, 40)}, which is not supported`);
    else if (isInFile && needed !== end - start) {
      const claim = `has the shape ${shapeText(shape)} of ${dtype}, which is ${needed} bytes`;
      found.push(`${claim}, but its data has ${end - start} bytes`);
    }
    const problem = found.length === 0 ? null : found.join('; ');
    return { name, dtype, type, shape, start, end, isInFile, isReadable: isInFile && needed === end - start, problem };
  });
  return { tensors, metadata };
}

/** Number of bytes of a tensor. */
export const bytesNeeded = (shape: readonly number[], type: ElementType): number =>
  shape.includes(0) ? 0 : BYTES_PER_ELEMENT[type] * sizeOf(shape);

/**
 * Writes the header of a file, with its length, for tensors that follow each other in the given order. Spaces at its end
 * align the values to 8 bytes, as in files of the reference implementation.
 */
export function encodeHeader(
  tensors: readonly { readonly name: string; readonly type: ElementType; readonly shape: readonly number[] }[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  let end = 0;
  const entries = tensors.map(({ name, type, shape }) => {
    const start = end;
    end += bytesNeeded(shape, type);
    return [name, { dtype: TYPE_NAMES.get(type), shape, data_offsets: [start, end] }] as const;
  });
  // Not one object, which would lose a tensor named `__proto__`.
  const members = [[METADATA, metadata] as const, ...entries].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const json = new TextEncoder().encode(`{${members.join(',')}}`);
  const bytes = new Uint8Array(LENGTH_BYTES + Math.ceil(json.length / LENGTH_BYTES) * LENGTH_BYTES).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - LENGTH_BYTES), true);
  bytes.set(json, LENGTH_BYTES);
  return bytes;
}

function parseEntries(json: Uint8Array, unreadable: Unreadable): { entries: HeaderEntry[]; metadata: unknown } {
  if (json[0] !== '{'.charCodeAt(0)) throw unreadable('has a header that is not a JSON object');
  let text: string;
  let value: object;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(json);
    value = JSON.parse(text) as object;
  } catch (cause) {
    throw unreadable('has a header that is not JSON', cause);
  }
  const twice = firstDuplicateKey(text);
  if (twice !== null) throw unreadable(`has a header that lists ${twice} twice`);
  const pairs = Object.entries(value) as (readonly [string, unknown])[];
  const entries = pairs.filter(([key]) => key !== METADATA).map(([tensor, entry]): HeaderEntry => {
    const parsed = v.safeParse(entrySchema, entry);
    if (parsed.success) return [tensor, parsed.output];
    const [issue] = parsed.issues;
    const path = [tensor, v.getDotPath(issue)].filter((part) => part !== null).join('.');
    throw unreadable(`has a header that lists no tensors: ${path}: ${describeIssue(issue)}`);
  });
  return { entries, metadata: pairs.find(([key]) => key === METADATA)?.[1] };
}

/** Finds misplaced tensors, by name: they should follow each other and fill the file. */
function placementProblems(entries: readonly HeaderEntry[], bodyBytes: number): Map<string, string[]> {
  const problems = new Map<string, string[]>();
  const report = (tensor: string, problem: string): void => {
    problems.set(tensor, [...(problems.get(tensor) ?? []), problem]);
  };
  const inOrder = entries.toSorted(
    ([, { data_offsets: a }], [, { data_offsets: b }]) => a[0] - b[0] || a[1] - b[1],
  );
  /** The end of the tensors so far, and the last tensor there. */
  let reached = 0;
  let last = 'the header';
  for (const [tensor, { dtype, data_offsets: [start, end] }] of inOrder) {
    const type = ownValue(ELEMENT_TYPES, dtype);
    if (start > end) report(tensor, `ends at byte ${end}, before its start at byte ${start}`);
    else if (end > bodyBytes) report(tensor, `ends at byte ${end}, but the data has ${bodyBytes} bytes`);
    if (type && start % BYTES_PER_ELEMENT[type] !== 0) {
      const size = BYTES_PER_ELEMENT[type];
      report(tensor, `begins at byte ${start}, not a multiple of the ${size} bytes of ${dtype}`);
    }
    if (start < reached && start < end) report(tensor, `shares ${Math.min(end, reached) - start} bytes with ${last}`);
    if (start > reached) report(tensor, `leaves a gap of ${start - reached} bytes after ${last}`);
    if (end > reached) [reached, last] = [end, tensor];
  }
  if (reached < bodyBytes && inOrder.length > 0) {
    report(last, `is followed by ${bodyBytes - reached} bytes that belong to no tensor`);
  }
  return problems;
}
