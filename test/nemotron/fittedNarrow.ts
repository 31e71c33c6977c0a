/**
 * Nemotron 3 Diarization with narrow layers for WebGPU tests of long recordings: heads of the real size, but fewer, and seeded weights
 * except in the last layer, which is fitted to planted speakers. So it decides like a trained model: clearly within turns.
 */
import { testSpeech } from '../../src/embedding/testSpeech';
import { graphOf } from '../../src/onnx/model';
import { copyWith } from '../../src/onnx/nodes';
import type { ModelProto, TensorProto, ValueInfoProto } from '../../src/onnx/onnx_pb';
import { isExternal } from '../../src/onnx/tensors';
import { makeValueInfo } from '../../src/onnx/types';
import { seededTensors, type SeededTensor } from '../../src/sortformer/seededNetwork';
import type { DiarizationManifest } from '../../src/store/diarizationManifest';
import { uniform } from '../../src/util/uniform';
import { NEMOTRON, nemotronGraph } from '../seededNemotron';

/** Sizes of the model, and narrow ones: hidden channels, units of the MLP. */
const SIZES = new Map([[512, 128], [2048, 512]]);
const narrowed = (size: number): number => SIZES.get(size) ?? size;
const HIDDEN_SIZE = narrowed(512);
const HEAD_SIZE = 64;

const ofHidden = <Tensor extends { readonly shape: readonly (number | null)[] }>(tensor: Tensor): Tensor =>
  ({ ...tensor, shape: [...tensor.shape.slice(0, -1), HIDDEN_SIZE] });
const { tensors } = NEMOTRON;

/** The manifest of the narrow model. */
export const NARROW: DiarizationManifest = {
  ...NEMOTRON,
  tensors: { ...tensors, stacked: ofHidden(tensors.stacked), embeds: ofHidden(tensors.embeds), silence: ofHidden(tensors.silence) },
};

/** The graph with narrow layers. */
export function narrowGraph(numLayers: number): ModelProto {
  const model = nemotronGraph(numLayers);
  const graph = graphOf(model);
  const initializer = graph.initializer.map((tensor): TensorProto => {
    if (isExternal(tensor)) return copyWith(tensor, { dims: tensor.dims.map((size) => BigInt(narrowed(Number(size)))) });
    // Shapes of reshapings: [frame, head, channel of a head], and [frame, hidden channel].
    const shape = tensor.name === 'attention.heads' ? [-1, HIDDEN_SIZE / HEAD_SIZE, HEAD_SIZE] : tensor.name === 'attention.joined' ? [-1, HIDDEN_SIZE] : null;
    return shape ? copyWith(tensor, { rawData: new Uint8Array(BigInt64Array.from(shape, BigInt).buffer) }) : tensor;
  });
  // Inferred from the weights.
  const [input, output] = [graph.input, graph.output].map((values) => values.map(({ name }) => makeValueInfo(name, { dtype: 'float32' }))) as [ValueInfoProto[], ValueInfoProto[]];
  return copyWith(model, { graph: copyWith(graph, { initializer, input, output, valueInfo: [] }) });
}

const NUM_SPEAKERS = 8;
const PITCHES_HERTZ = [95, 145, 205, 280];
const HOP_SAMPLES = 160;

/** A recording with planted speakers. */
export interface PlantedTalk {
  /** Axes (sample). */
  readonly samples: Float32Array<ArrayBuffer>;
  /** Axes (mel frame, speaker): 1 if the speaker talks. */
  readonly activity: Uint8Array;
}

/** Four voices of different pitches in turns of 1 to 5 s, with pauses of up to 0.8 s or overlaps of up to 0.5 s, and noise. */
export function plantedTalk(numSamples: number): PlantedTalk {
  const { sampleRate } = NEMOTRON;
  const voices = PITCHES_HERTZ.map((pitch) => testSpeech(sampleRate, pitch));
  const samples = uniform(41, numSamples).map((value) => 0.003 * value);
  const activity = new Uint8Array(Math.ceil(numSamples / HOP_SAMPLES) * NUM_SPEAKERS);
  const choices = uniform(42, 4000).map((value) => (value + 1) / 2);
  let start = 0;
  let last = -1;
  for (let turn = 0; start < numSamples; turn++) {
    const [which = 0, length = 0, gap = 0, loudness = 0] = choices.subarray(4 * turn, 4 * turn + 4);
    // Another speaker than before.
    const speaker: number = last < 0 ? 0 : (last + 1 + Math.floor(which * (PITCHES_HERTZ.length - 1))) % PITCHES_HERTZ.length;
    const end = Math.min(numSamples, start + Math.round((1 + 4 * length) * sampleRate));
    for (let i = start; i < end; i++) samples[i]! += voices[speaker]![i % sampleRate]! * (0.4 + 0.6 * loudness);
    for (let frame = Math.ceil(start / HOP_SAMPLES); frame * HOP_SAMPLES < end; frame++) activity[frame * NUM_SPEAKERS + speaker] = 1;
    start = Math.max(0, end + Math.round((1.3 * gap - 0.5) * sampleRate));
    last = speaker;
  }
  return { samples, activity };
}

/** Seeded values of all tensors of the graph, by name. */
export const narrowTensors = (graph: ModelProto): Map<string, SeededTensor> => seededTensors(graph, NEMOTRON);

/** Logits that the last layer is to return for a speaker who talks, and the negative for one who does not. */
const TARGET = 4;
/** Of the ridge regression, as a share of the mean square of an input. */
const RIDGE = 1e-3;
/** Only every so many rows are used. */
const ROW_STRIDE = 5;

/**
 * The tensors with a last layer that returns the planted activity, by ridge regression.
 *
 * @param head values of `head` for all mel frames; axes (mel frame, channel)
 */
export function withFittedLast(given: ReadonlyMap<string, SeededTensor>, head: Float32Array, activity: Uint8Array): Map<string, SeededTensor> {
  const weight = given.get('classifier.dense.weight')!;
  const bias = given.get('classifier.dense.bias')!.data;
  const [numOutputs = 0, numInputs = 0] = weight.shape;
  const size = numOutputs + 1;
  const products = Array.from({ length: size }, () => new Float64Array(size + NUM_SPEAKERS));
  const row = new Float64Array(size).fill(1);
  for (let frame = 0; frame < head.length / numInputs; frame += ROW_STRIDE) {
    for (let output = 0; output < numOutputs; output++) {
      let sum = bias[output]!;
      for (let k = 0; k < numInputs; k++) sum += Math.max(0, head[frame * numInputs + k]!) * weight.data[output * numInputs + k]!;
      row[output] = Math.max(0, sum);
    }
    for (let a = 0; a < size; a++) {
      const own = products[a]!;
      for (let b = 0; b < size; b++) own[b]! += row[a]! * row[b]!;
      for (let speaker = 0; speaker < NUM_SPEAKERS; speaker++) {
        own[size + speaker]! += row[a]! * (activity[frame * NUM_SPEAKERS + speaker] === 1 ? TARGET : -TARGET);
      }
    }
  }
  const trace = products.reduce((sum, own, a) => sum + own[a]!, 0);
  for (let a = 0; a < numOutputs; a++) products[a]![a]! += (RIDGE * trace) / size;
  const solution = solved(products, size);
  const last = Float32Array.from({ length: NUM_SPEAKERS * numOutputs }, (_, i) => solution[i % numOutputs]![Math.floor(i / numOutputs)]!);
  return new Map([
    ...given,
    ['classifier.out_proj.weight', { shape: [NUM_SPEAKERS, numOutputs], data: last }],
    ['classifier.out_proj.bias', { shape: [NUM_SPEAKERS], data: Float32Array.from(solution[numOutputs]!) }],
  ]);
}

/** The tensors with each value of a matrix multiplied by a factor that is uniform between 1 - `most` and 1 + `most`. */
export function withRandomErrors(given: ReadonlyMap<string, SeededTensor>, matrices: readonly string[], most: number): Map<string, SeededTensor> {
  const changed = matrices.map((name, index): [string, SeededTensor] => {
    const { shape, data } = given.get(name)!;
    const errors = uniform(9000 + index, data.length);
    return [name, { shape, data: data.map((value, i) => value * (1 + most * errors[i]!)) }];
  });
  return new Map([...given, ...changed]);
}

/** Solves a symmetric positive definite system by elimination. @param rows the matrix, then the right sides; changed */
function solved(rows: readonly Float64Array[], size: number): Float64Array[] {
  for (let pivot = 0; pivot < size; pivot++) {
    const own = rows[pivot]!;
    for (const [index, other] of rows.entries()) {
      if (index === pivot || other[pivot] === 0) continue;
      const factor = other[pivot]! / own[pivot]!;
      for (let k = pivot; k < own.length; k++) other[k]! -= factor * own[k]!;
    }
  }
  return rows.map((own, index) => own.subarray(size).map((value) => value / own[index]!));
}
