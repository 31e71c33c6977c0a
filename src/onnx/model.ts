/**
 * Reads and writes ONNX files. `onnx_pb.ts` is generated from onnx.proto of ONNX 1.23 (both Apache-2.0) by protoc-gen-es
 * 2.13 (npm packages @bufbuild/buf and @bufbuild/protoc-gen-es) with a buf.gen.yaml of `version: v2`, `plugins: [{ local:
 * protoc-gen-es, opt: target=ts, out: src/onnx }]`: `npx buf generate onnx.proto`.
 */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { VoxlaneError } from '../util/errors';
import { attributeTexts, readValueInfo, type ValueInfo } from './types';
import { attachExternalData, externalLocations, type FindData } from './tensors';
import { capturedBy, nodeNames, type Scope, scopeOf, topologicalOrder } from './nodes';
import {
  ModelProtoSchema,
  type GraphProto,
  type ModelProto,
  type NodeProto,
} from './onnx_pb';

export type { ModelProto } from './onnx_pb';
export type { KnownType, ValueInfo } from './types';

/** One node of a graph. */
export interface NodeInfo {
  /** Position in the file. */
  readonly index: number;
  /** Its own name, or `op_index` if it has none. Unique. */
  readonly name: string;
  readonly op: string;
  /** Empty for ONNX's own operators. */
  readonly domain: string;
  /** In the operator's order; an empty string for an omitted optional input. */
  readonly inputs: readonly string[];
  /** Values of the graph that the subgraphs of this node (If, Loop, Scan) read. */
  readonly captured: readonly string[];
  /** Without omitted outputs. */
  readonly outputs: readonly string[];
  /** The first output of the operator; an empty string if it is omitted. */
  readonly firstOutput: string;
  /** As short text, by name. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The module of the original network that computes it; null if unknown. */
  readonly scope: Scope | null;
}

/** Structure of a graph, for display and traversal. */
export interface GraphInfo {
  readonly name: string;
  /** Name and version of the program that wrote the file; empty if not stated. */
  readonly producer: string;
  readonly irVersion: number;
  /** Version of the default operator domain; 0 if the graph does not use it. */
  readonly opset: number;
  /** Names of the other domains. */
  readonly domains: readonly string[];
  /** Required inputs, without initializers, which older files also list as inputs. */
  readonly inputs: readonly ValueInfo[];
  /** Optional inputs: if they are not fed, their initializers are used. */
  readonly defaults: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** In topological order. */
  readonly nodes: readonly NodeInfo[];
  /** Values inside the graph whose type the file declares. */
  readonly known: ReadonlyMap<string, ValueInfo>;
}

const EXPECTED = 'an ONNX model of format version 3 or later';
/** Position of the identifier in ONNX Runtime's flatbuffer files. */
const ORT_MAGIC = { offset: 4, text: 'ORTM' };
/** The length of the header at the start of a file in safetensors, a 64-bit integer. */
const SAFETENSORS_LENGTH_BYTES = 8;
/** Enough bytes to distinguish text from protobuf, which has bytes below 32 among the first few. */
const TEXT_BYTES = 64;

/**
 * Parses an ONNX file. The weights are views of `bytes`, which must not change afterward.
 *
 * @param name file name for errors
 * @param findData finds the files that hold its weights
 * @throws VoxlaneError `model-invalid` that describes the file: it is truncated, is text or in ONNX Runtime's own format,
 *   has no graph or no nodes, or keeps its weights in a file that was not found
 */
export function parseOnnx(bytes: Uint8Array, name: string, findData: FindData = () => undefined): ModelProto {
  const model = readOnnx(bytes, name);
  attachExternalData(model, name, findData);
  return model;
}

/**
 * Parses an ONNX file whose weights come from elsewhere: tensors in other files stay without data.
 *
 * @throws VoxlaneError `model-invalid` like {@link parseOnnx}, except for missing files
 */
export const parseGraphAlone = (bytes: Uint8Array, name: string): ModelProto => readOnnx(bytes, name);

/** Paths of the files that hold weights of an ONNX file, from its folder. @throws VoxlaneError like {@link parseOnnx} */
export const externalFilesOf = (bytes: Uint8Array, name: string): string[] => externalLocations(readOnnx(bytes, name));

/** Version of ONNX's own operators in an ONNX file; 0 if it uses none. @throws VoxlaneError like {@link parseOnnx} */
export const opsetOf = (bytes: Uint8Array): number => opsetOfGraph(readOnnx(bytes, 'the graph'));

/** Version of ONNX's own operators in a model; 0 if it uses none. */
export const opsetOfGraph = ({ opsetImport }: ModelProto): number => Number(opsetImport.find(({ domain }) => isDefaultDomain(domain))?.version ?? 0);

function readOnnx(bytes: Uint8Array, name: string): ModelProto {
  rejectOthers(bytes, name);
  let model: ModelProto;
  try {
    // Not a Node Buffer: its `slice` is a view, while that of other arrays is a copy.
    model = fromBinary(ModelProtoSchema, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (cause) {
    const problem = `${name} cannot be read as ONNX, or is truncated after ${bytes.length} bytes`;
    throw invalid(problem, 'Download or export it again', cause);
  }
  const { graph } = model;
  if (!graph) throw invalid(`${name} holds no graph`);
  if (graph.node.length === 0) throw invalid(`The graph of ${name} has no nodes`);
  if (model.opsetImport.length === 0) throw invalid(`${name} states no operator version, or is truncated`);
  return model;
}

/** Encodes a model as the bytes of an ONNX file. */
export function encodeOnnx(model: ModelProto): Uint8Array<ArrayBuffer> {
  return toBinary(ModelProtoSchema, model);
}

/**
 * The graph of a model.
 *
 * @throws VoxlaneError `model-invalid`
 */
export function graphOf(model: ModelProto): GraphProto {
  if (!model.graph) throw invalid('The model holds no graph');
  return model.graph;
}

/**
 * Describes the graph of `model`.
 *
 * @throws VoxlaneError `model-invalid` if its nodes form a cycle, or if two of them output the same value
 */
export function graphInfo(model: ModelProto): GraphInfo {
  const graph = graphOf(model);
  const weights = new Set(initializerNames(graph));
  const names = nodeNames(graph.node);
  return {
    name: graph.name,
    producer: [model.producerName, model.producerVersion].filter(Boolean).join(' '),
    irVersion: Number(model.irVersion),
    opset: opsetOfGraph(model),
    domains: model.opsetImport.map(({ domain }) => domain).filter((domain) => !isDefaultDomain(domain)),
    inputs: graph.input.filter((input) => !weights.has(input.name)).map(readValueInfo),
    defaults: graph.input.filter((input) => weights.has(input.name)).map(readValueInfo),
    outputs: graph.output.map(readValueInfo),
    nodes: topologicalOrder(graph.node).map((index) => readNode(graph.node[index]!, index, names[index]!)),
    known: new Map([...graph.valueInfo, ...graph.output].map((value) => [value.name, readValueInfo(value)])),
  };
}

/** Names of the graph's weights, including sparse ones. */
export function initializerNames({ initializer, sparseInitializer }: GraphProto): string[] {
  return [...initializer.map(({ name }) => name), ...sparseInitializer.map(({ values }) => values?.name ?? '')];
}

/** The default domain has two names. */
const isDefaultDomain = (domain: string): boolean => domain === '' || domain === 'ai.onnx';

/** Operators whose output is not a tensor; files rarely declare types of intermediate values. */
const TENSORLESS = new Set([
  'SequenceEmpty',
  'SequenceConstruct',
  'SequenceInsert',
  'SequenceErase',
  'SequenceMap',
  'SplitToSequence',
  'Optional',
]);
/** Types, as in {@link ValueInfo}, of values that are not numeric tensors. */
export const TENSORLESS_TYPES: ReadonlySet<string> = new Set(['sequence', 'map', 'optional', 'string']);

/** Operators that output strings. */
const STRING_OPS = new Set(['StringNormalizer', 'StringConcat', 'StringSplit']);
/** The string type in `Cast`. */
const STRING_TYPE = '8';

/** Kind of the value `name` if the graph shows that it is not a numeric tensor: `a sequence`, `strings`; else null. */
export function tensorlessKind({ nodes, known }: Pick<GraphInfo, 'nodes' | 'known'>, name: string): string | null {
  const node = nodes.find(({ outputs }) => outputs.includes(name));
  const dtype = known.get(name)?.dtype;
  if (dtype === 'string' || (node && (STRING_OPS.has(node.op) || (node.op === 'Cast' && node.attributes.to === STRING_TYPE)))) return 'strings';
  if (node?.op === 'Optional' || dtype === 'optional') return 'an optional value';
  if (dtype === 'map') return 'a map';
  return dtype === 'sequence' || (node && TENSORLESS.has(node.op)) ? 'a sequence' : null;
}

/**
 * Names of all values that can be tapped, in the order of computation: node outputs, except those known not to be numeric
 * tensors.
 */
export function valueNames({ nodes, known }: GraphInfo): string[] {
  return nodes
    .filter(({ op }) => !TENSORLESS.has(op))
    .flatMap(({ outputs }) => outputs)
    .filter((name) => !TENSORLESS_TYPES.has(known.get(name)?.dtype ?? ''));
}

function readNode(node: NodeProto, index: number, name: string): NodeInfo {
  return {
    index,
    name,
    op: node.opType,
    domain: isDefaultDomain(node.domain) ? '' : node.domain,
    inputs: node.input,
    captured: capturedBy(node),
    outputs: node.output.filter((output) => output !== ''),
    firstOutput: node.output[0] ?? '',
    attributes: attributeTexts(node),
    scope: scopeOf(node),
  };
}

/** Rejects files that users often open by mistake and that protobuf might parse as messages with unknown fields. */
function rejectOthers(bytes: Uint8Array, name: string): void {
  if (bytes.length === 0) throw invalid(`${name} is empty`, 'Download or export it again');
  const start = bytes.subarray(0, TEXT_BYTES);
  if (start.every((byte) => (byte >= 32 && byte < 127) || byte === 9 || byte === 10 || byte === 13)) {
    const text = JSON.stringify(new TextDecoder().decode(start).trim());
    // An error page, or a Git LFS pointer file.
    throw invalid(`${name} is text that begins with ${text}`, 'Download the model itself, not a page about it');
  }
  const magic = new TextDecoder().decode(bytes.subarray(ORT_MAGIC.offset, ORT_MAGIC.offset + ORT_MAGIC.text.length));
  if (magic === ORT_MAGIC.text) {
    throw invalid(`${name} is in ONNX Runtime's own format (.ort)`, 'Use the .onnx file that it was made from');
  }
  if (isSafetensors(bytes)) {
    throw invalid(
      `${name} is in the format safetensors: it has weights, but no graph`,
      'Use the ONNX file of the model. For the weights of Nemotron 3 Diarization, select the preset nemotron',
    );
  }
}

/** Whether bytes begin like a file in safetensors: the length of the header in 8 bytes, then its JSON, an object. */
function isSafetensors(bytes: Uint8Array): boolean {
  if (bytes.length <= SAFETENSORS_LENGTH_BYTES || bytes[SAFETENSORS_LENGTH_BYTES] !== '{'.charCodeAt(0)) return false;
  const headerBytes = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true);
  return headerBytes >= 2n && headerBytes <= BigInt(bytes.length - SAFETENSORS_LENGTH_BYTES);
}

function invalid(problem: string, remedy = 'Export the model again', cause?: unknown): VoxlaneError {
  return new VoxlaneError({ code: 'model-invalid', problem, expected: EXPECTED, remedy }, { cause });
}
