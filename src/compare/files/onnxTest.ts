/**
 * Golden outputs in the format of ONNX's tests and model zoo: `model.onnx` beside `test_data_set_0/input_0.pb`,
 * `output_0.pb` and so on. Each file is a serialized `TensorProto`.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { TENSORLESS_TYPES, type GraphInfo } from '../../onnx/model';
import { TensorProtoSchema, type TensorProto } from '../../onnx/onnx_pb';
import { neededBytes, shapeOf, tensorBytes, tensorValues } from '../../onnx/tensors';
import { dtypeName, type ValueInfo } from '../../onnx/types';
import { BYTES_PER_ELEMENT, type ElementType } from '../../util/elementTypes';
import { manifestFolder, MAX_UNPACKED_BYTES, type GoldenBundle, type GoldenStage, type GoldenTensor } from './bundle';
import { shapeText } from '../tensor';
import { DEFAULT_TOLERANCE, type NamedFile } from './goldenFiles';
import { broken, isZip, listZip, unpackZip } from './zip';
import { firstTwice } from './manifest';
import { exactValues } from './elements';

const FILE = /(?:^|\/)test_data_set_(\d+)\/(input|output)_(\d+)\.pb$/;

interface TestFile {
  readonly file: NamedFile;
  readonly set: number;
  readonly role: 'input' | 'output';
  /** Position among the graph's inputs or outputs, from 0. */
  readonly index: number;
}

/** Limit for a golden bundle and its graph. */
const MAX_ZIP_BYTES = 2 * MAX_UNPACKED_BYTES;

/**
 * Replaces a zip that holds an ONNX test with its files. Other files remain unchanged.
 *
 * @throws VoxlaneError `format` if the zip is damaged or too large
 */
export function unpackOnnxTests(files: readonly NamedFile[]): readonly NamedFile[] {
  return files.flatMap((file) => {
    if (!isZip(file.bytes)) return [file];
    const names = listZip(file.bytes, file.name).map(({ name }) => name);
    if (!names.some((name) => FILE.test(name)) || manifestFolder(names) !== null) return [file];
    const unpacked = unpackZip(file.bytes, file.name, new Set(names), MAX_ZIP_BYTES);
    return Array.from(unpacked, ([name, bytes]) => ({ name, bytes }));
  });
}

/** True if `files` include files of an ONNX test. */
export const hasOnnxTest = (files: readonly { readonly name: string }[]): boolean => files.some(({ name }) => FILE.test(name));

/**
 * Reads one data set of an ONNX test. If there are several, reads the one with the lowest number and names the others in a
 * note. Outputs that are not numeric tensors are left out with a note.
 *
 * @param graph inputs and outputs that the files are assigned to, by position or by the name in the tensor
 * @throws VoxlaneError `format` if a file is not a tensor, has a number of values that does not match its shape, matches no
 *   input or output, matches the same one as another file, or holds an input that cannot be fed; if there is no output; if
 *   the files together are too large
 */
export function readOnnxTest(files: readonly NamedFile[], graph: Pick<GraphInfo, 'inputs' | 'outputs' | 'nodes'>): GoldenBundle {
  const all = files.flatMap((file) => {
    const [, set, role, index] = FILE.exec(file.name) ?? [];
    return set === undefined ? [] : [{ file, set: Number(set), role: role as TestFile['role'], index: Number(index) }];
  });
  const sets = [...new Set(all.map(({ set }) => set))].toSorted((a, b) => a - b);
  const chosen = all.filter(({ set }) => set === sets[0]).toSorted((a, b) => a.index - b.index);
  const totalBytes = chosen.reduce((sum, { file }) => sum + file.bytes.length, 0);
  if (totalBytes > MAX_UNPACKED_BYTES) throw broken(`The test data has ${totalBytes} bytes`, `at most ${MAX_UNPACKED_BYTES} bytes`);
  const notes = sets.length > 1 ? [`Data set ${sets[0]} of ${sets.join(', ')} is compared`] : [];
  const inputs: GoldenTensor[] = [];
  const stages: GoldenStage[] = [];
  for (const part of chosen) {
    const values = part.role === 'input' ? graph.inputs : graph.outputs;
    const declared = values[part.index];
    if (declared && TENSORLESS_TYPES.has(declared.dtype)) {
      if (part.role === 'input') throw unfed(part, declared, graph.nodes.filter(({ inputs }) => inputs.includes(declared.name)).map(({ op }) => op));
      const op = graph.nodes.find(({ outputs }) => outputs.includes(declared.name))?.op;
      notes.push(`${declared.name}${op === undefined ? '' : `, an output of ${op},`} is left out: its type is ${declared.dtype}, not a numeric tensor`);
      continue;
    }
    const tensor = readTensor(part, values);
    if (part.role === 'input') inputs.push(tensor);
    else stages.push({ ...tensor, tolerance: DEFAULT_TOLERANCE, value: tensor.name });
  }
  for (const [role, tensors] of [['input', inputs], ['output', stages]] as const) {
    const twice = firstTwice(tensors.map(({ name }) => name));
    if (twice !== undefined) throw broken(`Two files of test_data_set_${sets[0]} belong to the ${role} ${twice}, according to their names or numbers`, `one file for each ${role}`);
  }
  if (stages.length === 0) {
    throw broken(`No output in test_data_set_${sets[0]} can be compared${notes.map((note) => `: ${note}`).join('')}`, 'an output_0.pb with a tensor of numbers');
  }
  return { model: '', source: {}, inputs, stages, notes, graph: null };
}

function readTensor({ file, role, index }: TestFile, values: readonly ValueInfo[]): GoldenTensor {
  const proto = parseTensor(file);
  const declared = values.find(({ name }) => name === proto.name) ?? values[index];
  if (!declared) {
    throw broken(`${file.name} is ${role} ${index}, but the graph has ${values.length} ${role}s`, `a file for each ${role} of the graph`);
  }
  const type = dtypeName(proto.dataType);
  const shape = shapeOf(proto);
  const bytes = tensorBytes(proto);
  const data = tensorValues(proto);
  if (!data) {
    const needed = neededBytes(proto);
    if (needed !== null && needed !== bytes.length) {
      throw broken(`${file.name} has the shape ${shapeText(shape)} of ${type}, which is ${needed} bytes, but holds ${bytes.length}`, 'as many values as its shape requires');
    }
    throw broken(`${file.name} holds values of the type ${type}`, 'real numbers or booleans');
  }
  const exact = type in BYTES_PER_ELEMENT ? exactValues(bytes, type as ElementType, data) : null;
  return {
    name: declared.name,
    axes: shape.map((_, axis) => `axis${axis}`),
    shape,
    data,
    ...(exact && { exact }),
    ...(type !== 'float32' && { storedAs: type }),
  };
}

function parseTensor({ name, bytes }: NamedFile): TensorProto {
  try {
    return fromBinary(TensorProtoSchema, bytes);
  } catch (cause) {
    throw broken(`${name} is not a serialized TensorProto`, 'the output of onnx.numpy_helper.from_array(array).SerializeToString()', cause);
  }
}

const unfed = ({ file }: TestFile, { name, dtype }: ValueInfo, readers: readonly string[]): Error =>
  broken(`The input ${name} (${file.name})${readers.length === 0 ? '' : ` of ${readers.join(', ')}`} has the type ${dtype}, which is not supported as an input here`, 'inputs that are numeric tensors');
