import { expect, it } from 'vitest';
import { float8ToFloat32, smallFloatTable } from './numberTypes';

// Maximum finite, smallest normal and smallest positive values, from the papers cited in numberTypes.ts.
it.each([
  ['float8e4m3fn', 0x7e, 448, 0x08, 2 ** -6, 0x01, 2 ** -9],
  ['float8e4m3fnuz', 0x7f, 240, 0x08, 2 ** -7, 0x01, 2 ** -10],
  ['float8e5m2', 0x7b, 57344, 0x04, 2 ** -14, 0x01, 2 ** -16],
  ['float8e5m2fnuz', 0x7f, 57344, 0x04, 2 ** -15, 0x01, 2 ** -17],
  ['float4e2m1', 0x7, 6, 0x2, 1, 0x1, 0.5],
  ['float8e8m0', 0xfe, 2 ** 127, 0x7f, 1, 0x00, 2 ** -127],
] as const)('widens %s', (name, greatestCode, greatest, normalCode, normal, leastCode, least) => {
  expect([...float8ToFloat32(Uint8Array.of(greatestCode, normalCode, leastCode), name)]).toEqual([greatest, normal, least]);
});

it.each([
  ['float8e4m3fn', [0x7f, 0xff]],
  ['float8e4m3fnuz', [0x80]],
  ['float8e5m2', [0x7d, 0x7e, 0x7f, 0xfd, 0xfe, 0xff]],
  ['float8e5m2fnuz', [0x80]],
  ['float8e8m0', [0xff]],
  ['float4e2m1', []],
] as const)('%s has NaN only where it should', (name, codes) => {
  const table = smallFloatTable(name);
  expect(Array.from(table.keys()).filter((code) => Number.isNaN(table[code]))).toEqual(codes);
});

it('keeps infinities and the negative zero of float8e5m2', () => {
  expect([...float8ToFloat32(Uint8Array.of(0x7c, 0xfc, 0x80), 'float8e5m2')]).toEqual([Infinity, -Infinity, -0]);
});
