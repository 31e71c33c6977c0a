import { describe, expect, it } from 'vitest';
import { countingSource } from '../../test/weights/countingSource';
import { buildWeights, type TensorToWrite } from '../../test/weights/safetensorsFile';
import { VoxlaneError } from '../util/errors';
import { bindWeights, type BoundWeights, checkValues, loadWeights, type WeightsProgress } from './bind';
import type { ExpectedTensor } from './expected';
import { openSafetensors } from './safetensors';

const EXPECTED: readonly ExpectedTensor[] = [
  { name: 'fc.weight', type: 'float32', shape: [2, 3], channelAxis: 0 },
  { name: 'fc.bias', type: 'float32', shape: [2], channelAxis: null },
  { name: 'norm.weight', type: 'float32', shape: [3], channelAxis: null },
];

type Tensors = Record<string, TensorToWrite>;
const floats = (...values: number[]): Float32Array => Float32Array.from(values);
const right = (): Tensors => ({
  'fc.bias': { shape: [2], data: floats(7, 8) },
  'fc.weight': { shape: [2, 3], data: floats(1, 2, 3, 4, 5, 6) },
  'norm.weight': { shape: [3], data: floats(1, -0, 1) },
});

async function bound(tensors: Tensors, expected = EXPECTED): Promise<BoundWeights> {
  return bindWeights(await openSafetensors(countingSource(buildWeights(tensors))), expected);
}

async function failureOf(tensors: Tensors): Promise<VoxlaneError> {
  const failure: unknown = await bound(tensors).then(loadWeights).then(() => null, (error: unknown) => error);
  expect(failure).toBeInstanceOf(VoxlaneError);
  return failure as VoxlaneError;
}

describe('weights that fit', () => {
  it('are found by name and returned in graph order', async () => {
    const weights = await loadWeights(await bound(right()));
    expect(Array.from(weights, ([name, bytes]) => [name, ...new Float32Array(bytes.buffer)])).toEqual([
      ['fc.weight', 1, 2, 3, 4, 5, 6],
      ['fc.bias', 7, 8],
      ['norm.weight', 1, -0, 1],
    ]);
  });

  it('are bound from the header alone, and loaded with one read per tensor, in the order of the file', async () => {
    const source = countingSource(buildWeights(right()));
    const weights = bindWeights(await openSafetensors(source), EXPECTED);
    expect(source.reads).toHaveLength(2);
    const progress: WeightsProgress[] = [];
    await loadWeights(weights, { onProgress: (one) => progress.push(one) });
    expect(source.reads.slice(2).map(([start, end]) => end - start)).toEqual([8, 24, 12]);
    expect(progress).toEqual([8, 32, 44].map((doneBytes) => ({ doneBytes, totalBytes: 44 })));
  });
});

describe('weights with a fault', () => {
  it.each<[string, (tensors: Tensors) => void, RegExp, RegExp]>([
    ['a missing tensor', (tensors) => delete tensors['fc.bias'], /^model\.safetensors lacks 1 of the 3 tensors of the graph: fc\.bias$/, /exactly the tensors/],
    ['all tensors missing', (tensors) => { for (const { name } of EXPECTED) Reflect.deleteProperty(tensors, name); tensors.a = { shape: [1], data: floats(1) }; }, /^model\.safetensors lacks 3 of the 3 .*: fc\.weight, fc\.bias, norm\.weight, and has 1 that the graph does not use: a$/, /exactly/],
    ['a renamed tensor', (tensors) => { tensors['fc.beta'] = tensors['fc.bias']!; delete tensors['fc.bias']; }, /lacks 1 of the 3 tensors of the graph: fc\.bias, and has 1 that the graph does not use: fc\.beta$/, /exactly/],
    ['tensors left over', (tensors) => { for (const name of 'abcde') tensors[name] = { shape: [1], data: floats(1) }; }, /^model\.safetensors has 5 that the graph does not use: a, b, c and 2 more$/, /exactly/],
    ['a transposed tensor', (tensors) => { tensors['fc.weight'] = { ...tensors['fc.weight']!, shape: [3, 2] }; }, /^The tensor fc\.weight of model\.safetensors has the shape \(3, 2\), as if it was transposed$/, /^float32 values of the shape \(2, 3\)$/],
    ['a tensor of another size', (tensors) => { tensors['fc.bias'] = { shape: [3], data: floats(1, 2, 3) }; }, /fc\.bias .* has the shape \(3\)$/, /^float32 values of the shape \(2\)$/],
    ['a tensor with another number of axes', (tensors) => { tensors['fc.bias'] = { ...tensors['fc.bias']!, shape: [2, 1] }; }, /fc\.bias .* has the shape \(2, 1\)$/, /\(2\)$/],
    ['another type', (tensors) => { tensors['norm.weight'] = { dtype: 'F16', shape: [3], data: new Uint16Array(3).fill(0x3c00) }; }, /^The tensor norm\.weight of model\.safetensors has the type float16$/, /^float32 values/],
    ['a type of the same size', (tensors) => { tensors['norm.weight'] = { dtype: 'I32', shape: [3], data: Int32Array.of(1, 2, 3) }; }, /norm\.weight .* has the type int32$/, /^float32 values/],
    ['two tensors of another form', (tensors) => { tensors['fc.bias'] = { shape: [1], data: floats(1) }; tensors['norm.weight'] = { shape: [1], data: floats(1) }; }, /fc\.bias .* has the shape \(1\); 1 more tensor differs too$/, /\(2\)$/],
    ['a tensor of zeros', (tensors) => { tensors['norm.weight'] = { shape: [3], data: floats(0, -0, 0) }; }, /^The tensor norm\.weight of model\.safetensors holds only zeros$/, /finite numbers that are not all zero/],
    ['NaN', (tensors) => { tensors['fc.weight'] = { shape: [2, 3], data: floats(1, 2, NaN, 4, 5, 6) }; }, /fc\.weight .* has a NaN or infinite value at position 2$/, /finite/],
    ['infinity', (tensors) => { tensors['fc.bias'] = { shape: [2], data: floats(1, -Infinity) }; }, /fc\.bias .* has a NaN or infinite value at position 1$/, /finite/],
  ])('%s', async (_name, change, problem, expected) => {
    const tensors = right();
    change(tensors);
    const failure = await failureOf(tensors);
    expect(failure.code).toBe('model-invalid');
    expect(failure.problem).toMatch(problem);
    expect(failure.expected).toMatch(expected);
    expect(failure.remedy).not.toBe('');
  });

  it('zeros are accepted in a file of known hash, NaN is not', async () => {
    const zeros = { ...right(), 'fc.bias': { shape: [2], data: floats(0, 0) } };
    await expect(bound(zeros).then((weights) => loadWeights(weights, { allowZeros: true }))).resolves.toBeInstanceOf(Map);
    const nan = { ...right(), 'fc.bias': { shape: [2], data: floats(0, NaN) } };
    await expect(bound(nan).then((weights) => loadWeights(weights, { allowZeros: true }))).rejects.toMatchObject({ code: 'model-invalid' });
  });

  it.each<[string, ExpectedTensor['type'], ArrayBufferView, RegExp | null]>([
    ['F16', 'float16', Uint16Array.of(0x3c00, 0x7c00), /infinite value at position 1/],
    ['F16', 'float16', Uint16Array.of(0x8000, 0), /only zeros/],
    ['F16', 'float16', Uint16Array.of(0x7bff, 0), null],
    ['BF16', 'bfloat16', Uint16Array.of(0x3f80, 0xffc0), /infinite value at position 1/],
    ['BF16', 'bfloat16', Uint16Array.of(0x7c00, 0), null],
    ['F64', 'float64', Float64Array.of(1, NaN), /infinite value at position 1/],
    ['F64', 'float64', Float64Array.of(0, 0), /only zeros/],
    ['I8', 'int8', Int8Array.of(-1, 0), null],
    ['I8', 'int8', Int8Array.of(0, 0), /only zeros/],
  ])('are found in %s: %#', async (dtype, type, data, problem) => {
    const weights = await bound({ a: { dtype, shape: [2], data } }, [{ name: 'a', type, shape: [2], channelAxis: null }]);
    if (problem === null) await checkValues(weights);
    else await expect(checkValues(weights)).rejects.toThrow(problem);
  });
});

describe('loading', () => {
  it('ends when the caller cancels, without weights', async () => {
    const abort = new AbortController();
    const weights = await bound(right());
    const loading = loadWeights(weights, { signal: abort.signal, onProgress: () => { abort.abort(); } });
    await expect(loading).rejects.toMatchObject({ code: 'cancelled' });
  });
});
