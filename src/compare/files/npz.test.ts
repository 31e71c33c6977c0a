// Must come first: it counts buffers of modules loaded after it.
import { bufferBytesOf, FEW_BYTES } from '../../../test/compare/memory';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/compare/failure';
import { buildNpy } from '../../../test/compare/npyFile';
import { readNpz } from './npy';

const FILES = {
  'encoder.weight.npy': buildNpy([2, 2], [1, 2, 3, 4], { fortranOrder: true }),
  'encoder.bias.npy': buildNpy([2], Uint8Array.of(0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0), { descr: '>f4' }),
  'steps.npy': buildNpy([], Uint8Array.of(7), { descr: '|u1' }),
};

describe('readNpz', () => {
  it.each([0, 9] as const)('reads every array, at compression level %i', (level) => {
    const tensors = readNpz(zipSync({ ...FILES, 'README.md': new Uint8Array(3) }, { level }), 'a.npz');
    expect(tensors.map(({ name, dtype, type, shape, problem }) => ({ name, dtype, type, shape, problem }))).toEqual([
      { name: 'encoder.weight', dtype: '<f4', type: 'float32', shape: [2, 2], problem: null },
      { name: 'encoder.bias', dtype: '>f4', type: 'float32', shape: [2], problem: null },
      { name: 'steps', dtype: '|u1', type: 'uint8', shape: [], problem: null },
    ]);
    expect(tensors.map((tensor) => Array.from(tensor.values()!))).toEqual([[1, 3, 2, 4], [1, -2], [7]]);
    // In the byte order that an audit hashes: C order, little-endian.
    expect(tensors[1]!.bytes).toEqual(Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0));
  });

  it('lists an array that cannot be read, beside those that can', () => {
    const tensors = readNpz(zipSync({ 'pickled.npy': buildNpy([1], [0], { descr: '|O' }), ...FILES }), 'a.npz');
    expect(tensors).toHaveLength(4);
    expect(tensors[0]).toMatchObject({ name: 'pickled', type: null, isReadable: false });
    expect(tensors[0]!.problem).toMatch(/pickled Python objects/);
    expect(tensors[0]!.values()).toBeNull();
    expect(tensors[1]!.values()).not.toBeNull();
  });

  it('rejects a file truncated at any byte', () => {
    const whole = zipSync(FILES);
    for (let length = 0; length < whole.length; length++) {
      expect(failureOf(() => readNpz(whole.subarray(0, length), 'a.npz')).problem).toMatch(/^a\.npz cannot be unpacked/);
    }
  });

  it.each([0, 6] as const)('rejects an array with a wrong byte by its checksum, at compression level %i', (level) => {
    const whole = zipSync({ 'x.npy': buildNpy([2], [1, 2]) }, { level });
    // The values end where the directory begins.
    const at = Buffer.from(whole).indexOf('PK\x01\x02', 0, 'latin1') - 2;
    expect(failureOf(() => readNpz(whole.with(at, whole[at]! ^ 0x40), 'a.npz')).problem).toMatch(/^a\.npz (contains the damaged file x\.npy: |cannot be unpacked)/);
  });

  it('names an unsupported compression method, and encryption', () => {
    const whole = zipSync({ 'x.npy': buildNpy([2], [1, 2]) });
    const directory = Buffer.from(whole).indexOf('PK\x01\x02', 0, 'latin1');
    expect(failureOf(() => readNpz(whole.with(directory + 10, 12), 'a.npz')).problem).toBe('a.npz contains x.npy, compressed with bzip2');
    expect(failureOf(() => readNpz(whole.with(directory + 8, 1), 'a.npz')).problem).toBe('a.npz contains the encrypted file x.npy');
  });

  it('creates no buffer for an array that declares 3 GB', () => {
    const npz = zipSync({ 'x.npy': buildNpy([1], [0], { shape: '(805306368,)' }) });
    const growth = bufferBytesOf(() => {
      expect(readNpz(npz, 'a.npz')[0]!.problem).toMatch(/3221225472 bytes, but 4 follow/);
    });
    expect(growth).toBeLessThan(FEW_BYTES);
  });

  it('rejects archives that unpack to far more than a checkpoint would', () => {
    const size = 80 * 1024 * 1024;
    const bomb = zipSync({ 'x.npy': buildNpy([size], new Uint8Array(size), { descr: '|u1' }) }, { level: 1 });
    const growth = bufferBytesOf(() => {
      const { problem } = failureOf(() => readNpz(bomb, 'a.npz'));
      expect(problem).toMatch(/^a\.npz unpacks to 8388\d+ bytes or more, at x\.npy/);
    });
    expect(growth).toBeLessThan(FEW_BYTES);
  });
});
