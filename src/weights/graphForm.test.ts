import { describe, expect, it } from 'vitest';
import { build, float, int, node, subgraph, weight } from '../../test/onnx/build';
import { noise, runModel, valuesOf } from '../../test/onnx/run';
import { countingSource } from '../../test/weights/countingSource';
import { networkFile, seededTensors } from '../../test/weights/network';
import { BlobSink } from '../store/byteSink';
import { blobSource } from '../store/byteSource';
import { graphOf } from '../onnx/model';
import { copyWith } from '../onnx/nodes';
import { type ModelProto, TensorProto_DataLocation, type TensorProto } from '../onnx/onnx_pb';
import { isExternal } from '../onnx/tensors';
import { halfToFloat32 } from '../util/numberTypes';
import { bindWeights, loadWeights } from './bind';
import { convertedTensors, convertWeights, type WeightsForm } from './convert';
import { type ExpectedTensor, expectedWeights } from './expected';
import { graphInForm } from './graphForm';
import { openSafetensors } from './safetensors';

function external(name: string, shape: readonly number[]): TensorProto {
  const tensor = weight(name, shape, []);
  tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
  return tensor;
}

/** Two products whose channels are on different axes, with a bias, and a factor that the graph holds itself. */
const MODEL = build({
  node: [
    node('Gemm', ['x', 'fc', 'bias'], ['a'], { attribute: [int('transB', 1)] }),
    node('MatMul', ['a', 'product'], ['b']),
    node('Mul', ['b', 'factor'], ['y']),
  ],
  input: [float('x', 2, 5)],
  output: [float('y', 2, 3)],
  initializer: [external('fc', [7, 5]), external('bias', [7]), external('product', [7, 3]), weight('factor', [1], [2])],
});
const EXPECTED = expectedWeights(MODEL);
const X = noise(2, 5);

/** Puts values into a graph whose weights are elsewhere. */
function filled(model: ModelProto, weights: ReadonlyMap<string, Uint8Array>): ModelProto {
  const graph = graphOf(model);
  const initializer = graph.initializer.map((tensor) =>
    isExternal(tensor) ? copyWith(tensor, { rawData: weights.get(tensor.name)!, externalData: [], dataLocation: TensorProto_DataLocation.DEFAULT }) : tensor,
  );
  return copyWith(model, { graph: copyWith(graph, { initializer }) });
}

type Weights = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** The seeded weights in a form, as a graph in that form reads them. */
async function weightsIn(form: WeightsForm): Promise<Weights> {
  const original = await openSafetensors(countingSource(networkFile(seededTensors(EXPECTED))));
  const sink = new BlobSink();
  await convertWeights(bindWeights(original, EXPECTED), form, '0'.repeat(64), sink);
  const converted = await openSafetensors(blobSource(sink.file!, 'converted.safetensors'));
  return loadWeights(bindWeights(converted, expectedWeights(graphInForm(MODEL, form))));
}

/** Converted weights as float32. */
function widened(weights: Weights, form: WeightsForm): Map<string, Uint8Array> {
  const valuesIn = ({ name, channelAxis, shape }: ExpectedTensor): Float32Array => {
    const bytes = weights.get(name)!;
    if (channelAxis === null) return new Float32Array(bytes.buffer);
    if (form === 'float16') return halfToFloat32(bytes);
    // Two axes: a row is one channel, or has one value of each.
    const channelOf = (index: number): number => (channelAxis === 0 ? Math.floor(index / shape[1]!) : index % shape[1]!);
    const partOf = (part: string): Float32Array => {
      const scales = new Float32Array(weights.get(`${part}.scale`)!.buffer);
      return Float32Array.from(new Int8Array(weights.get(part)!.buffer), (value, index) => value * scales[channelOf(index)]!);
    };
    const fine = partOf(`${name}.fine`);
    return partOf(name).map((value, index) => value + fine[index]!);
  };
  return new Map(EXPECTED.map((tensor) => [tensor.name, new Uint8Array(valuesIn(tensor).buffer)]));
}

const outputOf = async (model: ModelProto, weights: ReadonlyMap<string, Uint8Array>): Promise<number[]> =>
  valuesOf((await runModel(filled(model, weights), { x: X })).y);

describe('graphInForm', () => {
  it.each<WeightsForm>(['float32', 'float16', 'int8'])('expects the tensors of a file converted to %s', (form) => {
    const facts = (tensors: typeof EXPECTED) => tensors.map(({ name, type, shape }) => ({ name, type, shape }));
    expect(facts(expectedWeights(graphInForm(MODEL, form)))).toEqual(facts(convertedTensors(EXPECTED, form)));
  });

  it('changes nothing for float32', () => {
    expect(graphInForm(MODEL, 'float32')).toEqual(MODEL);
  });

  it.each<WeightsForm>(['float16', 'int8'])('computes with the values of the weights as %s', async (form) => {
    const weights = await weightsIn(form);
    const found = await outputOf(graphInForm(MODEL, form), weights);
    const expected = await outputOf(MODEL, widened(weights, form));
    const original = await outputOf(MODEL, await weightsIn('float32'));
    const difference = (other: readonly number[]): number => Math.max(...found.map((value, index) => Math.abs(value - other[index]!)));
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(1);
    // Equal weights and equal nodes: only the order of 35 float32 sums of order 1 could differ.
    expect(difference(expected)).toBeLessThan(1e-5);
    expect(difference(original)).toBeGreaterThan(form === 'float16' ? 1e-5 : 0);
  });

  it('adds both parts of int8', async () => {
    const weights = await weightsIn('int8');
    const coarse = new Map(weights);
    for (const name of ['fc', 'product']) coarse.set(`${name}.fine`, new Uint8Array(weights.get(name)!.length));
    const [both, one, original] = await Promise.all([weights, coarse].map((values) => outputOf(graphInForm(MODEL, 'int8'), values)).concat(outputOf(MODEL, await weightsIn('float32'))));
    const error = (found: readonly number[]): number => Math.hypot(...found.map((value, index) => value - original![index]!));
    // The parts have steps of a ratio of 254, so their rounding errors have it too, up to chance.
    expect(error(one!)).toBeGreaterThan(50 * error(both!));
  });

  it('keeps a weight that a subgraph reads too', () => {
    const branch = { name: 'b', node: [node('Identity', ['fc'], ['r'])], output: [float('r', 7, 5)] };
    const inner = node('If', ['c'], ['z'], { attribute: [subgraph('then_branch', branch)] });
    const model = build({ node: [node('Gemm', ['x', 'fc'], ['y'], { attribute: [int('transB', 1)] }), inner], initializer: [external('fc', [7, 5])] });
    for (const form of ['float16', 'int8'] as const) expect(graphInForm(model, form)).toEqual(model);
  });
});
