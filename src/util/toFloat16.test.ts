import { describe, expect, it } from 'vitest';
import { halfToFloat32 } from './numberTypes';
import { roundToFloat16 } from './toFloat16';

/** The float32 that is `steps` representable values from `value`, away from zero if positive. */
function stepped(value: number, steps: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  bits[0]! += steps;
  return new Float32Array(bits.buffer)[0]!;
}

const rounded = (...values: number[]): number[] => [...roundToFloat16(Float32Array.from(values)).bits];
const NUM_FINITE = 0x7c00;

describe('roundToFloat16', () => {
  it('keeps every value that float16 can represent', () => {
    const patterns = Uint16Array.from({ length: 1 << 16 }, (_, pattern) => pattern);
    const values = halfToFloat32(new Uint8Array(patterns.buffer));
    const { bits, overflowIndex } = roundToFloat16(values);
    for (const pattern of patterns) {
      const isNaN = (pattern & 0x7fff) > 0x7c00;
      const expected = isNaN ? (pattern & 0x8000) | 0x7e00 : pattern;
      if (bits[pattern] !== expected) expect([pattern, bits[pattern]]).toEqual([pattern, expected]);
    }
    expect(overflowIndex).toBe(-1);
  });

  it('rounds between any two neighbors to the nearest, and the middle to the even one', () => {
    const patterns = Uint16Array.from({ length: NUM_FINITE }, (_, pattern) => pattern);
    const values = halfToFloat32(new Uint8Array(patterns.buffer));
    // The difference of neighbors is a power of two, so float32 holds the middle exactly.
    const middles = Float32Array.from(patterns.subarray(0, -1), (pattern) => (values[pattern]! + values[pattern + 1]!) / 2);
    const below = roundToFloat16(middles.map((middle) => stepped(middle, -1))).bits;
    const inside = roundToFloat16(middles).bits;
    const above = roundToFloat16(middles.map((middle) => stepped(middle, 1))).bits;
    const negative = roundToFloat16(middles.map((middle) => -middle)).bits;
    for (const pattern of patterns.subarray(0, -1)) {
      const even = pattern + (pattern % 2);
      const found = [below[pattern], inside[pattern], above[pattern], negative[pattern]];
      const expected = [pattern, even, pattern + 1, even | 0x8000];
      if (found.some((bits, index) => bits !== expected[index])) expect([pattern, ...found]).toEqual([pattern, ...expected]);
    }
  });

  it('rounds the smallest values to zero with their sign', () => {
    expect(rounded(2 ** -25, -(2 ** -25), 2 ** -149, -(2 ** -149), 2 ** -126)).toEqual([0, 0x8000, 0, 0x8000, 0]);
  });

  it('reports the first finite value that becomes infinite', () => {
    expect(roundToFloat16(Float32Array.of(65504, stepped(65520, -1)))).toEqual({ bits: Uint16Array.of(0x7bff, 0x7bff), overflowIndex: -1 });
    expect(roundToFloat16(Float32Array.of(1, -65520, 1e38))).toEqual({ bits: Uint16Array.of(0x3c00, 0xfc00, 0x7c00), overflowIndex: 1 });
    expect(roundToFloat16(Float32Array.of(Infinity, NaN)).overflowIndex).toBe(-1);
  });
});
