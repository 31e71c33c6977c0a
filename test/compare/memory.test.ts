import { bufferBytesOf } from './memory';
import { unzipSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';

describe('bufferBytesOf', () => {
  it.each([
    ['a buffer', () => new ArrayBuffer(1000)],
    ['an array of a length', () => new Float32Array(250)],
    ['an array of values', () => Uint8Array.from({ length: 1000 })],
  ])('counts %s', (_what, run) => {
    expect(bufferBytesOf(run)).toBe(1000);
  });

  it('counts copies, but not views', () => {
    const values = new Float32Array(250);
    expect(bufferBytesOf(() => values.slice())).toBe(1000);
    expect(bufferBytesOf(() => values.map((value) => value + 1))).toBe(1000);
    expect(bufferBytesOf(() => [values.subarray(100), new Uint8Array(values.buffer), new DataView(values.buffer)])).toBe(0);
  });

  it('counts released buffers and buffers of fflate', () => {
    const zip = zipSync({ zeros: new Uint8Array(1 << 20) });
    expect(zip.length).toBeLessThan(10_000);
    expect(bufferBytesOf(() => unzipSync(zip).zeros?.length)).toBeGreaterThanOrEqual(1 << 20);
  });

  it('keeps the types', () => {
    const values = new Uint8Array(2);
    expect(values).toBeInstanceOf(Uint8Array);
    expect(values.constructor).toBe(Uint8Array);
    expect(ArrayBuffer.isView(values)).toBe(true);
  });
});
