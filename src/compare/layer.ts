import { openAudio, openSamples } from '../audio/decode';
import { loadModel } from '../store/load';
import { SHIPPED_MODELS, type ShippedModel } from '../store/manifest';
import { parseOnnx } from '../onnx/model';
import type { FileBase } from '../util/fileBase';
import { concatenate } from '../util/values';
import { VoxlaneError } from '../util/errors';
import type { AnyManifest } from './plan';
import type { PlanRunner } from './stages';
import type { NamedTensor } from './tensor';

/** The stage before every model: the decoded samples. */
export const DECODE = 'decode';

/** Selects a layer of a shipped model and its audio input. */
export interface LayerRequest {
  /** The model. */
  readonly model: ShippedModel;
  /** Stage name in the model's manifest, or `decode` for the samples. */
  readonly stage: string;
  /** A recording, or mono samples at the model's rate. */
  readonly source: Blob | Float32Array;
  /** Start of the segment that the model receives; 0 for the beginning. */
  readonly startSeconds: number;
  /** Length of the segment; by default up to the end. */
  readonly durationSeconds?: number | undefined;
}

/** Creates the runner of a model. */
type OpenLayerRunner = (model: ReturnType<typeof parseOnnx>, manifest: AnyManifest) => Promise<PlanRunner>;

/**
 * Computes a single layer of a shipped model, for debugging.
 *
 * @throws VoxlaneError `options` for a stage that the model does not have, `audio-*`, `model-*`; errors of the backend
 */
export async function computeLayer(
  { model: id, stage: name, source, startSeconds, durationSeconds }: LayerRequest,
  modelsBase: FileBase,
  openRunner: OpenLayerRunner,
): Promise<NamedTensor> {
  const { manifest, bytes } = await loadModel<'segmentation' | 'embedding'>(SHIPPED_MODELS[id], id, modelsBase);
  const stage = manifest.stages.find((candidate) => candidate.name === name);
  if (!stage && name !== DECODE) throw unknownStage(id, name, manifest);
  const { sampleRate } = manifest;
  const samples = await decodeAll(source, { sampleRate, startSeconds, ...(durationSeconds !== undefined && { durationSeconds }) });
  if (!stage) return { name, axes: ['sample'], data: samples, shape: [samples.length] };
  const { graph, features } = await openRunner(parseOnnx(bytes, manifest.file.name), manifest);
  const { input } = manifest;
  const feed = features
    ? { data: await features(samples), numColumns: input.shape.at(-1) ?? 1 }
    : { data: samples, numColumns: samples.length };
  const shape = [1, feed.data.length / feed.numColumns, feed.numColumns];
  if (stage.value === null) return { name, axes: stage.axes, data: feed.data, shape };
  const tensor = (await graph.values(new Map([[input.name, { data: feed.data, shape }]]), [stage.value])).get(stage.value)!;
  return { name, axes: stage.axes, data: tensor.data, shape: tensor.shape };
}

/** Decodes a segment of a recording to mono samples. @throws VoxlaneError `audio-*` */
async function decodeAll(
  source: Blob | Float32Array,
  options: { readonly sampleRate: number; readonly startSeconds?: number; readonly durationSeconds?: number },
): Promise<Float32Array> {
  const audio = source instanceof Float32Array ? openSamples(source, options) : await openAudio(source, options);
  try {
    const pieces: Float32Array[] = [];
    // Copies, because a decoder may reuse its buffer.
    for await (const piece of audio.pieces()) pieces.push(piece.slice());
    return concatenate(pieces);
  } finally {
    audio.close();
  }
}

function unknownStage(id: string, name: string, manifest: AnyManifest): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: `The model ${id} has no stage ${name}`,
    expected: manifest.stages.map((stage) => stage.name).join(', '),
    remedy: 'Choose one of these',
  });
}
