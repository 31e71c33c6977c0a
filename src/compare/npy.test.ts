import { describe, expect, it } from 'vitest';
import { VoxlaneError } from '../util/errors';
import { parseNpy } from './npy';
import { buildNpy } from './testing/npyFile';

const VALUES = [1, -2.5, 0, Infinity, NaN, 1e-40].map(Math.fround);

function failureOf(bytes: Uint8Array): VoxlaneError {
  try {
    parseNpy(bytes, 'a.npy');
  } catch (error) {
    if (error instanceof VoxlaneError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('parseNpy', () => {
  it.each([1, 2, 3] as const)('reads version %i', (version) => {
    const { shape, data } = parseNpy(buildNpy([1, 2, 3], VALUES, { version }), 'a.npy');
    expect(shape).toEqual([1, 2, 3]);
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

  it('copies the values, also out of a Buffer and from any offset', () => {
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

  it.each([
    ['big-endian', { descr: '>f4' }, /a\.npy has the dtype >f4/],
    ['float64', { descr: '<f8' }, /dtype <f8/],
    ['float16', { descr: '<f2' }, /dtype <f2/],
    ['a record', { header: "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (6,), }" }, /dtype of the h/],
    ['Fortran order', { fortranOrder: true }, /Fortran order/],
    ['no order', { header: "{'descr': '<f4', 'shape': (6,), }" }, /no order/],
    ['no shape', { header: "{'descr': '<f4', 'fortran_order': False, }" }, /no shape/],
    ['a shape of words', { shape: '(six,)' }, /no shape/],
    ['a negative shape', { shape: '(-6,)' }, /no shape/],
    ['a size past all integers', { shape: '(0, 99999999999999999999)' }, /no shape/],
    ['a shape too large', { shape: '(7,)' }, /shape \(7\), which is 28 bytes, but 24 follow/],
    ['a shape too small', { shape: '(5,)' }, /which is 20 bytes, but 24 follow/],
    ['3 GB', { shape: '(1, 805306368)' }, /3221225472 bytes, but 24 follow/],
    ['a product past all numbers', { shape: `(${'9007199254740991, '.repeat(30)})` }, /Infinity bytes/],
  ])('refuses %s', (_name, options, problem) => {
    const error = failureOf(buildNpy([6], VALUES, options));
    expect(error.code).toBe('format');
    expect(error.problem).toMatch(problem);
    expect(error.expected).toContain('<f4');
  });

  it('refuses a file cut off at any byte', () => {
    const file = buildNpy([6], VALUES);
    for (let length = 0; length < file.length; length++) {
      expect(failureOf(file.subarray(0, length)).code).toBe('format');
    }
  });

  it('refuses other formats, versions and endless headers', () => {
    const changed = (changes: Record<number, number>): Uint8Array => {
      const file = buildNpy([6], VALUES, { version: 2 });
      for (const [index, value] of Object.entries(changes)) file[Number(index)] = value;
      return file;
    };
    expect(failureOf(changed({ 0: 0x50 })).problem).toMatch(/does not begin/);
    expect(failureOf(changed({ 6: 4 })).problem).toMatch(/version 4\.0/);
    expect(failureOf(changed({ 7: 1 })).problem).toMatch(/version 2\.1/);
    expect(failureOf(changed({ 11: 0x40 })).problem).toMatch(/header of 1073741940 bytes/);
  });
});
