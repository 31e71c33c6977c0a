import { describe, expect, it } from 'vitest';
import { halfToFloat32 } from '../util/numberTypes';
import { fromRuntime, toRuntimeArray } from './session';

const of = (...values: number[]): Float32Array => Float32Array.from(values);
const numbers = (array: unknown): number[] => Array.from(array as ArrayLike<number | bigint>, Number);

describe('toRuntimeArray', () => {
  it.each<[string, Float32Array, number[]]>([
    ['float32', of(1.5, -2), [1.5, -2]],
    ['float64', of(1.5, -2), [1.5, -2]],
    ['int64', of(-3, 7), [-3, 7]],
    ['uint64', of(7), [7]],
    ['int32', of(-3), [-3]],
    ['uint8', of(255), [255]],
    ['bool', of(0, 0.5, -1), [0, 1, 1]],
  ])('%s', (dtype, values, expected) => {
    expect(numbers(toRuntimeArray(dtype, values, 'x'))).toEqual(expected);
  });

  it('float16: every half is preserved, and other values are rounded to the nearest, ties to even', () => {
    const bits = Uint16Array.from({ length: 1 << 16 }, (_, i) => i);
    const halves = halfToFloat32(new Uint8Array(bits.buffer), true);
    const back = toRuntimeArray('float16', halves, 'x') as Uint16Array;
    const wrong = bits.filter((value) => !Number.isNaN(halves[value]!) && back[value] !== value);
    expect(wrong).toHaveLength(0);
    expect(halves.filter((value, i) => Number.isNaN(value) !== (back[i]! & 0x7fff) > 0x7c00)).toHaveLength(0);
    // Between 1 (even) and 1 + 2^-10; between that (odd) and 1 + 2^-9; above the largest half, at and below the
    // midpoint; half of the smallest subnormal (to even: zero), and slightly more.
    const between = of(1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 1.01 * 2 ** -11, 65519.996, 65520, -65520, 2 ** -25, 1.01 * 2 ** -25);
    expect(numbers(toRuntimeArray('float16', between, 'x'))).toEqual([0x3c00, 0x3c02, 0x3c01, 0x7bff, 0x7c00, 0xfc00, 0, 1]);
  });

  it.each([
    ['string', of(1), /type string/],
    ['int32', of(1.5), /whole numbers/],
    ['int64', of(NaN), /whole numbers/],
    ['int64', of(2 ** 63), /whole numbers/],
    ['uint8', of(-1), /has the value -1/],
    ['int8', of(128), /has the value 128/],
    ['bfloat16', of(1), /type bfloat16/],
  ])('rejects %s of %s', (dtype, values, message) => {
    expect(() => toRuntimeArray(dtype, values, 'tokens')).toThrow(message);
    expect(() => toRuntimeArray(dtype, values, 'tokens')).toThrow(/tokens/);
  });
});

it.each([
  ['int32', BigInt64Array.of(2n ** 32n + 5n)],
  ['uint64', BigInt64Array.of(-1n)],
  ['int64', BigUint64Array.of(2n ** 63n)],
  ['int64', Float64Array.of(0.5)],
])('rejects values outside the range of %s instead of wrapping them', (dtype, values) => {
  expect(() => toRuntimeArray(dtype, values, 'tokens')).toThrow(expect.objectContaining({ code: 'options', problem: expect.stringContaining(`has the value ${values[0]}`) as string }));
});

describe('fromRuntime', () => {
  const read = (type: string, data: unknown): number[] => [...fromRuntime({ type, dims: [], data }, 'x')];

  it('reads the values of the runtime for each type', () => {
    expect(read('float32', of(0.5))).toEqual([0.5]);
    expect(read('int64', BigInt64Array.of(-5n, 6n))).toEqual([-5, 6]);
    expect(read('bool', Uint8Array.of(1, 0))).toEqual([1, 0]);
    expect(read('float64', Float64Array.of(0.25))).toEqual([0.25]);
    expect(read('float16', Uint16Array.of(0x3c00, 0xc000))).toEqual([1, -2]);
    // For other types, 16 bits are integers.
    expect(read('uint16', Uint16Array.of(0x3c00))).toEqual([0x3c00]);
  });

  it('rejects strings', () => {
    expect(() => fromRuntime({ type: 'string', dims: [1], data: ['a'] }, 'names')).toThrow(/names contains strings/);
  });
});
