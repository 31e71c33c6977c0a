/** Sizes of a tensor's axes. */
export type Shape = readonly number[];

/** A node as it ran. */
export interface RunNode {
  readonly op: string;
  /** In the operator's order. ONNX Runtime leaves out omitted inputs, and weights that it packed for its kernels. */
  readonly inputs: readonly Shape[];
  readonly outputs: readonly Shape[];
}

/** Arithmetic of a node or a graph. */
export interface Work {
  /**
   * Multiply-adds of convolutions, matrix products and recurrent layers, without their bias. NaN if the shapes are
   * insufficient.
   */
  readonly multiplyAdds: number;
  /**
   * Values that the other nodes output: at least one operation each. Softmax, norms, poolings and sums over axes need more,
   * but are few compared to the multiply-adds. Operators that only move values do not count.
   */
  readonly elementwise: number;
}

/** Operators that move, select or name values without computing any. */
const MOVES = new Set(
  ('Cast Concat Constant ConstantOfShape DepthToSpace Dropout Expand Flatten Gather GatherElements GatherND Identity ' +
    'MemcpyFromHost MemcpyToHost Pad Range Reshape ScatterElements ScatterND Shape Size Slice SpaceToDepth Split ' +
    'Squeeze Tile Transpose Unsqueeze').split(' '),
);

/**
 * Multiply-adds of each kind of operator, first match first. The runtime's own operators contain the name of the ONNX
 * operator: FusedConv, FusedGemm, QLinearMatMul, DynamicQuantizeLSTM. The counts use the first input and the outputs as far
 * as possible, because the shapes of packed weights are unknown.
 */
const KINDS: readonly (readonly [name: RegExp, multiplyAdds: (node: RunNode) => number])[] = [
  [/ConvTranspose/, ({ inputs }) => sizeOf(inputs[0]) * perChannel(kernelOf(inputs))],
  // Weights (output channel, input channel of the group, kernel …): the second axis already accounts for groups.
  [/Conv/, ({ inputs, outputs }) => sizeOf(outputs[0]) * perChannel(kernelOf(inputs))],
  // (row, inner), or (inner, row) if transposed, times (inner, column).
  [/Gemm/, ({ inputs, outputs }) => (sizeOf(outputs[0]) * sizeOf(inputs[0])) / (outputs[0]?.[0] ?? NaN)],
  [/MatMul/, ({ inputs, outputs }) => sizeOf(outputs[0]) * (inputs[0]?.at(-1) ?? NaN)],
  [/LSTM/, (node) => recurrent(node, 4)],
  [/GRU/, (node) => recurrent(node, 3)],
  [/^RNN$/, (node) => recurrent(node, 1)],
];

const NONE: Work = { multiplyAdds: 0, elementwise: 0 };

/** Arithmetic of one node. */
export function nodeWork(node: RunNode): Work {
  const kind = KINDS.find(([name]) => name.test(node.op));
  if (kind) return { multiplyAdds: kind[1](node), elementwise: 0 };
  if (MOVES.has(node.op)) return NONE;
  return { multiplyAdds: 0, elementwise: node.outputs.reduce((sum, shape) => sum + sizeOf(shape), 0) };
}

/** Arithmetic of all nodes of a run. */
export function sumWork(nodes: readonly RunNode[]): Work {
  return nodes.map(nodeWork).reduce(
    (sum, { multiplyAdds, elementwise }) => ({
      multiplyAdds: sum.multiplyAdds + multiplyAdds,
      elementwise: sum.elementwise + elementwise,
    }),
    NONE,
  );
}

/** Floating-point operations: a multiply-add counts as two. */
export const flopsOf = ({ multiplyAdds, elementwise }: Work): number => 2 * multiplyAdds + elementwise;

/**
 * Extrapolates a graph's operations to any input size: the polynomial through a few sizes.
 *
 * Convolutions grow linearly with the size, and products of two such axes quadratically. So three sizes determine the
 * polynomial, apart from rounding by strides and segments of fixed length.
 *
 * @param samples at least one, of different sizes
 * @returns operations for a size
 */
export function flopsBySize(samples: readonly { readonly size: number; readonly flops: number }[]): (size: number) => number {
  return (size) =>
    samples.reduce((sum, { size: own, flops }) => {
      const others = samples.filter((sample) => sample.size !== own);
      return sum + others.reduce((product, other) => (product * (size - other.size)) / (own - other.size), flops);
    }, 0);
}

/** Number of values of a tensor. */
const sizeOf = (shape: Shape | undefined): number => shape?.reduce((product, size) => product * size, 1) ?? NaN;

/** The input of a convolution with the same number of axes as the first. Scales and biases have fewer. */
const kernelOf = ([input, ...others]: readonly Shape[]): Shape | undefined =>
  others.find(({ length }) => length === input?.length);

/** Number of kernel weights per index of the first axis. */
const perChannel = (kernel: Shape | undefined): number => sizeOf(kernel?.slice(1));

/** X is (step, batch, input); Y is (step, direction, batch, hidden), and Y_h the same without its first axis. */
function recurrent({ inputs, outputs }: RunNode, numGates: number): number {
  const [numSteps = NaN, batch = NaN, inputSize = NaN] = inputs[0] ?? [];
  const [directions = NaN, , hidden = NaN] = outputs[0]?.slice(-3) ?? [];
  return numSteps * batch * directions * numGates * hidden * (inputSize + hidden);
}
