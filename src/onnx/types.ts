import { create } from '@bufbuild/protobuf';
import { ownValue } from '../util/values';
import {
  type AttributeProto,
  AttributeProto_AttributeType as Type,
  type NodeProto,
  type TensorProto,
  TensorProto_DataType,
  type TensorShapeProto,
  type TensorShapeProto_Dimension,
  TensorShapeProto_DimensionSchema,
  type TypeProto,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './onnx_pb';

/** A value of a graph, as declared in the file. */
export interface ValueInfo {
  readonly name: string;
  /** Element type of a tensor: `float32`, `int64`, `bool`. Else `sequence`, `map` or `optional`; `?` if not declared. */
  readonly dtype: string;
  /** Size of each axis; a name if it is dynamic, `?` if it is dynamic and unnamed. Null if not declared. */
  readonly shape: readonly (number | string)[] | null;
}

/** Known type of a value without a declared type. */
export interface KnownType {
  /** As in {@link ValueInfo}. */
  readonly dtype: string;
  /** Null for an axis of any size; absent if the number of axes is unknown too. */
  readonly shape?: readonly (number | null)[];
}

export const UNKNOWN = '?';

/** Types whose name differs from ONNX's name in more than case. */
const RENAMED: Partial<Record<string, string>> = { FLOAT: 'float32', DOUBLE: 'float64', UNDEFINED: UNKNOWN };

/** `float32`, `int64`, `float16`: element types in the notation of numpy and ONNX Runtime. */
export function dtypeName(type: number): string {
  // Newer formats have enum values that ours lacks.
  const name = TensorProto_DataType[type];
  return name === undefined ? UNKNOWN : (ownValue(RENAMED, name) ?? name.toLowerCase());
}

const TYPE_OF_NAME = new Map(
  Object.values(TensorProto_DataType)
    .filter((type) => typeof type === 'number')
    .map((type) => [dtypeName(type), type]),
);

/** The inverse of {@link dtypeName}; undefined for an unknown name. */
const dtypeOf = (name: string): TensorProto_DataType | undefined => TYPE_OF_NAME.get(name);

/** Reads the declaration of an input, output or intermediate value. */
export function readValueInfo({ name, type }: ValueInfoProto): ValueInfo {
  return { name, ...readType(type) };
}

function readType(type: TypeProto | undefined): Omit<ValueInfo, 'name'> {
  const kind = type?.value;
  switch (kind?.case) {
    case 'tensorType':
    case 'sparseTensorType':
      return { dtype: dtypeName(kind.value.elemType), shape: readShape(kind.value.shape) };
    case 'sequenceType':
      return { dtype: 'sequence', shape: null };
    case 'mapType':
      return { dtype: 'map', shape: null };
    case 'optionalType':
      return { dtype: 'optional', shape: null };
    default:
      return { dtype: UNKNOWN, shape: null };
  }
}

function readShape(shape: TensorShapeProto | undefined): (number | string)[] | null {
  return shape?.dim.map(readDimension) ?? null;
}

function readDimension({ value }: TensorShapeProto_Dimension): number | string {
  if (value.case === 'dimValue') return Number(value.value);
  return value.case === 'dimParam' && value.value !== '' ? value.value : UNKNOWN;
}

/** Creates the declaration of a value. Without `shape`, it may have any number of axes. */
export function makeValueInfo(name: string, { dtype, shape }: KnownType): ValueInfoProto {
  const elemType = dtypeOf(dtype) ?? TensorProto_DataType.UNDEFINED;
  const dims = shape?.map((size) =>
    create(TensorShapeProto_DimensionSchema, {
      value: size === null ? { case: undefined } : { case: 'dimValue', value: BigInt(size) },
    }),
  );
  const type = create(TypeProtoSchema, {
    value: { case: 'tensorType', value: { elemType, ...(dims && { shape: { dim: dims } }) } },
  });
  return create(ValueInfoProtoSchema, { name, type });
}

/** Declares a value without its type, which ONNX Runtime infers for an output. */
export const untyped = (name: string): ValueInfoProto => create(ValueInfoProtoSchema, { name });

/** Maximum number of items in a text; more would not help the reader. */
const MAX_ITEMS = 16;
const MAX_TEXT = 120;
/** Digits that float32 holds reliably: 0.1 is stored as 0.10000000149. */
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
