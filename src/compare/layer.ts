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

/** The stage before every model: the samples themselves. */
export const DECODE = 'decode';

/** Which layer of which shipped model, and of what sound. */
export interface LayerRequest {
  /** The model. */
  readonly model: ShippedModel;
  /** As the model's manifest calls the stage, or `decode`, which is the samples themselves. */
  readonly stage: string;
  /** A recording, or mono samples at the model's rate. */
  readonly source: Blob | Float32Array;
  /** Where the segment starts that the model is given; 0 for the start. */
  readonly startSeconds: number;
  /** Length of the segment; to the end where it is not given. */
  readonly durationSeconds?: number | undefined;
}

/** A model's runner with its manifest. */
export type OpenLayerRunner = (model: ReturnType<typeof parseOnnx>, manifest: AnyManifest) => Promise<PlanRunner>;

/**
 * Computes one layer of a shipped model by itself, for debugging by parts.
 *
 * @throws VoxlaneError `options` for a stage that the model does not have, `audio-*`, `model-*`, and what the backend
 *   throws
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

/** A segment of a recording as mono samples. @throws VoxlaneError `audio-*` */
export async function decodeAll(
  source: Blob | Float32Array,
  options: { readonly sampleRate: number; readonly startSeconds?: number; readonly durationSeconds?: number },
): Promise<Float32Array> {
  const audio = source instanceof Float32Array ? openSamples(source, options) : await openAudio(source, options);
  try {
    const pieces: Float32Array[] = [];
    // Copies, because a decoder may use its buffer again.
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
    remedy: 'Name one of these',
  });
}
