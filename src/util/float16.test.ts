import { describe, expect, it } from 'vitest';
import { bfloat16ToFloat32, halfToFloat32 } from './numberTypes';

/** 16-bit patterns as bytes. */
function bytesOf(patterns: readonly number[], littleEndian = true): Uint8Array {
  const view = new DataView(new ArrayBuffer(2 * patterns.length));
  patterns.forEach((pattern, index) => { view.setUint16(2 * index, pattern, littleEndian); });
  return new Uint8Array(view.buffer);
}

const ALL = Array.from({ length: 1 << 16 }, (_, pattern) => pattern);

describe('halfToFloat32', () => {
  it.each([
    ['zero', 0x0000, 0],
    ['negative zero', 0x8000, -0],
    ['one', 0x3c00, 1],
    ['minus two', 0xc000, -2],
    ['the nearest to one third', 0x3555, 0.333251953125],
    ['the maximum', 0x7bff, 65504],
    ['the smallest normal', 0x0400, 2 ** -14],
    ['the largest subnormal', 0x03ff, 1023 * 2 ** -24],
    ['the smallest', 0x0001, 2 ** -24],
    ['infinity', 0x7c00, Infinity],
    ['minus infinity', 0xfc00, -Infinity],
    ['NaN', 0x7e00, NaN],
    ['a signalling NaN', 0xfc01, NaN],
  ])('knows %s', (_name, pattern, value) => {
    expect([...halfToFloat32(bytesOf([pattern]))]).toEqual([value]);
    expect([...halfToFloat32(bytesOf([pattern], false), false)]).toEqual([value]);
  });

  it('matches the definition for every pattern', () => {
    const values = halfToFloat32(bytesOf(ALL));
    for (const pattern of ALL) {
      const sign = pattern & 0x8000 ? -1 : 1;
      const exponent = (pattern >> 10) & 0x1f;
      const mantissa = pattern & 0x3ff;
      const special = mantissa === 0 ? sign * Infinity : NaN;
      const finite = sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
      const expected = exponent === 0x1f ? special : finite;
      if (!Object.is(values[pattern], expected)) expect([pattern, values[pattern]]).toEqual([pattern, expected]);
    }
  });

  it('reads from any alignment and ignores an odd byte', () => {
    const file = Uint8Array.of(0, ...bytesOf([0x3c00, 0x4000]), 7);
    expect([...halfToFloat32(file.subarray(1))]).toEqual([1, 2]);
  });
});

describe('bfloat16ToFloat32', () => {
  it('is the upper half of a float32', () => {
    const view = new DataView(new ArrayBuffer(4));
    const values = bfloat16ToFloat32(bytesOf(ALL, false), false);
    for (const pattern of ALL) {
      view.setUint32(0, pattern << 16);
      if (!Object.is(values[pattern], view.getFloat32(0))) expect(values[pattern]).toBe(view.getFloat32(0));
    }
    expect([...bfloat16ToFloat32(bytesOf([0x3f80, 0xc040]))]).toEqual([1, -3]);
  });
});
