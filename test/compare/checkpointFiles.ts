import { buildSafetensors } from '../weights/safetensorsFile';
import { sizeOf, type Tensor } from '../../src/compare/tensor';

/** A `.safetensors` file of contiguous float32 tensors. */
export function safetensorsOf(tensors: ReadonlyMap<string, Tensor>): Uint8Array {
  const header: Record<string, unknown> = {};
  const body = new Uint8Array(Array.from(tensors.values()).reduce((sum, { data }) => sum + data.byteLength, 0));
  let start = 0;
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [start, start + data.byteLength] };
    body.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
    start += data.byteLength;
  }
  return buildSafetensors(header, body);
}

/** A tensor of a `.gguf` file to build. */
export interface GgufTensor {
  readonly name: string;
  /** Row-major; the file stores the reverse order. */
  readonly shape: readonly number[];
  /** Type number: 0 for F32, 1 for F16, 8 for Q8_0. */
  readonly type: number;
  readonly bytes: Uint8Array;
  /** Offset from the start of the data; by default after the previous tensor. */
  readonly offset?: number;
}

const GGUF_ALIGNMENT = 32;
const GGUF_UINT32 = 4;

/** A `.gguf` file of version 3 with one metadata entry, according to the format specification. */
export function buildGguf(tensors: readonly GgufTensor[], alignment = GGUF_ALIGNMENT, littleEndian = true): Uint8Array {
  const numbers = (size: 4 | 8) => (value: number): Uint8Array => {
    const view = new DataView(new ArrayBuffer(size));
    if (size === 4) view.setUint32(0, value, littleEndian);
    else view.setBigUint64(0, BigInt(value), littleEndian);
    return new Uint8Array(view.buffer);
  };
  const [uint32, uint64] = [numbers(4), numbers(8)];
  const text = (value: string): Uint8Array[] => [uint64(value.length), new TextEncoder().encode(value)];
  const pad = (length: number): number => Math.ceil(length / alignment) * alignment;
  let next = 0;
  const placed = tensors.map((tensor) => {
    const offset = tensor.offset ?? next;
    next = pad(offset + tensor.bytes.length);
    return { ...tensor, offset };
  });
  const header = joined([
    new TextEncoder().encode('GGUF'), uint32(3), uint64(tensors.length), uint64(1),
    ...text('general.alignment'), uint32(GGUF_UINT32), uint32(alignment),
    ...placed.flatMap(({ name, shape, type, offset }) => [
      ...text(name), uint32(shape.length), ...shape.toReversed().map(uint64), uint32(type), uint64(offset),
    ]),
  ]);
  const start = pad(header.length);
  const end = Math.max(0, ...placed.map(({ offset, bytes }) => offset + bytes.length));
  const file = new Uint8Array(start + end);
  file.set(header);
  for (const { offset, bytes } of placed) file.set(bytes, start + offset);
  return file;
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

/** Reproducible, distinct, nonzero values. */
export function someValues(shape: readonly number[], seed = 1): Tensor {
  let state = seed;
  const data = Float32Array.from({ length: sizeOf(shape) }, () => {
    // A linear congruential generator. The values must be distinct, not random.
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 1073741824 - 1 || 0.5;
  });
  return { shape, data };
}
