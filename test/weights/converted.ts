/** Converts weights like a download: reads, converts and writes them, and reads them again. */
import type { ModelProto } from '../../src/onnx/model';
import { BlobSink } from '../../src/store/byteSink';
import { blobSource, type ByteSource } from '../../src/store/byteSource';
import { bindWeights, loadWeights } from '../../src/weights/bind';
import { convertWeights, type WeightsForm } from '../../src/weights/convert';
import { expectedWeights } from '../../src/weights/expected';
import { graphInForm } from '../../src/weights/graphForm';
import { openSafetensors } from '../../src/weights/safetensors';

/**
 * Converts the safetensors file of a network.
 *
 * @param graph with float32 weights
 * @returns the graph that reads the converted weights, and these weights
 */
export async function converted(original: ByteSource, graph: ModelProto, form: WeightsForm): Promise<{ readonly model: ModelProto; readonly weights: Awaited<ReturnType<typeof loadWeights>> }> {
  const sink = new BlobSink();
  await convertWeights(bindWeights(await openSafetensors(original), expectedWeights(graph)), form, '0'.repeat(64), sink);
  const model = graphInForm(graph, form);
  return { model, weights: await weightsOf(blobSource(sink.file!, 'converted.safetensors'), model) };
}

/** The weights of a graph in a safetensors file. */
export async function weightsOf(file: ByteSource, model: ModelProto): ReturnType<typeof loadWeights> {
  return loadWeights(bindWeights(await openSafetensors(file), expectedWeights(model)));
}
