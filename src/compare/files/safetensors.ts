/**
 * The format of https://huggingface.co/docs/safetensors: the header's length, a JSON header, the values. Parsed here,
 * because existing libraries read files on a hub or are unmaintained.
 */
import * as v from 'valibot';
import { describeIssue } from '../../util/describeIssue';
import { VoxlaneError } from '../../util/errors';
import { ownValue } from '../../util/values';
import { shapeText, sizeOf } from '../tensor';
import { BYTES_PER_ELEMENT, checkpointTensor, type CheckpointTensor, type ElementType } from './elements';

/** Type names of the format. Tensors of other types (`F4`, complex) are listed without values. */
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

/** Bytes of the header's length, a 64-bit integer. */
const LENGTH_BYTES = 8;
/** Limit in the format specification. */
const MAX_HEADER_BYTES = 100_000_000;
const METADATA = '__metadata__';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const entrySchema = v.object({ dtype: v.string(), shape: v.array(count), data_offsets: v.tuple([count, count]) });

/** A tensor's name and position. Pairs, because a record would lose a tensor named `__proto__`. */
type HeaderEntry = readonly [name: string, entry: v.InferOutput<typeof entrySchema>];

/**
 * Reads the tensors of a `.safetensors` file in header order; their bytes are views of the file. A tensor has a `problem`
 * if its bytes overlap another tensor, follow a gap, are misaligned or have the wrong length.
 *
 * @param name file name for errors
 * @throws VoxlaneError `format` if the file ends in its header, or the header is not a JSON list of tensors
 */
export function readSafetensors(bytes: Uint8Array, name: string): CheckpointTensor[] {
  const { entries, body } = readHeader(bytes, name);
  const problems = placementProblems(entries, body.length);
  return entries.map(([tensor, { dtype, shape, data_offsets: [start, end] }]) => {
    const type = ownValue(ELEMENT_TYPES, dtype) ?? null;
    const inFile = start <= end && end <= body.length;
    const values = inFile ? body.subarray(start, end) : new Uint8Array(0);
    const found = [...(problems.get(tensor) ?? [])];
    const needed = type && bytesNeeded(shape, type);
    if (type === null) found.push(`has the type ${dtype.slice(0, 40)}, which is not supported`);
    else if (inFile && needed !== values.length) {
      const claim = `has the shape ${shapeText(shape)} of ${dtype}, which is ${needed} bytes`;
      found.push(`${claim}, but its data has ${values.length} bytes`);
    }
    const problem = found.length === 0 ? null : found.join('; ');
    return checkpointTensor({
      name: tensor, dtype, type, shape, bytes: values, problem, isReadable: inFile && needed === values.length,
    });
  });
}

function readHeader(bytes: Uint8Array, name: string): { entries: HeaderEntry[]; body: Uint8Array } {
  if (bytes.length < LENGTH_BYTES) throw unreadable(name, `ends after ${bytes.length} bytes, in the header's length`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = Number(view.getBigUint64(0, true));
  if (headerBytes > MAX_HEADER_BYTES) throw unreadable(name, `declares a header of ${headerBytes} bytes`);
  const bodyStart = LENGTH_BYTES + headerBytes;
  if (bodyStart > bytes.length) {
    throw unreadable(name, `ends in its header, after ${bytes.length} bytes of ${bodyStart}`);
  }
  return { entries: parseEntries(bytes.subarray(LENGTH_BYTES, bodyStart), name), body: bytes.subarray(bodyStart) };
}

function parseEntries(header: Uint8Array, name: string): HeaderEntry[] {
  if (header[0] !== '{'.charCodeAt(0)) throw unreadable(name, 'has a header that is not a JSON object');
  let value: object;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header)) as object;
  } catch (cause) {
    throw unreadable(name, 'has a header that is not JSON', cause);
  }
  return Object.entries(value).filter(([key]) => key !== METADATA).map(([tensor, entry]): HeaderEntry => {
    const parsed = v.safeParse(entrySchema, entry);
    if (parsed.success) return [tensor, parsed.output];
    const [issue] = parsed.issues;
    const path = [tensor, v.getDotPath(issue)].filter((part) => part !== null).join('.');
    throw unreadable(name, `has a header that lists no tensors: ${path}: ${describeIssue(issue)}`);
  });
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

const bytesNeeded = (shape: readonly number[], type: ElementType): number =>
  shape.includes(0) ? 0 : BYTES_PER_ELEMENT[type] * sizeOf(shape);

function unreadable(name: string, found: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'format',
      problem: `${name} ${found}`,
      expected: 'a whole .safetensors file',
      remedy: 'Save it with safetensors.torch.save_file(tensors, file)',
    },
    { cause },
  );
}
