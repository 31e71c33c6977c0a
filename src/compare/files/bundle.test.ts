// Must come first: it counts buffers of modules loaded after it.
import { bufferBytesOf, FEW_BYTES } from '../../../test/compare/memory';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { MAX_UNPACKED_BYTES, readBundle, tensorNamed } from './bundle';
import { failureOf } from '../../../test/compare/failure';
import { buildNpy } from '../../../test/compare/npyFile';

const X = { name: 'x', file: 'inputs/x.npy', axes: ['batch', 'sample'] };
const HALF = { name: 'half', file: 'stages/half.npy', axes: ['sample'] };
const MANIFEST = {
  format: 'golden-bundle',
  version: 1,
  model: 'toy',
  source: { framework: 'none' },
  inputs: [X],
  stages: [
    HALF,
    {
      name: 'classifier',
      file: 'stages/classifier.npy',
      axes: ['frame', 'class'],
      tolerance: { max_abs: 1, argmax_agreement: 0.5 },
    },
  ],
  tolerance: { max_abs: 0.01, cosine: 0.999 },
};
const FILES = {
  'inputs/x.npy': buildNpy([1, 2], [1, 2]),
  'stages/half.npy': buildNpy([2], [0.5, 1]),
  'stages/classifier.npy': buildNpy([1, 2], [0, 1]),
};

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
function bundleOf(manifest: object = MANIFEST, files: Record<string, Uint8Array> = FILES, level: 0 | 9 = 9): Uint8Array {
  return zipSync({ 'manifest.json': json(manifest), ...files }, { level });
}
/** A bundle whose stage `half` has this file. */
const withHalf = (file: Uint8Array): Uint8Array => bundleOf(MANIFEST, { ...FILES, 'stages/half.npy': file });
/** A bundle whose manifest has these fields in place of its own. */
const withFields = (fields: object): Uint8Array => bundleOf({ ...MANIFEST, ...fields });

const failureOfBundle = (bytes: Uint8Array): ReturnType<typeof failureOf> => failureOf(() => readBundle(bytes));

/** Writes `size` as the uncompressed size of `name` into the directory at the end of the zip. */
function claimSize(zip: Uint8Array, name: string, size: number): Uint8Array {
  const view = new DataView(zip.buffer, zip.byteOffset);
  const at = Buffer.from(zip).lastIndexOf(name) - 46;
  expect(view.getUint32(at, true)).toBe(0x02014b50);
  view.setUint32(at + 24, size, true);
  return zip;
}

describe('readBundle', () => {
  it.each([0, 9] as const)('reads inputs and stages, at compression level %i', (level) => {
    const { model, source, inputs, stages, notes, graph } = readBundle(bundleOf(MANIFEST, FILES, level));
    expect({ model, source, notes, graph }).toEqual({
      model: 'toy', source: { framework: 'none' }, notes: [], graph: null,
    });
    expect(inputs).toEqual([{ name: 'x', axes: ['batch', 'sample'], shape: [1, 2], data: Float32Array.of(1, 2) }]);
    expect(stages.map(({ name }) => name)).toEqual(['half', 'classifier']);
    expect([...tensorNamed(stages, 'classifier').data]).toEqual([0, 1]);
  });

  it("applies the bundle's tolerance to a stage without one", () => {
    const [half, classifier] = readBundle(bundleOf()).stages;
    expect(half!.tolerance).toEqual({ maxAbs: 0.01, cosine: 0.999 });
    expect(classifier!.tolerance).toEqual({ maxAbs: 1, cosine: 0.999, argmaxAgreement: 0.5 });
    // Neither specifies one.
    expect(readBundle(withFields({ tolerance: {} })).stages[0]!.tolerance).toEqual({ maxAbs: Infinity, cosine: 0.999 });
  });

  it("reads the graph, and which of its values a stage is", () => {
    const manifest = { ...MANIFEST, graph: 'toy.onnx', stages: [{ ...HALF, value: '/toy/Half_output_0' }] };
    const { stages, graph } = readBundle(bundleOf(manifest, { ...FILES, 'toy.onnx': Uint8Array.of(8, 9) }));
    expect(stages.map(({ value }) => value)).toEqual(['/toy/Half_output_0']);
    expect([...graph!]).toEqual([8, 9]);
    expect(readBundle(bundleOf()).stages.map(({ value }) => value)).toEqual([null, null]);
  });

  it('reads a zipped folder with files that a desktop adds', () => {
    const files: Record<string, Uint8Array> = { '__MACOSX/dump/manifest.json': json('metadata') };
    for (const [name, file] of Object.entries({ 'manifest.json': json(MANIFEST), ...FILES })) files[`dump/${name}`] = file;
    const zip = zipSync(files);
    expect(readBundle(zip)).toEqual(readBundle(bundleOf()));
  });

  it('reads other dtypes and Fortran order, and notes coarse or non-finite values', () => {
    const half = buildNpy([2], Uint8Array.of(0x38, 0x00, 0x3c, 0x00), { descr: '>f2' });
    const classifier = buildNpy([1, 2], [0, NaN], { fortranOrder: true });
    const files = { ...FILES, 'stages/half.npy': half, 'stages/classifier.npy': classifier };
    const { stages, notes } = readBundle(bundleOf(MANIFEST, files));
    expect([...tensorNamed(stages, 'half').data]).toEqual([0.5, 1]);
    expect(tensorNamed(stages, 'classifier').shape).toEqual([1, 2]);
    expect(notes).toEqual([
      expect.stringMatching(/^stages\/half\.npy: holds float16/),
      expect.stringMatching(/^stages\/classifier\.npy: 1 of 2 values are NaN or infinite/),
    ]);
  });

  it('ignores files that the manifest does not name', () => {
    const extra = { ...FILES, 'README.md': json('text'), 'stages/other.npy': json('no array') };
    expect(readBundle(bundleOf(MANIFEST, extra)).stages).toHaveLength(2);
  });

  it('lists the existing tensors if one is missing', () => {
    const { stages } = readBundle(bundleOf());
    expect(() => tensorNamed(stages, 'lstm')).toThrow(/no tensor named lstm, only half, classifier/);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['no bytes', new Uint8Array(0), /cannot be unpacked/],
    ['no zip', json(MANIFEST), /cannot be unpacked/],
    ['an empty zip', zipSync({}), /no manifest\.json/],
    ['no manifest', zipSync(FILES), /no manifest\.json/],
    ['a manifest that is not JSON', zipSync({ 'manifest.json': new TextEncoder().encode('{') }), /is not JSON/],
    ['another format', withFields({ format: 'zip' }), /format: .*golden-bundle/],
    ['a later version', withFields({ version: 2 }), /version: /],
    ['no tolerance', withFields({ tolerance: undefined }), /tolerance/],
    ['a tolerance of NaN', withFields({ tolerance: { max_abs: NaN, cosine: 1 } }), /tolerance\.max_abs/],
    ['a missing file', bundleOf(MANIFEST, { 'inputs/x.npy': FILES['inputs/x.npy'] }), /no stages\/half\.npy/],
    ['a name twice', withFields({ stages: [HALF, { ...HALF, file: 'other' }] }), /half twice/],
    ['a file twice', withFields({ stages: [{ ...HALF, file: 'inputs/x.npy' }] }), /inputs\/x\.npy twice/],
    ['too few axes', withFields({ inputs: [{ ...X, axes: ['sample'] }] }), /x\.npy has the rank 2 and the shape \(1, 2\), but its axes in the manifest are sample/],
    ['a missing graph', withFields({ graph: 'toy.onnx' }), /no toy\.onnx/],
    ['a graph that is a tensor', withFields({ graph: 'inputs/x.npy' }), /inputs\/x\.npy twice/],
    ['an empty value', withFields({ stages: [{ ...HALF, value: '' }] }), /stages\.0\.value/],
    ['several bundles', zipSync({ 'a/manifest.json': json(MANIFEST), 'b/manifest.json': json(MANIFEST) }), /several bundles: a/],
    ['another dtype', withHalf(buildNpy([1], [1, 2], { descr: '<c8' })), /stages\/half\.npy has the dtype <c8/],
    ['Python objects', withHalf(buildNpy([1], [1, 2], { descr: '|O' })), /never run/],
    ['a shape that does not fit', withHalf(buildNpy([805306368], [1, 2])), /3221225472 bytes, but 8 follow/],
  ])('rejects %s', (_name, bytes, problem) => {
    const error = failureOfBundle(bytes);
    expect(error.code).toBe('format');
    expect(error.problem).toMatch(problem);
  });

  it('rejects a zip truncated at any byte', () => {
    const whole = bundleOf();
    for (let length = 0; length < whole.length; length++) {
      expect(failureOfBundle(whole.subarray(0, length)).code).toBe('format');
    }
  });

  it('rejects by the declared sizes, before it creates a buffer', () => {
    const bomb = claimSize(bundleOf(), 'stages/half.npy', 0xfffffffe);
    const growth = bufferBytesOf(() => {
      expect(failureOfBundle(bomb).problem).toMatch(/unpacks to \d{10} bytes or more, at stages\/half\.npy/);
    });
    expect(growth).toBeLessThan(FEW_BYTES);
    expect(failureOfBundle(claimSize(bundleOf(), 'manifest.json', 1 << 21)).problem).toMatch(/at manifest\.json/);
  });

  it('adds up the declared sizes', () => {
    const bomb = claimSize(bundleOf(), 'inputs/x.npy', 200 << 20);
    expect(failureOfBundle(claimSize(bomb, 'stages/half.npy', 200 << 20)).problem).toMatch(/unpacks to 419430400 bytes/);
  });

  it('rejects a declared size within bounds that the packed bytes cannot hold', () => {
    const bomb = claimSize(bundleOf(), 'stages/half.npy', 200 << 20);
    const growth = bufferBytesOf(() => {
      expect(failureOfBundle(bomb).problem).toMatch(/declares 209715200 bytes for stages\/half\.npy, which has/);
    });
    expect(growth).toBeLessThan(FEW_BYTES);
  });

  it('rejects a true bomb: one-byte values that are small as a file and large as float32', () => {
    const size = MAX_UNPACKED_BYTES / 4 + 1;
    const bomb = withHalf(buildNpy([size], new Uint8Array(size), { descr: '|u1' }));
    const growth = bufferBytesOf(() => {
      expect(failureOfBundle(bomb).problem).toMatch(/values are 2684\d+ bytes or more, at stages\/half\.npy/);
    });
    // The file itself is unpacked once; its values are not converted.
    expect(growth).toBeLessThan(size + FEW_BYTES);
  });

  it('respects the declared size if more data is unpacked', () => {
    const padded = { ...FILES, 'stages/half.npy': buildNpy([2], [1, 2], { shape: '(2,)' }) };
    const zip = claimSize(bundleOf(MANIFEST, padded), 'stages/half.npy', 100);
    expect(failureOfBundle(zip).problem).toMatch(/contains the damaged file stages\/half\.npy/);
  });

  it('rejects more files than a bundle can have', () => {
    const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [`${index}`, new Uint8Array(0)]));
    expect(failureOfBundle(zipSync(many, { level: 0 })).problem).toMatch(/too many files/);
  });
});
