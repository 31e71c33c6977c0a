import { AttributeProto_AttributeType as Type, type AttributeProto, type NodeProto, type TensorProto } from './onnx_pb';
import { dtypeName } from './types';

/** More says nothing to a reader. */
const MAX_ITEMS = 16;
const MAX_TEXT = 120;
/** What a float32 holds for certain: 0.1 is stored as 0.10000000149, which nobody wrote. */
const FLOAT32_DIGITS = 7;

/** A node's attributes as short text, by name: `[1, 2]`, `0.1`, `forward`, `float32 (3, 4)`, `graph of 5 nodes`. */
export function attributeTexts(node: NodeProto): Record<string, string> {
  return Object.fromEntries(node.attribute.map((attribute) => [attribute.name, attributeText(attribute)]));
}

function attributeText(attribute: AttributeProto): string {
  if (attribute.refAttrName !== '') return `that of the function, ${attribute.refAttrName}`;
  switch (attribute.type) {
    case Type.FLOAT:
      return floatText(attribute.f);
    case Type.INT:
      return attribute.i.toString();
    case Type.STRING:
      return stringText(attribute.s);
    case Type.TENSOR:
      return attribute.t ? tensorText(attribute.t) : '';
    case Type.GRAPH:
      return graphText(attribute.g?.node.length ?? 0);
    case Type.FLOATS:
      return listText(attribute.floats, floatText);
    case Type.INTS:
      return listText(attribute.ints, String);
    case Type.STRINGS:
      return listText(attribute.strings, stringText);
    case Type.TENSORS:
      return listText(attribute.tensors, tensorText);
    default:
      return Type[attribute.type].toLowerCase().replaceAll('_', ' ');
  }
}

const floatText = (value: number): string => String(Number(value.toPrecision(FLOAT32_DIGITS)));

const graphText = (numNodes: number): string => `graph of ${numNodes} ${numNodes === 1 ? 'node' : 'nodes'}`;

const tensorText = ({ dataType, dims }: TensorProto): string => `${dtypeName(dataType)} (${dims.join(', ')})`;

function stringText(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

function listText<T>(items: readonly T[], textOf: (item: T) => string): string {
  const shown = items.slice(0, MAX_ITEMS).map(textOf);
  if (items.length > MAX_ITEMS) shown.push(`… ${items.length} in all`);
  return `[${shown.join(', ')}]`;
}
