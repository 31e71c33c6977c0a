/** Weights in the format of https://huggingface.co/docs/safetensors, read tensor by tensor. */
import * as v from 'valibot';
import type { ByteSource } from '../store/byteSource';
import type { ElementType } from '../util/elementTypes';
import { invalidWeights } from './failure';
import { type HeaderTensor, LENGTH_BYTES, METADATA, parseHeader, readHeaderLength, type Unreadable } from './safetensorsHeader';

/** A tensor in a file. */
export interface StoredTensor {
  readonly name: string;
  /** Type name in the file, such as `F32`. */
  readonly dtype: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** First byte in the file. */
  readonly start: number;
  /** After the last byte. */
  readonly end: number;
}

/** An open file. Only its header was read. */
export interface SafetensorsFile {
  readonly source: ByteSource;
  /** By name, in header order. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Free text about the file; empty if there is none. */
  readonly metadata: ReadonlyMap<string, string>;
}

const metadataSchema = v.record(v.string(), v.string());

/**
 * Opens a file by reading its header. Unlike the reader of the comparison, which lists what is wrong with each tensor,
 * this one accepts only a file without faults, because a model is to run with it.
 *
 * @throws VoxlaneError `model-invalid` if the file ends in its header, the header is not a JSON list of tensors or lists a
 *   name twice, or a tensor overlaps another, follows a gap, is not in the file, or has the wrong length or an unknown type;
 *   errors of `source`
 */
export async function openSafetensors(source: ByteSource): Promise<SafetensorsFile> {
  const unreadable: Unreadable = (found, cause) => damaged(`${source.name} ${found}`, cause);
  const start = await source.read(0, Math.min(LENGTH_BYTES, source.size));
  const bodyStart = LENGTH_BYTES + readHeaderLength(start, source.size, unreadable);
  const { tensors, metadata } = parseHeader(await source.read(LENGTH_BYTES, bodyStart), source.size - bodyStart, unreadable);
  if (tensors.length === 0) throw unreadable('has a header that lists no tensors');
  const text = v.safeParse(metadataSchema, metadata ?? {});
  if (!text.success) throw unreadable(`has a header whose ${METADATA} is not a list of texts`);
  return {
    source,
    tensors: new Map(tensors.map((tensor) => [tensor.name, soundTensor(tensor, bodyStart, source.name)])),
    metadata: new Map(Object.entries(text.output)),
  };
}

/** Reads the values of a tensor: row-major, little-endian. @throws errors of the source */
export const readTensor = ({ source }: SafetensorsFile, { start, end }: StoredTensor): Promise<Uint8Array<ArrayBuffer>> =>
  source.read(start, end);

/** @throws VoxlaneError `model-invalid` if something is wrong with the tensor */
function soundTensor({ name, dtype, type, shape, start, end, problem }: HeaderTensor, bodyStart: number, file: string): StoredTensor {
  if (problem !== null || type === null) throw damaged(`The tensor ${name} of ${file} ${problem ?? 'has no type'}`);
  return { name, dtype, type, shape, start: bodyStart + start, end: bodyStart + end };
}

const damaged = (problem: string, cause?: unknown): ReturnType<typeof invalidWeights> =>
  invalidWeights(
    problem,
    'a whole .safetensors file, whose tensors follow each other and fill it',
    'Download the file again, or save it again with safetensors.torch.save_file(tensors, file)',
    cause,
  );
