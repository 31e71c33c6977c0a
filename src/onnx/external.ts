/** Weights that an ONNX file keeps in other files beside it, as `torch.onnx.export` writes them: `model.onnx.data`. */
import { VoxlaneError } from '../util/errors';
import { subgraphsOf } from './nodes';
import { TensorProto_DataLocation, type GraphProto, type ModelProto, type TensorProto } from './onnx_pb';
import { neededBytes } from './tensors';

/** Returns the bytes of a file, by its path from the folder of the ONNX file; undefined if there is none. */
export type FindData = (location: string) => Uint8Array | undefined;

/** Paths of the files that hold weights of `model`, from the folder of its own file, each once. */
export function externalLocations({ graph }: ModelProto): string[] {
  if (!graph) return [];
  return [...new Set(externalTensors(graph).map((tensor) => entryOf(tensor, 'location') ?? ''))];
}

/**
 * Puts the weights from other files into the tensors of `model`, as views of those files.
 *
 * @param name of the ONNX file, for the error
 * @throws VoxlaneError `model-invalid` if a file is missing or too short, or if the stated size is not the tensor's
 */
export function attachExternalData(model: ModelProto, name: string, findData: FindData): void {
  if (!model.graph) return;
  for (const tensor of externalTensors(model.graph)) {
    const location = entryOf(tensor, 'location') ?? '';
    const file = findData(location);
    if (!file) throw missing(name, tensor.name, location);
    tensor.rawData = stretchOf(tensor, file, location);
    tensor.dataLocation = TensorProto_DataLocation.DEFAULT;
    tensor.externalData = [];
  }
}

/**
 * Finds a file among those that were opened together: by its path from the folder of the ONNX file, else by its name alone,
 * because single files that are dropped have no folders.
 */
export function findAmong(files: readonly { readonly name: string; readonly bytes: Uint8Array }[], modelPath: string): FindData {
  const folder = modelPath.slice(0, modelPath.lastIndexOf('/') + 1);
  return (location) => {
    const path = folder + location.replace(/^\.\//, '');
    const exact = files.find(({ name }) => name === path);
    const alike = files.filter(({ name }) => baseName(name) === baseName(location));
    return (exact ?? (alike.length === 1 ? alike[0] : undefined))?.bytes;
  };
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Every tensor that the file holds for a graph and the graphs inside of its nodes. */
function tensorsOf(graph: GraphProto): TensorProto[] {
  return [
    ...graph.initializer,
    ...graph.sparseInitializer.flatMap(({ values, indices }) => [values, indices].filter((part) => part !== undefined)),
    ...graph.node.flatMap(({ attribute }) => attribute.flatMap(({ t, tensors }) => (t ? [t, ...tensors] : tensors))),
    ...graph.node.flatMap(subgraphsOf).flatMap(tensorsOf),
  ];
}

const externalTensors = (graph: GraphProto): TensorProto[] =>
  tensorsOf(graph).filter(({ dataLocation }) => dataLocation === TensorProto_DataLocation.EXTERNAL);

const entryOf = ({ externalData }: TensorProto, wanted: string): string | undefined =>
  externalData.find(({ key }) => key === wanted)?.value;

function stretchOf(tensor: TensorProto, file: Uint8Array, location: string): Uint8Array {
  const offset = Number(entryOf(tensor, 'offset') ?? 0);
  const length = Number(entryOf(tensor, 'length') ?? file.length - offset);
  const isWithin = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0 && offset + length <= file.length;
  if (!isWithin) {
    throw invalid(
      `The tensor ${tensor.name} is at bytes ${offset} to ${offset + length} of ${location}, which has ${file.length}`,
      'a data file of the same export as the graph',
      'Export the model again, and keep both files together',
    );
  }
  const needed = neededBytes(tensor);
  if (needed !== null && needed !== length) {
    throw invalid(
      `The tensor ${tensor.name} needs ${needed} bytes, but the graph states ${length} bytes in ${location}`,
      'the number of bytes that its shape and type need',
      'Export the model again',
    );
  }
  return file.subarray(offset, offset + length);
}

function missing(name: string, tensor: string, location: string): VoxlaneError {
  return invalid(
    `${name} keeps the tensor ${tensor} in ${location || 'another file'}, which was not found`,
    'the data file together with the graph',
    `Put ${location || 'that file'} in the folder of ${name}, or open both files together`,
  );
}

const invalid = (problem: string, expected: string, remedy: string): VoxlaneError =>
  new VoxlaneError({ code: 'model-invalid', problem, expected, remedy });
