import { readFileSync } from 'node:fs';
import nemotron from '../models/nemotron-3-diarization/manifest.json';
import { extract } from '../src/onnx/cut';
import { graphOf, parseGraphAlone } from '../src/onnx/model';
import { copyWith } from '../src/onnx/nodes';
import type { ModelProto } from '../src/onnx/onnx_pb';
import { parseDiarizationManifest } from '../src/store/diarizationManifest';
import { sizeOf } from '../src/util/shape';
import { expectedWeights } from '../src/weights/expected';
import { encodeHeader } from '../src/weights/safetensorsHeader';
import { uniform } from './seededModel';

export const NEMOTRON = parseDiarizationManifest(nemotron, nemotron.id);

/** The shipped graph, or the same with fewer layers. */
export function nemotronGraph(numLayers = NEMOTRON.numLayers): ModelProto {
  const model = parseGraphAlone(readFileSync(`models/${NEMOTRON.id}/${NEMOTRON.file.name}`), NEMOTRON.id);
  if (numLayers === NEMOTRON.numLayers) return model;
  const graph = graphOf(model);
  const [last, wanted] = [`layer${NEMOTRON.numLayers}`, `layer${numLayers}`];
  // The norm after the last layer reads an earlier one. The layers after it are then not needed.
  const node = graph.node.map((one) =>
    one.output[0] === 'output_norm' ? copyWith(one, { input: one.input.map((name) => (name === last ? wanted : name)) }) : one,
  );
  const { features, embeds, valid, stacked, logits, silence } = NEMOTRON.tensors;
  const inputs = [features, embeds, valid].map(({ name }) => name);
  const outputs = [stacked, logits, silence].map(({ name }) => name);
  return extract(copyWith(model, { graph: copyWith(graph, { node }) }), { inputs, outputs }).model;
}

/** Constants of `models/nemotron-3-diarization/seeded.py`. */
const SPREADS = { norm: 0.5, bias: 0.1, silence: 1, logitGain: 4 };
const EMBEDDER = 'model.audio_tower.embedder.projection.weight';
const LAST = 'classifier.out_proj.weight';

/** Values of each tensor of the seeded model by name, in the order of the names: those of `seeded.py`. */
export function seededNemotron(numLayers = NEMOTRON.numLayers): Map<string, { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> }> {
  const tensors = expectedWeights(nemotronGraph(numLayers)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return new Map(tensors.map(({ name, shape }, index) => [name, { shape, data: seededTensor(index, name, shape) }]));
}

/** The safetensors file that `seeded.py` writes, byte by byte: 397 MB with all layers, 57 MB with four. */
export function seededNemotronFile(numLayers = NEMOTRON.numLayers): Uint8Array<ArrayBuffer> {
  const tensors = Array.from(seededNemotron(numLayers), ([name, { shape, data }]) => ({ name, type: 'float32' as const, shape, data }));
  const header = encodeHeader(tensors, { format: 'pt' });
  const file = new Uint8Array(header.length + tensors.reduce((sum, { data }) => sum + data.byteLength, 0));
  file.set(header);
  let end = header.length;
  for (const { data } of tensors) {
    file.set(new Uint8Array(data.buffer), end);
    end += data.byteLength;
  }
  return file;
}

function seededTensor(index: number, name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const values = uniform(index, sizeOf(shape));
  const spread = spreadOf(name, shape);
  const offset = shape.length === 1 && name.endsWith('.weight') ? 1 : 0;
  // Two roundings, like in numpy.
  for (let i = 0; i < values.length; i++) values[i] = offset + Math.fround(values[i]! * spread);
  if (name === EMBEDDER) negateHalves(values, NEMOTRON.fbank.numMelBins);
  if (name === LAST) negateHalves(values, shape[1]!);
  return values;
}

function spreadOf(name: string, shape: readonly number[]): number {
  if (name === 'silence_embeds') return SPREADS.silence;
  if (name.endsWith('.bias')) return Math.fround(SPREADS.bias);
  if (shape.length === 1) return SPREADS.norm;
  return Math.fround((name === LAST ? SPREADS.logitGain : 1) * (3 / sizeOf(shape.slice(1))) ** 0.5);
}

/** Makes the second half of each run of `size` values the negatives of the first half. */
function negateHalves(values: Float32Array, size: number): void {
  for (let i = 0; i < values.length; i++) {
    if (i % size >= size / 2) values[i] = -values[i - size / 2]!;
  }
}
