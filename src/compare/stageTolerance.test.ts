import { expect, it } from 'vitest';
import { stageTolerance } from './stageTolerance';

const STATED = { maxAbs: 0.01, cosine: 0.999 };

it('chooses the relative bound by the coarsest type, and keeps the absolute one of the bundle', () => {
  expect(stageTolerance(STATED, ['float32'])).toEqual({ ...STATED, rtol: 1e-4, atol: 2 ** -23 });
  expect(stageTolerance(STATED, ['float32', 'float16']).rtol).toBe(16 / 2048);
  expect(stageTolerance(STATED, ['bfloat16', 'float16']).rtol).toBe(16 / 256);
  expect(stageTolerance(STATED, ['int64', 'bool'])).toEqual({ ...STATED, rtol: 0, atol: 0 });
  expect(stageTolerance(STATED, ['int64', 'float32']).rtol).toBe(0);
  expect(stageTolerance(STATED, ['float32', 'int64']).rtol).toBe(1e-4);
  expect(stageTolerance(STATED, ['float32', 'float8e5m2'])).toMatchObject({ rtol: 1 / 8, cosine: 1 - 1 / 128 });
});

it("prefers the bundle's bounds to those of the type, and the caller's to both", () => {
  const stated = { ...STATED, rtol: 0.5, atol: 3 };
  expect(stageTolerance(stated, ['int32'])).toEqual(stated);
  expect(stageTolerance(stated, ['int32'], { cosine: 0.5 })).toEqual({ ...stated, cosine: 0.5 });
  expect(stageTolerance(stated, ['int32'], { rtol: 0.1 })).toEqual({ ...stated, maxAbs: Infinity, rtol: 0.1 });
  expect(stageTolerance(STATED, ['float32'], { atol: 7 })).toEqual({ maxAbs: Infinity, cosine: 0.999, rtol: 1e-4, atol: 7 });
});
