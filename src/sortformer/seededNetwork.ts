/** The network with fewer layers and seeded weights: those of models/nemotron-3-diarization/seeded.py. */
import { extract } from '../onnx/cut';
import { graphOf } from '../onnx/model';
import { copyWith } from '../onnx/nodes';
import type { ModelProto } from '../onnx/onnx_pb';
import type { DiarizationManifest } from '../store/diarizationManifest';
import { sizeOf } from '../util/shape';
import { uniform } from '../util/uniform';
import { expectedWeights } from '../weights/expected';
import { encodeHeader } from '../weights/safetensorsHeader';

/** A tensor of the seeded network. */
export interface SeededTensor {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array<ArrayBuffer>;
}

type Facts = Pick<DiarizationManifest, 'numLayers' | 'tensors' | 'fbank'>;

/**
 * The graph without the layers after the first `numLayers`.
 *
 * @param model as `parseGraphAlone` returns it, with `facts.numLayers` layers
 */
export function firstLayers(model: ModelProto, facts: Facts, numLayers: number): ModelProto {
  if (numLayers === facts.numLayers) return model;
  const graph = graphOf(model);
  const [last, wanted] = [`layer${facts.numLayers}`, `layer${numLayers}`];
  // The norm after the last layer reads an earlier one. The layers after it are then not needed.
  const node = graph.node.map((one) =>
    one.output[0] === 'output_norm' ? copyWith(one, { input: one.input.map((name) => (name === last ? wanted : name)) }) : one,
  );
  const { features, embeds, valid, stacked, logits, silence } = facts.tensors;
  const inputs = [features, embeds, valid].map(({ name }) => name);
  const outputs = [stacked, logits, silence].map(({ name }) => name);
  return extract(copyWith(model, { graph: copyWith(graph, { node }) }), { inputs, outputs }).model;
}

/** Constants of seeded.py. */
const SPREADS = { norm: 0.5, bias: 0.1, silence: 1, logitGain: 4 };
const EMBEDDER = 'model.audio_tower.embedder.projection.weight';
const LAST = 'classifier.out_proj.weight';

/**
 * Seeded values of all tensors that the graph reads from another file, by name and in the order of the names: those of seeded.py.
 *
 * @param model of {@link firstLayers}
 */
export function seededTensors(model: ModelProto, { fbank }: Pick<Facts, 'fbank'>): Map<string, SeededTensor> {
  const tensors = expectedWeights(model).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return new Map(tensors.map(({ name, shape }, index) => [name, { shape, data: seededTensor(index, name, shape, fbank.numMelBins) }]));
}

/** The safetensors file that seeded.py writes, byte by byte. */
export const seededFile = (model: ModelProto, facts: Pick<Facts, 'fbank'>): Uint8Array<ArrayBuffer> => fileOf(seededTensors(model, facts));

/** The safetensors file of these tensors, in their order. */
export function fileOf(seeded: ReadonlyMap<string, SeededTensor>): Uint8Array<ArrayBuffer> {
  const tensors = Array.from(seeded, ([name, { shape, data }]) => ({ name, type: 'float32' as const, shape, data }));
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

function seededTensor(index: number, name: string, shape: readonly number[], numMelBins: number): Float32Array<ArrayBuffer> {
  const values = uniform(index, sizeOf(shape));
  const spread = spreadOf(name, shape);
  const offset = shape.length === 1 && name.endsWith('.weight') ? 1 : 0;
  // Two roundings, like in numpy.
  for (let i = 0; i < values.length; i++) values[i] = offset + Math.fround(values[i]! * spread);
  if (name === EMBEDDER) negateHalves(values, numMelBins);
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
