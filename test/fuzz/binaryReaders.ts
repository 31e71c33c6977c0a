import { zipSync } from 'fflate';
import { readFileSync } from 'node:fs';
import { auditWeights, readCheckpoint } from '../../src/compare/audit/auditWeights';
import { readGoldens } from '../../src/compare/files/goldenFiles';
import { writeBundle, writeNpyFile } from '../../src/compare/files/write';
import { parseNpy } from '../../src/compare/files/npy';
import { sizeOf } from '../../src/compare/tensor';
import { encodeOnnx, graphInfo, parseOnnx, valueNames } from '../../src/onnx/model';
import { buildGguf, safetensorsOf } from '../compare/checkpointFiles';
import { buildNpy } from '../compare/npyFile';
import { buildSafetensors } from '../weights/safetensorsFile';
import { openSafetensors, readTensor } from '../../src/weights/safetensors';
import { bytesNeeded } from '../../src/weights/safetensorsHeader';
import { blobSource } from '../../src/store/byteSource';
import { build, float, int, ints, node, subgraph, tensor, text, weight } from '../onnx/build';
import { ensure, type Reader } from './judge';

const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const stringOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const encoded = (text: string): Uint8Array => new TextEncoder().encode(text);

const NPY = buildNpy([2, 3], [1, 2, 3, 4, 5, 6]);
const NPY_FILES = [NPY, buildNpy([2], new Uint8Array(16), { descr: '>i8', fortranOrder: true, version: 2 }), buildNpy([], Uint8Array.of(1), { descr: '|u1' }), buildNpy([0, 4], [])];
const HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
const SHAPE = { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) };
const TENSORS = new Map([['lin.weight', SHAPE], ['lstm.bias_ih_l0', { shape: [4], data: Float32Array.of(1, 2, 3, 4) }]]);
const GGUF = buildGguf([
  { name: 'w', shape: [2, 3], type: 0, bytes: floats(1, 2, 3, 4, 5, 6) },
  { name: 'q', shape: [2, 32], type: 8, bytes: new Uint8Array(68) },
]);

const MODEL = build({
  node: [
    node('Constant', [], ['c'], { attribute: [tensor('value', weight('c', [1], [2]))] }),
    node('Conv', ['x', 'w', ''], ['a'], { name: 'conv', attribute: [ints('pads', 0, 0), int('group', 1), text('auto_pad', 'VALID')] }),
    node('LSTM', ['a', 'lw', 'lr', 'lb'], ['b'], { attribute: [int('hidden_size', 1)] }),
    node('If', ['c'], ['y'], { attribute: [subgraph('then_branch', { name: 't', node: [node('Relu', ['b'], ['r'])], output: [float('r', 1)] })] }),
  ],
  input: [float('x', 1, null, 4)],
  output: [float('y', 1)],
  valueInfo: [float('a', 1, 2, null)],
  initializer: [weight('w', [1, 1, 2], [1, 2]), weight('lw', [1, 4, 1], [1, 2, 3, 4]), weight('lr', [1, 4, 1], [5, 6, 7, 8]), weight('lb', [1, 8], [1, 2, 3, 4, 5, 6, 7, 8])],
});
const BUNDLE = { model: 'x', source: { tool: 'test' }, inputs: [{ name: 'x', axes: ['a', 'b'], ...SHAPE }], stages: [{ name: 's', axes: ['a', 'b'], ...SHAPE }], tolerance: { maxAbs: 0.1, cosine: 0.9 } };
const MANIFEST = {
  format: 'golden-bundle', version: 1, model: 'x', source: { a: 1 }, tolerance: { max_abs: 0.1, cosine: 0.9 },
  inputs: [{ name: 'x', file: 'x.npy', axes: ['a', 'b'] }], stages: [{ name: 's', file: 's.npy', axes: ['a', 'b'], value: 'v', tolerance: { max_abs: 1 } }],
};

function checkTensor({ shape, data }: { readonly shape: readonly number[]; readonly data: Float32Array | null }): void {
  ensure(data === null || data.length === sizeOf(shape), `${data?.length} values of the shape ${shape.join('×')}`);
}

async function readTensors(name: string, bytes: Uint8Array): Promise<void> {
  for (const found of await readCheckpoint({ name, bytes })) {
    const data = found.values();
    checkTensor({ shape: found.shape, data });
    ensure(found.problem !== null || data !== null || found.type === null, `${found.name} has neither values nor a problem`);
  }
  await auditWeights(MODEL, 'model', { name, bytes }, () => undefined);
}

function readBundle(bytes: Uint8Array): void {
  const { inputs, stages } = readGoldens([{ name: 'a.zip', bytes }], []);
  for (const tensor of [...inputs, ...stages]) {
    checkTensor(tensor);
    ensure(tensor.axes.length === tensor.shape.length, 'other axes than the shape has');
  }
}

/** Opens weights for a model: a sound file, or an error. */
async function openWeights(bytes: Uint8Array): Promise<void> {
  const file = await openSafetensors(blobSource(new Blob([new Uint8Array(bytes)]), 'f.safetensors'));
  let numBytes = 0;
  for (const tensor of file.tensors.values()) {
    const { length } = await readTensor(file, tensor);
    ensure(length === bytesNeeded(tensor.shape, tensor.type), `${length} bytes of the shape ${tensor.shape.join('×')}`);
    numBytes += length;
  }
  ensure(numBytes < bytes.length, `${numBytes} bytes of values in a file of ${bytes.length}`);
}

async function readOnnx(bytes: Uint8Array): Promise<void> {
  const model = parseOnnx(bytes, 'f.onnx');
  const info = graphInfo(model);
  valueNames(info);
  await auditWeights(model, 'model', null, () => undefined);
  await auditWeights(model, 'model', { name: 'f.safetensors', bytes: safetensorsOf(TENSORS) }, () => undefined);
  graphInfo(parseOnnx(encodeOnnx(model), 'f.onnx'));
}

export const BINARY_READERS: readonly Reader[] = [
  { name: 'npy', numRuns: 300, seeds: () => NPY_FILES, read: (bytes) => { checkTensor(parseNpy(bytes, 'f.npy')); } },
  { name: 'npy-header', numRuns: 300, seeds: () => [encoded(HEADER), encoded(HEADER.replace('<f4', '>i4').replace('False', 'True'))], read: (bytes) => { checkTensor(parseNpy(writeNpyFile(stringOf(bytes).replace(/[^ -~]/g, '?'), floats(1, 2, 3, 4, 5, 6)), 'f.npy')); } },
  { name: 'npz', numRuns: 40, seeds: () => [zipSync({ 'lin.weight.npy': NPY, '__proto__.npy': NPY_FILES[1]! }), zipSync({ 'a.npy': NPY }, { level: 0 })], read: (bytes) => readTensors('f.npz', bytes) },
  { name: 'safetensors', numRuns: 60, seeds: () => [safetensorsOf(TENSORS)], read: (bytes) => readTensors('f.safetensors', bytes) },
  {
    name: 'safetensors-header', numRuns: 60, seeds: () => [encoded('{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}}')],
    read: (bytes) => readTensors('f.safetensors', buildSafetensors(stringOf(bytes), new Uint8Array(16))),
  },
  { name: 'safetensors-weights', numRuns: 150, seeds: () => [safetensorsOf(TENSORS), new Uint8Array(readFileSync(new URL('../weights/python.safetensors', import.meta.url)))], read: openWeights },
  {
    name: 'safetensors-weights-header', numRuns: 150, seeds: () => [encoded('{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}}')],
    read: (bytes) => openWeights(buildSafetensors(stringOf(bytes), new Uint8Array(16))),
  },
  { name: 'gguf', numRuns: 25, seeds: () => [GGUF], read: (bytes) => readTensors('f.gguf', bytes) },
  { name: 'onnx', numRuns: 60, seeds: () => [encodeOnnx(MODEL), new Uint8Array(readFileSync(new URL('../../e2e/fixtures/foreign/plain.onnx', import.meta.url)))], read: readOnnx },
  { name: 'bundle', numRuns: 150, seeds: () => [writeBundle(BUNDLE), writeBundle({ ...BUNDLE, graph: encodeOnnx(MODEL) })], read: readBundle },
  { name: 'bundle-manifest', numRuns: 200, seeds: () => [encoded(JSON.stringify(MANIFEST))], read: (bytes) => { readBundle(zipSync({ 'manifest.json': bytes, 'x.npy': NPY, 's.npy': NPY }, { level: 0 })); } },
];
