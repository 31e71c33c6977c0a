import { expect, it } from 'vitest';
import { NETWORK } from '../../test/weights/network';
import { convertedBytes } from '../weights/convert';
import { keptFiles } from './downloadFacts';

const [int8, float16] = (['int8', 'float16'] as const).map((form) => convertedBytes(NETWORK, form)) as [number, number];
const ORIGINAL = 10 * int8;

it('the kept files are those of the forms that the backends read, the smallest first', () => {
  expect(keptFiles(NETWORK, ORIGINAL, { wasm: 'int8', webgpu: 'float32' })).toEqual([
    { backends: ['wasm'], bytes: int8, isConverted: true },
    { backends: ['webgpu'], bytes: ORIGINAL, isConverted: false },
  ]);
  const both = keptFiles(NETWORK, ORIGINAL, { wasm: 'int8', webgpu: 'float16' });
  expect(both.map(({ bytes }) => bytes)).toEqual([int8, float16].sort((one, other) => one - other));
  expect(both.every(({ isConverted }) => isConverted)).toBe(true);
  expect(keptFiles(NETWORK, ORIGINAL, { wasm: 'float16', webgpu: 'float16' })).toEqual([{ backends: ['wasm', 'webgpu'], bytes: float16, isConverted: true }]);
  expect(keptFiles(NETWORK, ORIGINAL, { wasm: 'float32', webgpu: 'float32' })).toEqual([{ backends: ['wasm', 'webgpu'], bytes: ORIGINAL, isConverted: false }]);
});
