/**
 * Integer products: each `Gemm` with an int8 matrix becomes two of ONNX Runtime's `MatMulIntegerToFloat`, which adds integer
 * products in int32 and multiplies the sums by both scales. The other factor is the sum of two uint8: its rounded value, and what
 * the rounding left. So it has 16 bits, and only the rounding of the matrix remains.
 */
import { create } from '@bufbuild/protobuf';
import { graphOf } from '../onnx/model';
import { copyWith, readBy } from '../onnx/nodes';
import { type GraphProto, type ModelProto, type NodeProto, NodeProtoSchema, OperatorSetIdProtoSchema, type TensorProto, TensorProto_DataType, TensorProtoSchema } from '../onnx/onnx_pb';
import { intsAttribute } from '../onnx/replaceNodes';

/** Domain of ONNX Runtime's own operators. */
const RUNTIME_DOMAIN = 'com.microsoft';

/** Name and value of the scale of rows of zeros, which cannot be divided by their greatest magnitude. */
const SMALLEST = 'int8_products.smallest';
const SMALLEST_SCALE = 1e-30;

/** Steps between 0 and the greatest value of both parts of a row. */
const NUM_STEPS = 127;
/** The uint8 that stands for 0. */
const ZERO = 128;
const ZERO_POINT = 'int8_products.zero_point';
/** Steps of the parts. A rounding leaves at most half a step on either side. */
const STEPS = { coarse: 1 / NUM_STEPS, fine: 1 / (2 * NUM_STEPS * NUM_STEPS) };
type Part = keyof typeof STEPS;
const stepName = (part: Part): string => `int8_products.${part}_step`;

/** An int8 matrix that the graph converts to float32; axes (output channel, input). */
interface Matrix {
  readonly name: string;
  readonly scale: string;
}

/**
 * Changes a graph of `graphInForm` with the form int8 so that it multiplies integers, which is faster than float32. Weights, their
 * names and types stay the same. Convolutions and products of other kinds stay in float32.
 *
 * Rows of the factor of a matrix are divided by their greatest magnitude before they are rounded, and the products multiplied by it
 * after. So all rows have the same precision, and none depends on the others. The error of a rounded value is at most 1 / 64,516
 * of the greatest magnitude of its row.
 *
 * @param model as `graphInForm` returns it
 */
export function withInt8Products(model: ModelProto): ModelProto {
  const graph = graphOf(model);
  const matrices = matricesOf(graph);
  if (!graph.node.some((one) => isProduct(one) && matrices.has(one.input[1]!))) return model;
  const rows = new Set<string>();
  const node = graph.node.flatMap((one) => {
    const matrix = isProduct(one) ? matrices.get(one.input[1]!) : undefined;
    if (!matrix) return [one];
    const input = one.input[0]!;
    const scaling = rows.has(input) ? [] : scaledRows(input);
    rows.add(input);
    return [...scaling, ...productOf(one, matrix)];
  });
  const outputs = new Set(graph.output.map(({ name }) => name));
  const read = new Set(node.flatMap(readBy));
  const needed = node.filter(({ output }) => output.some((name) => read.has(name) || outputs.has(name)));
  const opsetImport = [
    ...model.opsetImport.filter(({ domain }) => domain !== RUNTIME_DOMAIN),
    create(OperatorSetIdProtoSchema, { domain: RUNTIME_DOMAIN, version: 1n }),
  ];
  return copyWith(model, { opsetImport, graph: copyWith(graph, { node: needed, initializer: [...graph.initializer, ...constants()] }) });
}

function constants(): TensorProto[] {
  const float = (name: string, value: number, dims: bigint[]): TensorProto =>
    create(TensorProtoSchema, { name, dataType: TensorProto_DataType.FLOAT, dims, floatData: [value] });
  return [
    float(SMALLEST, SMALLEST_SCALE, [1n]),
    float(stepName('coarse'), STEPS.coarse, []),
    float(stepName('fine'), STEPS.fine, []),
    create(TensorProtoSchema, { name: ZERO_POINT, dataType: TensorProto_DataType.UINT8, dims: [], int32Data: [ZERO] }),
  ];
}

/** Int8 matrices by the name of their float32 values. */
function matricesOf({ node }: GraphProto): Map<string, Matrix> {
  const matrices = new Map<string, Matrix>();
  for (const { opType, input, output, attribute } of node) {
    const isByRow = attribute.some(({ name, i }) => name === 'axis' && i === 0n);
    if (opType === 'DequantizeLinear' && isByRow) matrices.set(output[0]!, { name: input[0]!, scale: input[1]! });
  }
  return matrices;
}

/** Whether the node is x · wᵀ, with or without a bias, and without factors. */
const isProduct = ({ opType, attribute }: NodeProto): boolean =>
  opType === 'Gemm' && attribute.length === 1 && attribute[0]!.name === 'transB' && attribute[0]!.i === 1n;

const nodeOf = (opType: string, input: readonly string[], output: string, more: Partial<Pick<NodeProto, 'attribute' | 'domain'>> = {}): NodeProto =>
  create(NodeProtoSchema, { opType, name: output, input: [...input], output: [output], ...more });

const rowScale = (input: string): string => `${input}.row_scale`;
const scaled = (input: string): string => `${input}.scaled_rows`;

const rounded = (input: string, part: Part): string => `${input}.${part}`;

/** Divides each row by its greatest magnitude, so all are within [-1, 1], and rounds it to two parts. */
function scaledRows(input: string): NodeProto[] {
  const magnitudes = `${input}.magnitudes`;
  const greatest = `${input}.greatest`;
  const [coarse, value, rest] = [rounded(input, 'coarse'), `${input}.coarse_value`, `${input}.rest`];
  return [
    nodeOf('Abs', [input], magnitudes),
    nodeOf('ReduceMax', [magnitudes], greatest, { attribute: [intsAttribute('axes', [1])] }),
    nodeOf('Max', [greatest, SMALLEST], rowScale(input)),
    nodeOf('Div', [input, rowScale(input)], scaled(input)),
    nodeOf('QuantizeLinear', [scaled(input), stepName('coarse'), ZERO_POINT], coarse),
    nodeOf('DequantizeLinear', [coarse, stepName('coarse'), ZERO_POINT], value),
    nodeOf('Sub', [scaled(input), value], rest),
    nodeOf('QuantizeLinear', [rest, stepName('fine'), ZERO_POINT], rounded(input, 'fine')),
  ];
}

function productOf({ input: [input, , bias], output: [output] }: NodeProto, { name, scale }: Matrix): NodeProto[] {
  const transposed = `${output}.weight`;
  const [coarse, fine, sum, unbiased] = [`${output}.coarse`, `${output}.fine`, `${output}.sum`, `${output}.unbiased`];
  const product = (part: Part, result: string): NodeProto =>
    // The matrix has no zero point.
    nodeOf('MatMulIntegerToFloat', [rounded(input!, part), transposed, stepName(part), scale, ZERO_POINT], result, { domain: RUNTIME_DOMAIN });
  return [
    // The runtime transposes constants once, when it opens the session.
    nodeOf('Transpose', [name], transposed, { attribute: [intsAttribute('perm', [1, 0])] }),
    product('coarse', coarse),
    product('fine', fine),
    nodeOf('Add', [coarse, fine], sum),
    nodeOf('Mul', [sum, rowScale(input!)], bias ? unbiased : output!),
    ...(bias ? [nodeOf('Add', [unbiased, bias], output!)] : []),
  ];
}
