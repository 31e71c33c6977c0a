// Must come first: it counts buffers of modules loaded after it.
import { bufferBytesOf, FEW_BYTES } from '../../../test/compare/memory';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { unzipSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { readBundle, type GoldenBundle, type GoldenTensor } from './bundle';
import { failureOf } from '../../../test/compare/failure';
import { buildNpy } from '../../../test/compare/npyFile';
import { buildSafetensors } from '../../../test/weights/safetensorsFile';
import { type KnownModel, type NamedFile, readGoldens } from './goldenFiles';
import { writeNpy } from './write';

const SHIPPED = ['segmentation-3.0', 'campplus-zh-en'].map((id) => {
  const bytes = new Uint8Array(readFileSync(`public/goldens/${id}.zip`));
  return { id, bytes, bundle: readBundle(bytes), files: unzipSync(bytes) };
});
/** Names and axes of the bundled models, as in their manifests. */
const KNOWN: KnownModel[] = SHIPPED.map(({ id, bundle: { inputs, stages } }) => ({ id, inputs, stages }));

const asFiles = (files: Record<string, Uint8Array>, folder = ''): NamedFile[] =>
  Object.entries(files).map(([name, bytes]) => ({ name: folder + name, bytes }));

/** The `.npy` files of a bundle by tensor name, with stages in alphabetical order like a folder listing. */
function tensorFiles({ inputs, stages }: GoldenBundle): Record<string, Uint8Array> {
  const tensors = [...inputs, ...stages].toSorted((a, b) => a.name.localeCompare(b.name));
  return Object.fromEntries(tensors.map((tensor) => [`${tensor.name}.npy`, writeNpy(tensor)]));
}

/** A `.safetensors` file with the tensors of a bundle. */
function safetensorsOf({ inputs, stages }: GoldenBundle): Uint8Array {
  const tensors = [...inputs, ...stages];
  let end = 0;
  const entries = tensors.map(({ name, shape, data }) => {
    const start = end;
    end += data.byteLength;
    return [name, { dtype: 'F32', shape, data_offsets: [start, end] }];
  });
  const body = Buffer.concat(tensors.map(({ data }) => new Uint8Array(data.buffer)));
  return buildSafetensors(Object.fromEntries(entries) as object, body);
}

/** Values as hashes, because the test runner takes minutes to diff two long arrays. */
const hashed = (tensors: readonly GoldenTensor[]): object[] =>
  tensors.map((tensor) => ({ ...tensor, data: createHash('sha256').update(tensor.data).digest('hex') }));

const contentOf = (bundle: GoldenBundle): object => ({
  ...bundle, inputs: hashed(bundle.inputs), stages: hashed(bundle.stages),
});

/** Names, axes and values: all that a form without a manifest keeps. */
const namedContentOf = ({ model, inputs, stages }: GoldenBundle): object => ({
  model,
  inputs: hashed(inputs),
  stages: hashed(stages.map(({ name, axes, shape, data }) => ({ name, axes, shape, data }))),
});

describe.each(SHIPPED)('readGoldens of $id', ({ bundle, bytes, files }) => {
  it.each<[string, NamedFile[]]>([
    ['a bundle', [{ name: 'goldens.zip', bytes }]],
    ['a bundle under another name', [{ name: 'download', bytes }, { name: 'README.md', bytes: new Uint8Array(3) }]],
    ['a folder', asFiles(files, 'dump/')],
    ['the inside of a folder', asFiles(files)],
  ])('reads %s with all contents of its manifest', (_name, given) => {
    expect(contentOf(readGoldens(given, []))).toEqual(contentOf(bundle));
  });

  it.each<[string, NamedFile[]]>([
    ['a single .npz', [{ name: 'goldens.npz', bytes: zipSync(tensorFiles(bundle)) }]],
    ['loose .npy files', asFiles(tensorFiles(bundle))],
    ['a folder of .npy files', asFiles(tensorFiles(bundle), 'home/dump/')],
    ['a folder without its manifest', asFiles(files, 'dump/').filter(({ name }) => name.endsWith('.npy'))],
    ['a zip without its manifest', [{ name: 'a.zip', bytes: zipSync(tensorFiles(bundle)) }]],
    ['a .safetensors file', [{ name: 'goldens.safetensors', bytes: safetensorsOf(bundle) }]],
  ])('recognizes the model in %s', (_name, given) => {
    const read = readGoldens(given, KNOWN);
    expect(namedContentOf(read)).toEqual(namedContentOf(bundle));
    expect(new Set(read.stages.map(({ tolerance }) => tolerance))).toEqual(new Set([{ maxAbs: Infinity, cosine: 0.999 }]));
    expect(read.notes).toContainEqual(expect.stringMatching(new RegExp(`goldens of ${bundle.model}`)));
    expect(read.notes).toContainEqual(expect.stringMatching(/Tolerance assumed/));
  });
});

const ONE = buildNpy([1], [1]);
const rolesOf = ({ inputs, stages }: GoldenBundle): object => ({
  inputs: inputs.map(({ name }) => name),
  stages: stages.map(({ name }) => name),
});

describe('readGoldens of an unknown model', () => {
  it('assigns inputs and stages by name, and numbers the axes', () => {
    const given = asFiles({ 'inputs/x.npy': ONE, 'stages/enc/Add_0.npy': buildNpy([1, 2], [3, 4]), 'inputs.y.npy': ONE });
    const read = readGoldens(given, KNOWN);
    expect(rolesOf(read)).toEqual({ inputs: ['x', 'y'], stages: ['enc/Add_0'] });
    expect(read).toMatchObject({ model: '', graph: null, stages: [{ axes: ['axis0', 'axis1'], value: null }] });
    expect(read.notes).toContainEqual(expect.stringMatching(/match no known model/));
    expect(read.notes).toContainEqual(expect.stringMatching(/Taken as inputs: x, y$/));
  });

  it("lets the graph's own input names win", () => {
    const given = asFiles({ 'tokens.npy': ONE, 'inputs.mask.npy': ONE, 'out.npy': ONE });
    expect(rolesOf(readGoldens(given, KNOWN, ['tokens', 'inputs.mask']))).toEqual({
      inputs: ['tokens', 'inputs.mask'], stages: ['out'],
    });
    const read = readGoldens(given.slice(2), KNOWN, ['tokens']);
    expect(read.notes).toContainEqual(expect.stringMatching(/No name is an input/));
  });

  it('is not treated as a model because of a single name', () => {
    const given = asFiles({ 'lstm.npy': ONE, 'encoder.npy': ONE });
    expect(readGoldens(given, KNOWN).model).toBe('');
    expect(readGoldens(asFiles({ 'waveform.npy': ONE, 'other.npy': ONE, 'another.npy': ONE }), KNOWN).model).toBe('');
  });

  it('keeps slashes in the names of an .npz, which are not folders', () => {
    const npz = zipSync({ 'enc/a.npy': ONE, 'enc/b.npy': ONE });
    expect(rolesOf(readGoldens([{ name: 'x.npz', bytes: npz }], KNOWN))).toMatchObject({ stages: ['enc/a', 'enc/b'] });
    expect(rolesOf(readGoldens([{ name: 'x.zip', bytes: npz }], KNOWN))).toMatchObject({ stages: ['a', 'b'] });
  });

  it('joins several files', () => {
    const given = [
      { name: 'inputs/x.npy', bytes: ONE },
      { name: 'stages.npz', bytes: zipSync({ 'a.npy': ONE }) },
      { name: 'model.onnx', bytes: Uint8Array.of(8, 7) },
    ];
    expect(rolesOf(readGoldens(given, KNOWN))).toEqual({ inputs: ['x'], stages: ['a'] });
  });

  it('leaves out a text stage with a note, and ignores files that macOS adds to a zip', () => {
    const npy = { 'x.npy': buildNpy([1], [1]), 'stages/y.npy': buildNpy([1], [2]), 'stages/label.npy': buildNpy([2], new Uint8Array(8), { descr: '<U1' }) };
    const clutter = { '.DS_Store': Uint8Array.of(1), '__MACOSX/stages/._y.npy': Uint8Array.of(1, 2, 3), 'stages/._y.npy': Uint8Array.of(4) };
    for (const files of [asFiles({ ...npy, ...clutter }), asFiles({ 'a.zip': zipSync({ ...npy, ...clutter }) })]) {
      const { stages, notes } = readGoldens(files, [], ['x']);
      expect(stages.map(({ name }) => name)).toEqual(['y']);
      expect(notes.find((note) => note.includes('text'))).toMatch(/label is left out: it holds text instead of numbers/);
    }
    // An input cannot be left out.
    const input = { 'x.npy': npy['stages/label.npy'], 'stages/y.npy': npy['stages/y.npy'] };
    expect(failureOf(() => readGoldens(asFiles(input), [], ['x'])).problem).toBe('x holds text');
  });

  it('rejects a zip with two files of the same name', () => {
    const zip = zipSync({ 'a.npy': buildNpy([1], [1]), 'b.npy': buildNpy([1], [2]) }, { level: 0 });
    const text = Buffer.from(zip).toString('latin1').replaceAll('b.npy', 'a.npy');
    expect(failureOf(() => readGoldens([{ name: 'a.zip', bytes: Uint8Array.from(Buffer.from(text, 'latin1')) }], [])).problem).toBe('a.zip contains a.npy twice');
  });

  it('notes losses and non-finite values', () => {
    const half = buildNpy([2], Uint8Array.of(0, 0x3c, 0, 0x7c), { descr: '<f2' });
    const { notes } = readGoldens(asFiles({ 'a.npy': half }), KNOWN);
    expect(notes).toContainEqual(expect.stringMatching(/^a: holds float16/));
    expect(notes).toContainEqual(expect.stringMatching(/^a: 1 of 2 values are NaN or infinite/));
  });
});

describe('readGoldens', () => {
  const [{ bytes: zip, files }] = SHIPPED as [(typeof SHIPPED)[number]];
  const without = (name: string): NamedFile[] => asFiles(files, 'dump/').filter((file) => file.name !== `dump/${name}`);
  const bomb = zipSync({ 'x.npy': buildNpy([1 << 27], new Uint8Array(1 << 27), { descr: '|u1' }) }, { level: 1 });
  const huge = buildNpy([1], [0], { shape: '(805306368,)' });

  it('notes which axes could not be named', () => {
    const given = asFiles({ 'lstm.npy': ONE, 'sincnet.npy': ONE, 'waveform.npy': ONE });
    const { model, notes, stages } = readGoldens(given, KNOWN);
    expect(model).toBe('segmentation-3.0');
    expect(stages.map(({ name, axes }) => [name, axes])).toEqual([['sincnet', ['axis0']], ['lstm', ['axis0']]]);
    expect(notes).toContainEqual('lstm has 1 axes instead of batch, frame, channel: they have no names');
  });

  it.each<[string, NamedFile[], RegExp]>([
    ['nothing', [], /no golden outputs in no file at all/],
    ['other files', [{ name: 'a.txt', bytes: ONE }], /no golden outputs in a\.txt/],
    ['an empty zip', [{ name: 'a.zip', bytes: zipSync({}) }], /no golden outputs in a\.zip/],
    ['a page named like a zip', [{ name: 'a.zip', bytes: new TextEncoder().encode('<html>') }], /a\.zip cannot be/],
    ['two bundles', [{ name: 'a.zip', bytes: zip }, { name: 'b.zip', bytes: zip }], /several bundles: a\.zip, b\.zip/],
    ['a bundle beside a folder', [{ name: 'a.zip', bytes: zip }, ...asFiles(files)], /several bundles: a\.zip, manif/],
    ['a folder without a file', without('stages/lstm.npy'), /no stages\/lstm\.npy/],
    ['another manifest', [{ name: 'manifest.json', bytes: new TextEncoder().encode('{}') }], /not the manifest of a golden/],
    ['a name twice', asFiles({ 'a.npy': ONE, 'stages/a.npy': ONE }), /a twice/],
    [
      'a name twice in two files',
      [...asFiles({ 'a.npy': ONE }), { name: 'b.npz', bytes: zipSync({ 'a.npy': ONE }) }],
      /a twice/,
    ],
    ['Python objects', asFiles({ 'a.npy': buildNpy([1], [0], { descr: '|O' }) }), /a\.npy has the dtype \|O/],
    ['3 GB as .npy', asFiles({ 'a.npy': huge }), /3221225472 bytes, but 4/],
    ['3 GB in an .npz', [{ name: 'a.npz', bytes: zipSync({ 'a.npy': huge }) }], /3221225472/],
  ])('rejects %s', (_name, given, problem) => {
    const growth = bufferBytesOf(() => {
      const error = failureOf(() => readGoldens(given, KNOWN));
      expect(error.code).toBe('format');
      expect(error.problem).toMatch(problem);
    });
    expect(growth).toBeLessThan(FEW_BYTES);
  });

  it('does not convert values that are too large as float32', () => {
    const growth = bufferBytesOf(() => {
      expect(failureOf(() => readGoldens([{ name: 'a.npz', bytes: bomb }], KNOWN)).problem).toMatch(/values are 536870912 bytes/);
    });
    // Unpacked once, and not enlarged fourfold.
    expect(growth).toBeLessThan((1 << 27) + FEW_BYTES);
  });
});
