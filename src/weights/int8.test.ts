import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../util/shape';
import { channelScales, fineScales, quantize, quantizeRest } from './int8';

const both = (values: Float32Array, shape: readonly number[], axis: number) => {
  const scales = channelScales(values, shape, axis);
  return { scales, data: quantize(values, scales, shape, axis) };
};

const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e30), max: Math.fround(1e30) });
const tensor = fc
  .record({ shape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }), axis: fc.nat(2) })
  .chain(({ shape, axis }) => fc.record({ shape: fc.constant(shape), axis: fc.constant(axis % shape.length), values: fc.array(finite, { minLength: sizeOf(shape), maxLength: sizeOf(shape) }) }));

describe('int8 per output channel', () => {
  it('has one scale per row of axis 0', () => {
    const { scales, data } = both(Float32Array.of(127, -63.5, 1, 0.5, 1, -0.125), [2, 3], 0);
    expect([...scales]).toEqual([1, Math.fround(1 / 127)]);
    // -63.5 is halfway, and -64 is even.
    expect([...data]).toEqual([127, -64, 1, 64, 127, -16]);
  });

  it('has one scale per column of axis 1', () => {
    const { scales, data } = both(Float32Array.of(127, 2, 0, -1, 254, 0), [2, 3], 1);
    expect([...scales]).toEqual([1, 2, 0]);
    expect([...data]).toEqual([127, 1, 0, -1, 127, 0]);
  });

  it('rounds halves to the even multiple', () => {
    expect([...both(Float32Array.of(127, 0.5, 1.5, 2.5, -0.5, -1.5), [1, 6], 0).data]).toEqual([127, 0, 2, 2, 0, -2]);
  });

  it('keeps zeros and channels without a scale', () => {
    expect(both(Float32Array.of(0, -0, 2 ** -149, -(2 ** -149)), [2, 2], 0)).toEqual({ scales: Float32Array.of(0, 0), data: Int8Array.of(0, 0, 0, 0) });
  });

  it('stays in range if the scale has only a few bits', () => {
    const tiny = 190 * 2 ** -149;
    const { scales, data } = both(Float32Array.of(tiny, -tiny), [1, 2], 0);
    expect([...scales]).toEqual([2 ** -149]);
    expect([...data]).toEqual([127, -127]);
  });

  it('has an error of at most half a scale, on every axis of any shape', () => {
    fc.assert(
      fc.property(tensor, ({ shape, axis, values }) => {
        const { scales, data } = both(Float32Array.from(values), shape, axis);
        const inner = sizeOf(shape.slice(axis + 1));
        expect(scales).toHaveLength(shape[axis]!);
        values.forEach((value, index) => {
          const scale = scales[Math.floor(index / inner) % shape[axis]!]!;
          // The scale is rounded to float32, by 2^-24 of it, and by at most half of the smallest number: 127 times that.
          const bound = scale / 2 + 127 * (scale * 2 ** -24 + 2 ** -150);
          if (!(Math.abs(value - data[index]! * scale) <= bound)) expect([value, data[index], scale]).toBeNull();
        });
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it('has a fine part with an error of at most half a fine scale, on every axis of any shape', () => {
    fc.assert(
      fc.property(tensor, ({ shape, axis, values }) => {
        const floats = Float32Array.from(values);
        const { scales, data } = both(floats, shape, axis);
        const fine = quantizeRest(floats, scales, data, shape, axis);
        const steps = fineScales(scales);
        const inner = sizeOf(shape.slice(axis + 1));
        floats.forEach((value, index) => {
          const channel = Math.floor(index / inner) % shape[axis]!;
          const found = data[index]! * scales[channel]! + fine[index]! * steps[channel]!;
          // Roundings to float32: of what is left, of the fine scale, and of the scale, by which the coarse part can lack a little of the greatest value.
          const bound = steps[channel]! / 2 + 128 * (scales[channel]! * 2 ** -24 + 2 ** -149);
          if (!(Math.abs(value - found) <= bound)) expect([value, found, scales[channel]]).toBeNull();
        });
      }),
      { seed: 8, numRuns: 300 },
    );
  });

  it('has the nearest fine multiple of what the coarse part left', () => {
    const values = Float32Array.of(127, 0.25, -0.25, 0.5, 0, 100 / 254);
    const scales = channelScales(values, [1, 6], 0);
    const coarse = quantize(values, scales, [1, 6], 0);
    expect([...fineScales(scales)]).toEqual([Math.fround(1 / 254)]);
    // 0.25 is 63.5 fine steps.
    expect([...quantizeRest(values, scales, coarse, [1, 6], 0)]).toEqual([0, 64, -64, 127, 0, 100]);
  });
});
