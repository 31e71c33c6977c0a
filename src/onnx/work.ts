/** Sizes of a tensor's axes. */
export type Shape = readonly number[];

/** A node as it ran. */
export interface RunNode {
  readonly op: string;
  /** In the operator's order. ONNX Runtime leaves out absent ones, and weights that it has packed for its kernels. */
  readonly inputs: readonly Shape[];
  readonly outputs: readonly Shape[];
}

/** Arithmetic of a node or of a graph. */
export interface Work {
  /** Of convolutions, matrix products and recurrent layers, without their bias. NaN where the shapes do not tell. */
  readonly multiplyAdds: number;
  /**
   * Values that the other nodes give: at least one operation each. Softmax, norms, poolings and sums over axes need
   * more; they are few beside the multiply-adds. What only moves values counts nothing.
   */
  readonly elementwise: number;
}

/** Operators that move, pick or name values without computing any. */
const MOVES = new Set(
  ('Cast Concat Constant ConstantOfShape DepthToSpace Dropout Expand Flatten Gather GatherElements GatherND Identity ' +
    'MemcpyFromHost MemcpyToHost Pad Range Reshape ScatterElements ScatterND Shape Size Slice SpaceToDepth Split ' +
    'Squeeze Tile Transpose Unsqueeze').split(' '),
);

/**
 * Multiply-adds of each kind of operator, first match first. The runtime's own operators bear the name of the ONNX
 * one within theirs: FusedConv, FusedGemm, QLinearMatMul, DynamicQuantizeLSTM. All of it comes from the first input and
 * the outputs as far as it can, because the packed weights' shapes are not known.
 */
const KINDS: readonly (readonly [name: RegExp, multiplyAdds: (node: RunNode) => number])[] = [
  [/ConvTranspose/, ({ inputs }) => sizeOf(inputs[0]) * perChannel(kernelOf(inputs))],
  // Weights (output channel, input channel of the group, kernel …): groups are in the second axis already.
  [/Conv/, ({ inputs, outputs }) => sizeOf(outputs[0]) * perChannel(kernelOf(inputs))],
  // (row, inner) or, where it is transposed, (inner, row), times (inner, column).
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

/** Arithmetic of all the nodes of a run. */
export function sumWork(nodes: readonly RunNode[]): Work {
  return nodes.map(nodeWork).reduce(
    (sum, { multiplyAdds, elementwise }) => ({
      multiplyAdds: sum.multiplyAdds + multiplyAdds,
      elementwise: sum.elementwise + elementwise,
    }),
    NONE,
  );
}

/** Floating-point operations: a multiply-add is two. */
export const flopsOf = ({ multiplyAdds, elementwise }: Work): number => 2 * multiplyAdds + elementwise;

/**
 * A graph's operations for any size of its input, from what a few sizes take: the polynomial through them.
 *
 * Convolutions grow with the size and products of two axes that both do with its square, so that three sizes tell all,
 * but for what strides and segments of fixed length round.
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

/** How many values a tensor holds. */
const sizeOf = (shape: Shape | undefined): number => shape?.reduce((product, size) => product * size, 1) ?? NaN;

/** Of a convolution's inputs the one with as many axes as the first. Scales and biases have fewer. */
const kernelOf = ([input, ...others]: readonly Shape[]): Shape | undefined =>
  others.find(({ length }) => length === input?.length);

/** Weights of a kernel for each size of its first axis. */
const perChannel = (kernel: Shape | undefined): number => sizeOf(kernel?.slice(1));

/** X is (step, batch, input); Y is (step, direction, batch, hidden), and Y_h the same without its first axis. */
function recurrent({ inputs, outputs }: RunNode, numGates: number): number {
  const [numSteps = NaN, batch = NaN, inputSize = NaN] = inputs[0] ?? [];
  const [directions = NaN, , hidden = NaN] = outputs[0]?.slice(-3) ?? [];
  return numSteps * batch * directions * numGates * hidden * (inputSize + hidden);
}
