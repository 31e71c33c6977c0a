import { describe, expect, it } from 'vitest';
import { build, node, weight } from '../../../test/onnx/build';
import { readGguf } from './gguf';
import { auditWeights } from '../audit/auditWeights';
import { buildGguf, type GgufTensor } from '../../../test/compare/checkpointFiles';

const [F32, F16, Q8_0] = [0, 1, 8];
const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

const matrix: GgufTensor = { name: 'w', shape: [2, 3], type: F32, bytes: floats(1, 2, 3, 4, 5, 6) };
/** 1.5 and -2. */
const half: GgufTensor = { name: 'h', shape: [2], type: F16, bytes: new Uint8Array(Uint16Array.of(0x3e00, 0xc000).buffer) };
/** 2 rows of a block of 32 values each: a half-precision factor and 32 bytes. */
const quantized: GgufTensor = { name: 'q', shape: [2, 32], type: Q8_0, bytes: Uint8Array.from({ length: 68 }, (_, index) => index) };

const problemsOf = async (tensors: readonly GgufTensor[], alignment?: number): Promise<(string | null)[]> =>
  (await readGguf(buildGguf(tensors, alignment), 'c.gguf')).map(({ problem }) => problem);

describe('readGguf', () => {
  it('reads float32, float16 and the bytes of quantized tensors', async () => {
    const tensors = await readGguf(buildGguf([matrix, half, quantized]), 'c.gguf');
    expect(tensors.map(({ name, dtype, type, shape, problem }) => ({ name, dtype, type, shape, problem }))).toEqual([
      { name: 'w', dtype: 'F32', type: 'float32', shape: [2, 3], problem: null },
      { name: 'h', dtype: 'F16', type: 'float16', shape: [2], problem: null },
      { name: 'q', dtype: 'Q8_0', type: null, shape: [2, 32], problem: null },
    ]);
    expect(tensors.map((tensor) => tensor.values())).toEqual([Float32Array.of(1, 2, 3, 4, 5, 6), Float32Array.of(1.5, -2), null]);
    expect(new Uint8Array(tensors[2]!.bytes)).toEqual(quantized.bytes);
  });

  it('reads big-endian values', async () => {
    const swapped = Uint8Array.from(matrix.bytes);
    for (let start = 0; start < swapped.length; start += 4) swapped.subarray(start, start + 4).reverse();
    const [tensor] = await readGguf(buildGguf([{ ...matrix, bytes: swapped }], 32, false), 'c.gguf');
    expect(tensor!.values()).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
  });

  it('reads other alignments, and headers that span several chunks of the library', async () => {
    // Each header has 100 bytes; a chunk has 2,000,000.
    const many = Array.from({ length: 25_000 }, (_, index): GgufTensor => ({
      name: `layer.${index}`.padEnd(60, '.'), shape: [1, 1], type: F32, bytes: floats(index),
    }));
    const tensors = await readGguf(buildGguf(many, 64), 'c.gguf');
    expect(tensors.length).toBe(many.length);
    expect(tensors.every(({ name, problem }, index) => name === many[index]!.name && problem === null)).toBe(true);
    expect(tensors.at(-1)!.values()).toEqual(Float32Array.of(24_999));
  });

  it('reads an unknown type up to the next tensor', async () => {
    const unknown: GgufTensor = { name: 'u', shape: [7], type: 999, bytes: Uint8Array.of(1, 2, 3, 4, 5) };
    const [first, second] = await readGguf(buildGguf([unknown, matrix]), 'c.gguf');
    expect(first).toMatchObject({ dtype: 'type 999', type: null, problem: null });
    expect(Array.from(first!.bytes.subarray(0, 6))).toEqual([1, 2, 3, 4, 5, 0]);
    expect(first!.bytes.length).toBe(32);
    expect(second!.values()).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
  });

  it.each<[string, Partial<GgufTensor>, string]>([
    ['overlaps', { offset: 0 }, 'shares 4 bytes with w'],
    ['leaves a gap', { offset: 96 }, 'leaves a gap of 72 bytes after w'],
    ['begins between', { offset: 36 }, 'not a multiple of 32'],
    ['has rows of part of a block', { type: Q8_0, shape: [33], bytes: new Uint8Array(68) }, 'rows of 33 values, not a multiple of the 32 of Q8_0'],
  ])('reports if a tensor %s', async (_, part, words) => {
    const [first, second] = await problemsOf([matrix, { ...half, ...part }]);
    expect(`${first ?? ''} ${second ?? ''}`).toContain(words);
  });

  it('lists truncated tensors, without values', async () => {
    const file = buildGguf([matrix, half]);
    const [whole, cut] = await readGguf(file.subarray(0, file.length - 1), 'c.gguf');
    expect(whole).toMatchObject({ problem: null, isReadable: true });
    expect(cut).toMatchObject({ problem: `ends at byte ${file.length} of the file, which has ${file.length - 1}`, isReadable: false });
    expect(cut!.values()).toBeNull();
  });

  it.each([4, 8, 30, 60, 100])('rejects a header that is truncated after %i bytes', async (length) => {
    const file = buildGguf([matrix, half]).subarray(0, length);
    await expect(readGguf(file, 'c.gguf')).rejects.toMatchObject({ code: 'format' });
  });

  it('rejects other files, and impossible counts', async () => {
    await expect(readGguf(new Uint8Array(100), 'c.gguf')).rejects.toMatchObject({ code: 'format' });
    const many = buildGguf([matrix]);
    new DataView(many.buffer).setBigUint64(8, 5_000_000n, true);
    await expect(readGguf(many, 'c.gguf')).rejects.toMatchObject({ code: 'format' });
  });

  it('is a checkpoint for the audit, whatever the file name', async () => {
    const model = build({
      initializer: [weight('w', [2, 3], [1, 2, 3, 4, 5, 6]), weight('q', [2, 32], Array<number>(64).fill(1).with(0, 2))],
      node: [node('Relu', ['x'], ['y'])],
    });
    const file = { name: 'download', bytes: buildGguf([matrix, quantized]) };
    const { weights, checkpoint } = await auditWeights(model, 'm', file, () => undefined);
    expect(weights.map(({ match, flags }) => [match?.name, flags])).toEqual([['w', []], ['q', []]]);
    expect(checkpoint?.weights[1]).toMatchObject({ dtype: 'Q8_0', shape: [2, 32], mean: null, flags: [] });
    expect(checkpoint?.weights[1]?.remarks).toEqual([
      'has values of Q8_0, which are not read',
      'q is not compared with this tensor: one of them has no numbers',
    ]);
  });
});
