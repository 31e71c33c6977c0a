// Must come first: it counts buffers of modules loaded after it.
import { bufferBytesOf, FEW_BYTES } from '../../../test/compare/memory';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/compare/failure';
import { buildSafetensors } from '../../../test/weights/safetensorsFile';
import { readSafetensors } from './safetensors';

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const f32 = (start: number, end: number, shape = [(end - start) / 4]): Entry => ({
  dtype: 'F32', shape, data_offsets: [start, end],
});
const bytesOf = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const problemsOf = (entries: Record<string, Entry>, bodyBytes: number): Record<string, string | null> => {
  const tensors = readSafetensors(buildSafetensors(entries, new Uint8Array(bodyBytes)), 'a.safetensors');
  return Object.fromEntries(tensors.map(({ name, problem }) => [name, problem]));
};
const failureOfFile = (file: Uint8Array): ReturnType<typeof failureOf> =>
  failureOf(() => readSafetensors(file, 'a.safetensors'));

describe('readSafetensors', () => {
  it('reads names, shapes and values, and ignores the metadata', () => {
    const header = { __metadata__: { format: 'pt' }, b: f32(8, 24, [2, 2]), a: f32(0, 8) };
    const file = buildSafetensors(header, bytesOf(1, 2, 3, 4, 5, 6));
    const tensors = readSafetensors(file, 'a.safetensors');
    expect(tensors.map(({ name, dtype, shape, problem }) => ({ name, dtype, shape, problem }))).toEqual([
      { name: 'b', dtype: 'F32', shape: [2, 2], problem: null },
      { name: 'a', dtype: 'F32', shape: [2], problem: null },
    ]);
    expect(tensors.map((tensor) => Array.from(tensor.values()!))).toEqual([[3, 4, 5, 6], [1, 2]]);
    expect(tensors[0]!.bytes.buffer).toBe(file.buffer);
  });

  it('reads tensors with names and types such as "__proto__" and "constructor"', () => {
    const entry = (start: number, dtype: string) => `{"dtype":"${dtype}","shape":[1],"data_offsets":[${start},${start + 4}]}`;
    const header = `{"__proto__":${entry(0, 'F32')},"constructor":${entry(4, 'F32')},"x":${entry(8, 'constructor')}}`;
    const tensors = readSafetensors(buildSafetensors(header, bytesOf(1, 2, 3)), 'a.safetensors');
    expect(tensors.map((tensor) => [tensor.name, tensor.problem, tensor.values()?.[0] ?? null])).toEqual([
      ['__proto__', null, 1],
      ['constructor', null, 2],
      ['x', 'has the type constructor, which is not supported', null],
    ]);
  });

  it.each([
    ['BOOL', [1, 0], [1, 0]],
    ['I8', [255], [-1]],
    ['U8', [255], [255]],
    ['I16', [0xfe, 0xff], [-2]],
    ['U16', [0xfe, 0xff], [65534]],
    ['I32', [0xfd, 0xff, 0xff, 0xff], [-3]],
    ['U32', [3, 0, 0, 0], [3]],
    ['I64', [0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [-4]],
    ['U64', [4, 0, 0, 0, 0, 0, 0, 0], [4]],
    ['F16', [0, 0x3e], [1.5]],
    ['BF16', [0xc0, 0x3f], [1.5]],
    ['F64', [0, 0, 0, 0, 0, 0, 0xf8, 0x3f], [1.5]],
  ])('reads %s', (dtype, bytes, values) => {
    const entry = { dtype, shape: [values.length], data_offsets: [0, bytes.length] };
    const [tensor] = readSafetensors(buildSafetensors({ x: entry }, Uint8Array.from(bytes)), 'a.safetensors');
    expect(tensor).toMatchObject({ dtype, problem: null, isReadable: true });
    expect([...tensor!.values()!]).toEqual(values);
  });

  it('reads scalars and empty tensors', () => {
    expect(problemsOf({ scalar: f32(0, 4, []), empty: f32(4, 4, [0, 3]), last: f32(4, 8) }, 8)).toEqual({
      scalar: null, empty: null, last: null,
    });
  });

  it('reports what is wrong with the position of each tensor, and reads those that have one', () => {
    expect(problemsOf({ a: f32(0, 8), b: f32(4, 12) }, 12)).toEqual({ a: null, b: 'shares 4 bytes with a' });
    expect(problemsOf({ a: f32(0, 24), b: f32(8, 16) }, 24)).toEqual({ a: null, b: 'shares 8 bytes with a' });
    expect(problemsOf({ a: f32(0, 4), b: f32(8, 12) }, 12)).toEqual({ a: null, b: 'leaves a gap of 4 bytes after a' });
    expect(problemsOf({ a: f32(4, 8) }, 8)).toEqual({ a: 'leaves a gap of 4 bytes after the header' });
    expect(problemsOf({ a: f32(0, 4) }, 7)).toEqual({ a: 'is followed by 3 bytes that belong to no tensor' });
    const byte = { dtype: 'U8', shape: [1], data_offsets: [0, 1] } as const;
    expect(problemsOf({ a: byte, b: f32(1, 5) }, 5)).toEqual({
      a: null, b: 'begins at byte 1, not a multiple of the 4 bytes of F32',
    });
    const [, misaligned] = readSafetensors(
      buildSafetensors({ a: byte, b: f32(1, 5) }, Uint8Array.of(9, ...bytesOf(2.5))), 'a.safetensors',
    );
    expect([...misaligned!.values()!]).toEqual([2.5]);
  });

  it.each([
    ['F8_E4M3', [1.5, -448]],
    ['F8_E5M2', [1, NaN]],
    ['F8_E4M3FNUZ', [0.75, -224]],
    ['F8_E5M2FNUZ', [0.5, -49152]],
    ['F8_E8M0', [2 ** -67, 2 ** 127]],
  ])('widens %s', (dtype, values) => {
    const [x] = readSafetensors(buildSafetensors({ x: { dtype, shape: [2], data_offsets: [0, 2] } }, Uint8Array.of(0x3c, 0xfe)), 'a.safetensors');
    expect([...x!.values()!]).toEqual(values);
  });

  it.each<[string, Entry, RegExp]>([
    ['past the end', f32(0, 16), /ends at byte 16, but the data has 12 bytes/],
    ['backwards', { dtype: 'F32', shape: [1], data_offsets: [8, 4] }, /ends at byte 4, before its start at byte 8/],
    ['of another size', f32(0, 12, [2]), /shape \(2\) of F32, which is 8 bytes, but its data has 12 bytes/],
    ['of 3 GB', f32(0, 12, [805306368]), /which is 3221225472 bytes, but its data has 12 bytes/],
    ['of a size beyond all numbers', f32(0, 12, new Array<number>(30).fill(2 ** 52)), /which is Infinity bytes/],
    ['of an unsupported type', { dtype: 'F4', shape: [24], data_offsets: [0, 12] }, /type F4, which/],
  ])('returns no values of a tensor %s', (_name, entry, problem) => {
    const growth = bufferBytesOf(() => {
      const [x] = readSafetensors(buildSafetensors({ x: entry }, new Uint8Array(12)), 'a.safetensors');
      expect(x!.problem).toMatch(problem);
      expect(x!.values()).toBeNull();
    });
    expect(growth).toBeLessThan(FEW_BYTES);
  });

  it('rejects a file truncated in its header at any byte, and reports truncated tensors after it', () => {
    const whole = buildSafetensors({ a: f32(0, 8), b: f32(8, 16) }, bytesOf(1, 2, 3, 4));
    const bodyStart = whole.length - 16;
    for (let length = 0; length < bodyStart; length++) {
      expect(failureOfFile(whole.subarray(0, length)).code).toBe('format');
    }
    for (let length = bodyStart; length < whole.length; length++) {
      const [a, b] = readSafetensors(whole.subarray(0, length), 'a.safetensors');
      expect(a!.isReadable).toBe(length >= bodyStart + 8);
      expect(b!.problem).toMatch(/ends at byte 16/);
    }
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['an endless header', buildSafetensors('{}', new Uint8Array(0), 3n << 30n), /declares a header of 3221225472 bytes/],
    ['a header beyond the file', buildSafetensors('{}', new Uint8Array(0), 99n), /ends in its header, after 10 bytes of 107/],
    ['no JSON', buildSafetensors('{"a": ', new Uint8Array(0)), /is not JSON/],
    ['a list', buildSafetensors('[]', new Uint8Array(0)), /not a JSON object/],
    ['no offsets', buildSafetensors({ a: { dtype: 'F32', shape: [1] } }, new Uint8Array(4)), /a\.data_offsets/],
    ['a negative size', buildSafetensors({ a: { ...f32(0, 4), shape: [-1] } }, new Uint8Array(4)), /a\.shape\.0/],
    ['a fraction', buildSafetensors({ a: { ...f32(0, 4), data_offsets: [0.5, 4] } }, new Uint8Array(4)), /data_offsets\.0/],
  ])('rejects %s', (_name, file, problem) => {
    const error = failureOfFile(file);
    expect(error.code).toBe('format');
    expect(error.problem).toMatch(problem);
  });
});
