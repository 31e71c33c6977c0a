import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { build, int, ints, node, weight } from '../../test/onnx/build';
import { parseGraphAlone } from '../onnx/model';
import { TensorProto_DataLocation, TensorProto_DataType, type ModelProto, type TensorProto } from '../onnx/onnx_pb';
import { sizeOf } from '../util/shape';
import { expectedWeights } from './expected';
import { encodeHeader } from './safetensorsHeader';

/** An initializer whose values are in another file. */
function external(name: string, shape: readonly number[]): TensorProto {
  const tensor = weight(name, shape, []);
  tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
  return tensor;
}

type Nodes = readonly ReturnType<typeof node>[];
const graphWith = (nodes: Nodes, initializer: TensorProto[]): ModelProto => build({ node: [...nodes], initializer });
const axisOf = (nodes: Nodes, shape: readonly number[] = [2, 3]): number | null =>
  expectedWeights(graphWith(nodes, [external('w', shape)]))[0]!.channelAxis;

describe('expectedWeights', () => {
  it('lists the initializers of other files, and not those with values', () => {
    const model = graphWith([node('Gemm', ['x', 'w', 'b'], ['y'])], [external('w', [2, 3]), weight('one', [1], [1]), external('b', [3])]);
    expect(expectedWeights(model)).toEqual([
      { name: 'w', type: 'float32', shape: [2, 3], channelAxis: 1 },
      { name: 'b', type: 'float32', shape: [3], channelAxis: null },
    ]);
  });

  it('finds the axis of the output channels of a weight matrix', () => {
    expect(axisOf([node('MatMul', ['x', 'w'], ['y'])])).toBe(1);
    expect(axisOf([node('Gemm', ['x', 'w'], ['y'])])).toBe(1);
    expect(axisOf([node('Gemm', ['x', 'w'], ['y'], { attribute: [int('transB', 1)] })])).toBe(0);
    expect(axisOf([node('Conv', ['x', 'w'], ['y'])], [4, 2, 3])).toBe(0);
    expect(axisOf([node('Transpose', ['w'], ['t'], { attribute: [ints('perm', 1, 0)] }), node('MatMul', ['x', 't'], ['y'])])).toBe(0);
  });

  it('leaves out tensors with another use', () => {
    expect(axisOf([node('Gather', ['w', 'x'], ['y'])])).toBeNull();
    expect(axisOf([node('MatMul', ['w', 'x'], ['y'])])).toBeNull();
    expect(axisOf([node('MatMul', ['w', 'w'], ['y'])])).toBeNull();
    expect(axisOf([node('MatMul', ['x', 'w'], ['y']), node('Gather', ['w', 'x'], ['z'])])).toBeNull();
    expect(axisOf([node('MatMul', ['x', 'w'], ['y']), node('Gemm', ['x', 'w'], ['z'], { attribute: [int('transB', 1)] })])).toBeNull();
    expect(axisOf([])).toBeNull();
  });

  it('marks matrices before the first and after the last layer norm', () => {
    const matrices = ['first', 'second', 'third', 'fourth'].map((name) => external(name, [3, 3]));
    const model = graphWith(
      [
        node('MatMul', ['x', 'first'], ['a']),
        node('LayerNormalization', ['a', 'gain'], ['b']),
        node('MatMul', ['b', 'second'], ['c']),
        // A residual sum that goes around the product.
        node('Add', ['a', 'c'], ['d']),
        node('MatMul', ['d', 'third'], ['e']),
        node('LayerNormalization', ['e', 'gain'], ['f']),
        node('MatMul', ['f', 'fourth'], ['y']),
      ],
      matrices,
    );
    expect(expectedWeights(model).map(({ channelAxis }) => channelAxis)).toEqual([1, 1, 1, 1]);
    expect(expectedWeights(model).map(({ isOuter = false }) => isOuter)).toEqual([true, false, false, true]);
  });

  it('rejects types that no file with weights has', () => {
    const tensor = external('w', [2]);
    tensor.dataType = TensorProto_DataType.COMPLEX64;
    expect(() => expectedWeights(graphWith([node('Identity', ['w'], ['y'])], [tensor]))).toThrow('has the type complex64');
  });
});

describe('the graph of Nemotron 3 Diarization', () => {
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`../../models/nemotron-3-diarization/${name}`, import.meta.url)));
  const tensors = expectedWeights(parseGraphAlone(read('model.onnx'), 'model.onnx'));
  const { weights } = JSON.parse(Buffer.from(read('manifest.json')).toString()) as { weights: { bytes: number; numTensors: number } };

  it('expects the tensors of the published file, which has exactly their size', () => {
    expect(tensors).toHaveLength(weights.numTensors);
    const inFile = tensors.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const valueBytes = tensors.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
    expect(encodeHeader(inFile, { format: 'pt' }).length + valueBytes).toBe(weights.bytes);
  });

  it('has the output channels of all matrices on their first axis, and marks those of stacking and head', () => {
    expect(tensors.filter(({ shape, channelAxis }) => channelAxis !== (shape.length > 1 ? 0 : null))).toEqual([]);
    const matrices = tensors.filter(({ channelAxis }) => channelAxis !== null);
    expect(matrices.filter(({ isOuter }) => !isOuter)).toHaveLength(31 * 6);
    expect(matrices.filter(({ name, isOuter = false }) => isOuter === name.includes('.layers.'))).toEqual([]);
  });
});
