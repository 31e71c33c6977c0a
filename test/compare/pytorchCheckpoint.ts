import { graphOf } from '../../src/onnx/model';
import type { ModelProto } from '../../src/onnx/onnx_pb';
import { listWeights } from '../../src/onnx/weights';
import { transpose } from '../../src/compare/align';
import type { Tensor } from '../../src/compare/tensor';

/** Positions of ONNX's gates i, o, f, c in PyTorch's order i, f, g, o, and vice versa. */
const TO_PYTORCH = [0, 2, 3, 1];

/**
 * The weights of segmentation-3.0's graph as in PyTorch's checkpoint: one tensor per LSTM direction and bias, gates in
 * PyTorch's order, linear layers as (output, input), and different names.
 */
export function pytorchCheckpoint(model: ModelProto): Map<string, Tensor> {
  const { node, initializer } = graphOf(model);
  const weights = new Map(listWeights(model).map(({ name, shape, values }) => [name, { shape, data: values()! }]));
  const checkpoint = new Map<string, Tensor>();
  for (const { name } of initializer) {
    if (!name.startsWith('onnx::')) checkpoint.set(isOfSincnet(name) ? `sincnet.${name}` : name, weights.get(name)!);
  }
  const linear = node.filter(({ opType }) => opType === 'MatMul');
  for (const { name, input } of linear) {
    checkpoint.set(`${name.split('/')[1]!}.weight`, transpose(weights.get(input[1]!)!, [1, 0]));
  }
  for (const [layer, { input }] of node.filter(({ opType }) => opType === 'LSTM').entries()) {
    const [w, r, b] = input.slice(1, 4).map((name) => weights.get(name)!);
    for (const [direction, end] of ['', '_reverse'].entries()) {
      checkpoint.set(`lstm.weight_ih_l${layer}${end}`, gatesOf(part(w!, direction, 2), TO_PYTORCH));
      checkpoint.set(`lstm.weight_hh_l${layer}${end}`, gatesOf(part(r!, direction, 2), TO_PYTORCH));
      checkpoint.set(`lstm.bias_ih_l${layer}${end}`, gatesOf(part(b!, 2 * direction, 4), TO_PYTORCH));
      checkpoint.set(`lstm.bias_hh_l${layer}${end}`, gatesOf(part(b!, 2 * direction + 1, 4), TO_PYTORCH));
    }
  }
  return checkpoint;
}

/** Splits the rows of a tensor into `order.length` blocks and reorders them. */
export function gatesOf({ shape, data }: Tensor, order: readonly number[]): Tensor {
  const size = data.length / order.length;
  const ordered = new Float32Array(data.length);
  for (const [place, gate] of order.entries()) ordered.set(data.subarray(gate * size, (gate + 1) * size), place * size);
  return { shape, data: ordered };
}

const isOfSincnet = (name: string): boolean => /^(conv1d|norm1d|wav_norm1d)\./.test(name);

/** One of `numParts` equal parts along the first axes: (direction, row, …) becomes (row, …). */
function part({ shape, data }: Tensor, index: number, numParts: number): Tensor {
  const size = data.length / numParts;
  const rows = (shape[0]! * shape[1]!) / numParts;
  return { shape: [rows, ...shape.slice(2)], data: data.slice(index * size, (index + 1) * size) };
}
