import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft, intOf, intAttribute, intsAttribute, withAttributes } from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import type { CauseContext, LayerGraph } from './context';
import { provenRepair, repairsOf, type NodeChange } from './repair';

/** A square matrix of weights is transposed: nothing but the values shows it. Runs the stage with it transposed back. */
export function weightTransposed(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const changes = graph?.nodes.flatMap((node) => changeOf(node, graph) ?? []) ?? [];
  return provenRepair(context, 'weight-transposed', repairsOf([
    { changes, text: (nodes) => `transposing the square weight of ${nodes}`, values: {} },
  ]));
}

function changeOf(node: NodeProto, graph: LayerGraph): NodeChange | null {
  const [a = '', b = ''] = node.input;
  if (node.opType === 'Gemm' && isSquare(graph, b)) {
    return { node, nodes: [withAttributes(node, intAttribute('transB', 1 - intOf(node, 'transB', 0)))] };
  }
  if (node.opType !== 'MatMul' || isSquare(graph, a) === isSquare(graph, b)) return null;
  const draft = new Draft(node.output[0]!);
  const transposed = draft.add('Transpose', [isSquare(graph, a) ? a : b], intsAttribute('perm', [1, 0]));
  const input = isSquare(graph, a) ? [transposed, b] : [a, transposed];
  return { node, nodes: draft.give(draft.copy(node, { input })) };
}

/** Whether a value is a constant of n × n values, or such a constant that the graph transposes. */
function isSquare(graph: LayerGraph, name: string): boolean {
  const producer = graph.constant(name) ? undefined : graph.nodes.find(({ output, opType }) => opType === 'Transpose' && output[0] === name);
  const [rows, columns, ...others] = graph.constant(producer?.input[0] ?? name)?.shape ?? [];
  return rows !== undefined && rows > 1 && rows === columns && others.length === 0;
}
