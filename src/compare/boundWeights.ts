import { graphOf } from '../onnx/model';
import { copyWith } from '../onnx/nodes';
import { type ModelProto, TensorProto_DataLocation } from '../onnx/onnx_pb';
import { externalLocations, isExternal } from '../onnx/tensors';
import { BlobSink } from '../store/byteSink';
import { blobSource } from '../store/byteSource';
import { VoxlaneError } from '../util/errors';
import { type BoundWeights, bindWeights, loadWeights } from '../weights/bind';
import { convertedTensors, convertWeights, type WeightsForm } from '../weights/convert';
import { type ExpectedTensor, expectedWeights } from '../weights/expected';
import { graphInForm } from '../weights/graphForm';
import { openSafetensors } from '../weights/safetensors';
import type { NamedFile } from './files/goldenFiles';

const SAFETENSORS = /\.safetensors$/i;

/** Whether the weights of a graph are tensors of a safetensors file, found by their names and not by their place in it. */
export function isBoundByName(model: ModelProto): boolean {
  const locations = externalLocations(model);
  const hasPlace = graphOf(model).initializer.some(({ externalData }) => externalData.some(({ key }) => key === 'offset'));
  return locations.length > 0 && !hasPlace && locations.every((location) => SAFETENSORS.test(location));
}

/**
 * Returns the graph with the weights of a safetensors file. Every tensor is found by its name, and its type, shape and values
 * are checked.
 *
 * @param file null if no such file was opened
 * @param form with `float16` and `int8`, the weights are converted as for a diarizer, and the graph reads the converted ones
 * @throws VoxlaneError `options` without a file; `model-invalid` for a tensor that is missing, left over, or does not fit
 */
export async function withBoundWeights(model: ModelProto, file: NamedFile | null, form: WeightsForm = 'float32'): Promise<ModelProto> {
  if (!file || !SAFETENSORS.test(file.name)) throw withoutWeights(externalLocations(model)[0]!);
  const expected = expectedWeights(model);
  const original = await bound(new Blob([file.bytes as Uint8Array<ArrayBuffer>]), file.name, expected);
  if (form === 'float32') return attached(model, await loadWeights(original));
  const sink = new BlobSink();
  // The hash of the original is not verified here.
  await convertWeights(original, form, '0'.repeat(64), sink);
  return attached(graphInForm(model, form), await loadWeights(await bound(sink.file!, file.name, convertedTensors(expected, form))));
}

const bound = async (blob: Blob, name: string, expected: readonly ExpectedTensor[]): Promise<BoundWeights> =>
  bindWeights(await openSafetensors(blobSource(blob, name)), expected);

function attached(model: ModelProto, weights: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): ModelProto {
  const graph = graphOf(model);
  const initializer = graph.initializer.map((tensor) =>
    isExternal(tensor) ? copyWith(tensor, { rawData: weights.get(tensor.name)!, dataLocation: TensorProto_DataLocation.DEFAULT, externalData: [] }) : tensor,
  );
  return copyWith(model, { graph: copyWith(graph, { initializer }) });
}

const withoutWeights = (location: string): VoxlaneError =>
  new VoxlaneError({
    code: 'options',
    problem: 'The graph has no weights, and there is no file with them',
    expected: `its weights as .safetensors, such as ${location}`,
    remedy: 'Open that file together with the graph or the golden bundle',
  });
