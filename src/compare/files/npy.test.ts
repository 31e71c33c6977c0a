// Must come first: it counts buffers of modules loaded after it.
import { bufferBytesOf, FEW_BYTES } from '../../../test/compare/memory';
import { describe, expect, it } from 'vitest';
import { parseNpy, readNpyHeader, rowMajorBytes, type NpyTensor } from './npy';
import { failureOf } from '../../../test/compare/failure';
import { buildNpy } from '../../../test/compare/npyFile';

const VALUES = [1, -2.5, 0, Infinity, NaN, 1e-40].map(Math.fround);

const failureOfFile = (bytes: Uint8Array): ReturnType<typeof failureOf> => failureOf(() => parseNpy(bytes, 'a.npy'));

type Write = (view: DataView, at: number, value: never) => void;

/** Values of `width` bytes each, written by one of DataView's setters. */
function bytesBy(width: number, values: readonly (number | bigint)[], write: Write): Uint8Array {
  const view = new DataView(new ArrayBuffer(width * values.length));
  values.forEach((value, index) => { write(view, width * index, value as never); });
  return new Uint8Array(view.buffer);
}

describe('parseNpy', () => {
  it.each([1, 2, 3] as const)('reads version %i', (version) => {
    const { shape, data, dtype, notes } = parseNpy(buildNpy([1, 2, 3], VALUES, { version }), 'a.npy');
    expect({ shape, dtype, notes }).toEqual({ shape: [1, 2, 3], dtype: '<f4', notes: [] });
    expect([...data]).toEqual(VALUES);
  });

  it.each([
    ['one axis', [6], VALUES, '(6,)'],
    ['a single number', [], [7], '()'],
    ['an empty axis', [0, 5], [], '(0, 5)'],
  ])('reads %s', (_name, shape, values, text) => {
    const tensor = parseNpy(buildNpy(shape, values, { shape: text }), 'a.npy');
    expect(tensor.shape).toEqual(shape);
    expect([...tensor.data]).toEqual(values);
  });

  it('copies the values, even from a Buffer and from any offset', () => {
    const file = buildNpy([6], VALUES);
    for (const offset of [0, 1, 4]) {
      const pool = Buffer.alloc(file.length + 8);
      pool.set(file, offset);
      const { data } = parseNpy(pool.subarray(offset, offset + file.length), 'a.npy');
      pool.fill(0);
      expect([...data]).toEqual(VALUES);
      expect(data.buffer.byteLength).toBe(24);
    }
  });

  it.each<[string, number, readonly (number | bigint)[], Write]>([
    ['|b1', 1, [0, 1, 1], (view, at, value) => { view.setUint8(at, value); }],
    ['|i1', 1, [-128, 0, 127], (view, at, value) => { view.setInt8(at, value); }],
    ['|u1', 1, [0, 255], (view, at, value) => { view.setUint8(at, value); }],
    ['<i2', 2, [-32768, 258], (view, at, value) => { view.setInt16(at, value, true); }],
    ['>i2', 2, [-32768, 258], (view, at, value) => { view.setInt16(at, value); }],
    ['<u2', 2, [65535, 1], (view, at, value) => { view.setUint16(at, value, true); }],
    ['>u2', 2, [65535, 1], (view, at, value) => { view.setUint16(at, value); }],
    ['<i4', 4, [-16777216, 3], (view, at, value) => { view.setInt32(at, value, true); }],
    ['>i4', 4, [-16777216, 3], (view, at, value) => { view.setInt32(at, value); }],
    ['<u4', 4, [4294967040, 3], (view, at, value) => { view.setUint32(at, value, true); }],
    ['>u4', 4, [4294967040, 3], (view, at, value) => { view.setUint32(at, value); }],
    ['<i8', 8, [-5n, 16777216n], (view, at, value) => { view.setBigInt64(at, value, true); }],
    ['>i8', 8, [-5n, 16777216n], (view, at, value) => { view.setBigInt64(at, value); }],
    ['<u8', 8, [5n, 16777216n], (view, at, value) => { view.setBigUint64(at, value, true); }],
    ['>u8', 8, [5n, 16777216n], (view, at, value) => { view.setBigUint64(at, value); }],
    ['>f4', 4, VALUES, (view, at, value) => { view.setFloat32(at, value); }],
    ['<f8', 8, [0.5, -Infinity, 3e38], (view, at, value) => { view.setFloat64(at, value, true); }],
    ['>f8', 8, [0.5, -Infinity, 3e38], (view, at, value) => { view.setFloat64(at, value); }],
  ])('reads %s without a note if float32 holds it', (descr, width, values, write) => {
    const file = buildNpy([values.length], bytesBy(width, values, write), { descr });
    const { data, dtype, notes } = parseNpy(file, 'a.npy');
    expect({ dtype, notes }).toEqual({ dtype: descr, notes: [] });
    expect([...data]).toEqual(values.map((value) => Math.fround(Number(value))));
  });

  it.each([
    ['<f2', [0x00, 0x3e, 0x01, 0x00]],
    ['>f2', [0x3e, 0x00, 0x00, 0x01]],
  ])('reads %s with a note that it is coarse', (descr, bytes) => {
    const { data, notes } = parseNpy(buildNpy([2], Uint8Array.from(bytes), { descr }), 'a.npy');
    expect([...data]).toEqual([1.5, 2 ** -24]);
    expect(notes).toEqual([expect.stringMatching(/float16.*11 bits/)]);
  });

  it('keeps values that float32 cannot hold in their own type', () => {
    const read = (descr: string, bytes: Uint8Array): NpyTensor => parseNpy(buildNpy([bytes.length / 8], bytes, { descr }), 'a.npy');
    const doubles = bytesBy(8, [1e39, 1e-50, 0, Infinity, 0.1], (view, at, value) => { view.setFloat64(at, value, true); });
    expect(read('<f8', doubles)).toMatchObject({ exact: Float64Array.of(1e39, 1e-50, 0, Infinity, 0.1), storedAs: 'float64', notes: [] });
    const integers = bytesBy(8, [2n ** 24n, 2n ** 24n + 1n, 2n ** 40n, 2n ** 53n + 1n], (view, at, value) => {
      view.setBigInt64(at, value, true);
    });
    const exact = BigInt64Array.of(2n ** 24n, 2n ** 24n + 1n, 2n ** 40n, 2n ** 53n + 1n);
    expect(read('<i8', integers)).toMatchObject({ exact, storedAs: 'int64', notes: [] });
    expect(read('<i8', integers.subarray(0, 8)).exact).toBeUndefined();
  });

  it.each(['=f4', 'f4', '|f4'])('reads %s as little-endian with a note', (descr) => {
    const { data, notes } = parseNpy(buildNpy([6], VALUES, { descr }), 'a.npy');
    expect([...data]).toEqual(VALUES);
    expect(notes).toEqual([expect.stringMatching(/no byte order/)]);
  });

  it.each([[[6]], [[2, 3]], [[3, 2]], [[2, 3, 4]], [[1, 3, 1, 2]], [[2, 1, 3, 2, 2]], [[]], [[0, 3]]])(
    'reads Fortran order of shape %j as the same tensor',
    (shape) => {
      /** The value at an index, derived from the index alone. */
      const valueAt = (index: readonly number[]): number => index.reduce((value, at) => 10 * value + at, 1);
      const indices = shape.reduce<number[][]>(
        (all, size) => all.flatMap((index) => Array.from({ length: size }, (_, at) => [...index, at])),
        [[]],
      );
      const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, 1));
      const fortran = new Array<number>(indices.length);
      for (const index of indices) {
        fortran[index.reduce((sum, at, axis) => sum + at * strides[axis]!, 0)] = valueAt(index);
      }
      const { data, shape: found } = parseNpy(buildNpy(shape, fortran, { fortranOrder: true }), 'a.npy');
      expect(found).toEqual(shape);
      expect([...data]).toEqual(indices.map(valueAt));
    },
  );

  it('reads Fortran order and big-endian at once, and returns the bytes in C order', () => {
    const bytes = bytesBy(8, [1, 2, 3, 4, 5, 6], (view, at, value) => { view.setFloat64(at, value); });
    const file = buildNpy([2, 3], bytes, { descr: '>f8', fortranOrder: true });
    expect([...parseNpy(file, 'a.npy').data]).toEqual([1, 3, 5, 2, 4, 6]);
    const inC = bytesBy(8, [1, 3, 5, 2, 4, 6], (view, at, value) => { view.setFloat64(at, value, true); });
    expect(rowMajorBytes(readNpyHeader(file, 'a.npy'))).toEqual(inC);
  });

  it('reads two raw bytes as bfloat16, as written by ml_dtypes', () => {
    const bytes = bytesBy(2, [0x3fc0, 0xc000], (view, at, value) => { view.setUint16(at, value, true); });
    const { data, storedAs, notes } = parseNpy(buildNpy([2], bytes, { descr: '<V2' }), 'a.npy');
    expect([...data]).toEqual([1.5, -2]);
    expect(storedAs).toBe('bfloat16');
    expect(notes).toEqual([expect.stringMatching(/<V2.*bfloat16/), expect.stringMatching(/8 bits/)]);
  });

  it('shares the bytes with the file if they are in C order', () => {
    const file = buildNpy([6], VALUES);
    expect(rowMajorBytes(readNpyHeader(file, 'a.npy')).buffer).toBe(file.buffer);
  });

  it.each([
    ['complex numbers', { descr: '<c8' }, /a\.npy has the dtype <c8 \(complex numbers\)/],
    ['Python objects', { descr: '|O' }, /dtype \|O \(pickled/],
    ['text', { descr: '<U7' }, /dtype <U7 \(text\)/],
    ['raw bytes of one', { descr: '|V1' }, /dtype \|V1 \(raw bytes/],
    ['extended precision', { descr: '<f16' }, /dtype <f16 \(floats of more/],
    ['an unknown dtype', { descr: 'f4, f4' }, /dtype f4, f4$/],
    ['a record', { header: "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (6,), }" }, /holds records/],
    ['no dtype', { header: "{'fortran_order': False, 'shape': (6,), }" }, /no dtype/],
    ['no order', { header: "{'descr': '<f4', 'shape': (6,), }" }, /no order/],
    ['no shape', { header: "{'descr': '<f4', 'fortran_order': False, }" }, /no shape/],
    ['a shape of words', { shape: '(six,)' }, /no shape/],
    ['a negative shape', { shape: '(-6,)' }, /no shape/],
    ['a size beyond all integers', { shape: '(0, 99999999999999999999)' }, /no shape/],
    ['a shape too large', { shape: '(7,)' }, /shape \(7\), which is 28 bytes, but 24 follow/],
    ['a shape too small', { shape: '(5,)' }, /which is 20 bytes, but 24 follow/],
    ['an empty shape with values behind it', { shape: '(0, 9007199254740991)' }, /which is 0 bytes, but 24 follow/],
    ['a size that only the dtype makes too large', { descr: '<f8' }, /which is 48 bytes, but 24 follow/],
    ['endless axes', { shape: `(${'1, '.repeat(3000)})` }, /has 3000 axes/],
    ['a product beyond all numbers', { shape: `(${'9007199254740991, '.repeat(30)})` }, /Infinity bytes/],
  ])('rejects %s', (_name, options, problem) => {
    const error = failureOfFile(buildNpy([6], VALUES, options));
    expect(error.code).toBe('format');
    expect(error.problem).toMatch(problem);
    expect(error.expected).toContain('float32');
  });

  it.each([false, true])('rejects a shape of 3 GB without a buffer of that size, Fortran order %s', (fortranOrder) => {
    const file = buildNpy([6], VALUES, { shape: '(1, 805306368)', fortranOrder });
    const growth = bufferBytesOf(() => {
      expect(failureOfFile(file).problem).toMatch(/3221225472 bytes, but 24 follow/);
    });
    expect(growth).toBeLessThan(FEW_BYTES);
  });

  it('would detect such a buffer', () => {
    // Even one that is garbage at once: otherwise the test above could not fail.
    expect(bufferBytesOf(() => new Uint8Array(64 * FEW_BYTES).length)).toBeGreaterThan(FEW_BYTES);
  });

  it('rejects a file truncated at any byte', () => {
    const file = buildNpy([6], VALUES);
    for (let length = 0; length < file.length; length++) {
      expect(failureOfFile(file.subarray(0, length)).code).toBe('format');
    }
  });

  it('rejects other formats, versions and endless headers', () => {
    const changed = (changes: Record<number, number>): Uint8Array => {
      const file = buildNpy([6], VALUES, { version: 2 });
      for (const [index, value] of Object.entries(changes)) file[Number(index)] = value;
      return file;
    };
    expect(failureOfFile(changed({ 0: 0x50 })).problem).toMatch(/does not begin/);
    expect(failureOfFile(changed({ 6: 4 })).problem).toMatch(/version 4\.0/);
    expect(failureOfFile(changed({ 7: 1 })).problem).toMatch(/version 2\.1/);
    expect(failureOfFile(changed({ 11: 0x40 })).problem).toMatch(/header of 1073741940 bytes/);
  });
});
