import { TensorProto_DataType, type NodeProto } from '../../onnx/onnx_pb';
import { Draft, firstOutput, intAttribute, type NodeChanges } from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import type { CauseContext, LayerGraph } from './context';
import { fitNumber } from './fitNumber';
import { labelOf, provenRepair } from './repair';

/** Inputs of operators that are zero points, each with the quantized values that it is of, by position. */
const ZERO_POINTS: Readonly<Record<string, readonly (readonly [zeroPoint: number, of: number])[]>> = {
  DequantizeLinear: [[2, 0]],
  MatMulInteger: [[2, 0], [3, 1]],
  ConvInteger: [[2, 0], [3, 1]],
  QLinearMatMul: [[2, 0], [5, 3]],
  QLinearConv: [[2, 0], [5, 3]],
};

const RANGES: Readonly<Record<string, readonly [least: number, greatest: number]>> = { int8: [-128, 127], uint8: [0, 255] };

/** Zero points that are tried. */
const MAX_SITES = 8;

/** Distance of a fitted zero point from a whole number; what else moves the values is anywhere in between. */
const WHOLE = 0.1;

interface Site {
  readonly node: NodeProto;
  readonly position: number;
  readonly dtype: string;
  readonly value: number;
}

/** The zero point of quantized values is another. */
export async function zeroPoint(context: CauseContext): Promise<Cause | null> {
  const { graph, golden } = context;
  for (const site of graph ? sitesOf(graph).slice(0, MAX_SITES) : []) {
    const range = RANGES[site.dtype]!;
    const changesFor = (value: number): NodeChanges => withZeroPoint(site, Math.max(range[0], Math.min(range[1], Math.round(value))));
    const width = site.value < range[1] ? 1 : -1;
    const fitted = await fitNumber(graph!, golden, site.value, width, changesFor);
    if (fitted === null) continue;
    const value = Math.round(fitted);
    if (value === site.value || value < range[0] || value > range[1] || Math.abs(fitted - value) > WHOLE) continue;
    const cause = await provenRepair(context, 'zero-point', [{
      changes: changesFor(value),
      text: `a zero point of ${value} in place of ${site.value} in the node ${labelOf(site.node)}`,
      values: { zeroPoint: value, nodes: labelOf(site.node) },
    }]);
    if (cause) return cause;
  }
  return null;
}

/** Zero points of one value, also those that are left out and thus 0. */
function sitesOf(graph: LayerGraph): Site[] {
  return graph.nodes.flatMap((node) => (ZERO_POINTS[node.opType] ?? []).flatMap(([position, of]): Site[] => {
    const name = node.input[position] ?? '';
    const constant = graph.constant(name === '' ? node.input[of]! : name);
    const dtype = constant?.dtype ?? '';
    if (!(dtype in RANGES)) return [];
    if (name === '') return [{ node, position, dtype, value: 0 }];
    const bytes = constant!.bytes();
    if (bytes.length !== 1) return [];
    return [{ node, position, dtype, value: dtype === 'int8' ? (bytes[0]! << 24) >> 24 : bytes[0]! }];
  }));
}

function withZeroPoint({ node, position, dtype }: Site, value: number): NodeChanges {
  const draft = new Draft(firstOutput(node));
  const to = dtype === 'int8' ? TensorProto_DataType.INT8 : TensorProto_DataType.UINT8;
  const scalar = draft.add('Squeeze', [draft.add('Cast', [draft.ints([value])], intAttribute('to', to))]);
  const input = Array.from({ length: Math.max(node.input.length, position + 1) }, (_, index) => (index === position ? scalar : (node.input[index] ?? '')));
  return new Map([[firstOutput(node), draft.give(draft.copy(node, { input }))]]);
}
