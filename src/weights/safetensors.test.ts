import { openAsBlob, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildSafetensors, buildWeights } from '../../test/weights/safetensorsFile';
import { countingSource } from '../../test/weights/countingSource';
import { blobSource } from '../store/byteSource';
import { VoxlaneError } from '../util/errors';
import { openSafetensors, readTensor } from './safetensors';
import { encodeHeader } from './safetensorsHeader';

/** Written by `save_file` of the Python package safetensors, see test/weights/python.py. */
const PYTHON_FILE = new URL('../../test/weights/python.safetensors', import.meta.url);

const floats = (...values: number[]): Uint8Array<ArrayBuffer> => new Uint8Array(Float32Array.from(values).buffer);
const f32 = (start: number, end: number, shape = [(end - start) / 4]) => ({ dtype: 'F32', shape, data_offsets: [start, end] });

async function failureOf(file: Uint8Array): Promise<VoxlaneError> {
  const failure: unknown = await openSafetensors(countingSource(file)).then(() => null, (error: unknown) => error);
  expect(failure).toBeInstanceOf(VoxlaneError);
  return failure as VoxlaneError;
}

describe('a file of the Python package', () => {
  it('has the tensors that Python wrote, read from disk one by one', async () => {
    const file = await openSafetensors(blobSource(await openAsBlob(PYTHON_FILE), 'python.safetensors'));
    expect(Array.from(file.tensors.values(), ({ name, dtype, shape }) => [name, dtype, ...shape])).toEqual([
      ['layers.0.bias', 'F32', 3],
      ['layers.0.weight', 'F32', 3, 4],
      ['silence', 'F32'],
      ['half', 'F16', 2, 2],
      ['counts', 'I8', 5],
    ]);
    expect([...file.metadata]).toEqual([['format', 'pt']]);
    const valuesOf = async (name: string) => readTensor(file, file.tensors.get(name)!);
    expect(new Float32Array((await valuesOf('layers.0.weight')).buffer)).toEqual(Float32Array.from({ length: 12 }, (_, index) => index / 8 - 0.5));
    expect([...new Float32Array((await valuesOf('silence')).buffer)]).toEqual([0.25]);
    expect([...new Uint16Array((await valuesOf('half')).buffer)]).toEqual([0x3c00, 0xc000, 0x3800, 0x7bff]);
    expect([...new Int8Array((await valuesOf('counts')).buffer)]).toEqual([-128, -1, 0, 1, 127]);
  });

  it('has the header that we would write, byte by byte', async () => {
    const bytes = new Uint8Array(readFileSync(PYTHON_FILE));
    const { tensors, metadata } = await openSafetensors(countingSource(bytes));
    const header = encodeHeader([...tensors.values()], Object.fromEntries(metadata));
    expect(Buffer.from(header).toString()).toBe(Buffer.from(bytes.subarray(0, header.length)).toString());
  });
});

describe('openSafetensors', () => {
  it('reads the header and nothing else', async () => {
    const bytes = buildWeights({ a: { shape: [1000], data: new Float32Array(1000).fill(2) } });
    const source = countingSource(bytes);
    const file = await openSafetensors(source);
    const headerEnd = bytes.length - 4000;
    expect(source.reads).toEqual([[0, 8], [8, headerEnd]]);
    await readTensor(file, file.tensors.get('a')!);
    expect(source.reads.slice(2)).toEqual([[headerEnd, bytes.length]]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /ends after 0 bytes, in the header's length/],
    ['a header beyond the file', buildSafetensors('{}', new Uint8Array(0), 99n), /ends in its header, after 10 bytes of 107/],
    ['an endless header', buildSafetensors('{}', new Uint8Array(0), 2n ** 64n - 1n), /is damaged or no \.safetensors file: it declares a header of 18446744073709552000 bytes/],
    ['an ONNX file', new Uint8Array(readFileSync('models/segmentation-3.0/model.onnx').subarray(0, 1000)), /is damaged or no \.safetensors file/],
    ['no JSON', buildSafetensors('{"a": ', new Uint8Array(0)), /header that is not JSON/],
    ['bytes that are not UTF-8', buildSafetensors('{}', new Uint8Array(0)).with(9, 0xff), /header that is not JSON/],
    ['a list', buildSafetensors('[]', new Uint8Array(0)), /not a JSON object/],
    ['no tensors', buildSafetensors('{"__metadata__":{"format":"pt"}}', new Uint8Array(0)), /lists no tensors/],
    ['metadata that is no text', buildSafetensors({ __metadata__: { a: 1 }, a: f32(0, 4) }, floats(1)), /__metadata__ is not a list of texts/],
    ['a name twice', buildSafetensors(`{"a":${JSON.stringify(f32(0, 4))},"a":${JSON.stringify(f32(0, 4))}}`, floats(1)), /header that lists a twice/],
    ['an offset twice', buildSafetensors('{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}', floats(1)), /lists shape twice/],
    ['overlapping tensors', buildSafetensors({ a: f32(0, 8), b: f32(4, 12) }, floats(1, 2, 3)), /tensor b of model.safetensors shares 4 bytes with a/],
    ['a hole', buildSafetensors({ a: f32(0, 4), b: f32(8, 12) }, floats(1, 2, 3)), /tensor b of .* leaves a gap of 4 bytes after a/],
    ['a hole at the start', buildSafetensors({ a: f32(4, 8) }, floats(1, 2)), /leaves a gap of 4 bytes after the header/],
    ['bytes of no tensor', buildSafetensors({ a: f32(0, 4) }, floats(1, 2)), /is followed by 4 bytes that belong to no tensor/],
    ['a tensor beyond the file', buildSafetensors({ a: f32(0, 8) }, floats(1)), /tensor a of .* ends at byte 8, but the data has 4 bytes/],
    ['an offset beyond all integers', buildSafetensors('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,1e300]}}', floats(1)), /a\.data_offsets\.1/],
    ['a tensor that ends before its start', buildSafetensors({ a: f32(0, 8), b: { ...f32(4, 8), data_offsets: [8, 4] } }, floats(1, 2)), /tensor b of .* ends at byte 4, before its start at byte 8/],
    ['another number of bytes than the shape needs', buildSafetensors({ a: f32(0, 8, [3]) }, floats(1, 2)), /shape \(3\) of F32, which is 12 bytes, but its data has 8 bytes/],
    ['an unknown type', buildSafetensors({ a: { ...f32(0, 8), dtype: 'F4' } }, floats(1, 2)), /tensor a of .* has the type F4, which is not supported/],
  ])('rejects %s', async (_name, file, problem) => {
    const { code, problem: found, expected, remedy } = await failureOf(file);
    expect(code).toBe('model-invalid');
    expect(found).toMatch(problem);
    expect(expected).toMatch(/^a whole \.safetensors file/);
    expect(remedy).toMatch(/^Download the file again/);
  });

  it('rejects a file that was truncated at any byte', async () => {
    const whole = buildSafetensors({ a: f32(0, 8), b: f32(8, 12) }, floats(1, 2, 3));
    for (let length = 0; length < whole.length; length++) expect((await failureOf(whole.subarray(0, length))).code).toBe('model-invalid');
  });
});

describe('blobSource', () => {
  it('reports a file that was changed after it was chosen', async () => {
    const changed = new Blob([floats(1, 2)]);
    changed.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException('It was changed.', 'NotReadableError')) }) as unknown as Blob;
    await expect(blobSource(changed, 'mine.safetensors').read(0, 4)).rejects.toMatchObject({ code: 'model-missing', problem: 'The file mine.safetensors could not be read' });
  });

  it('reports a file that ends early', async () => {
    await expect(blobSource(new Blob([floats(1, 2)]), 'mine.safetensors').read(4, 12)).rejects.toMatchObject({ code: 'model-missing', problem: expect.stringContaining('it has 4 bytes at 4, not 8') as string });
  });
});
