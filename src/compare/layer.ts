import { loadManifest, loadModel } from '../store/load';
import { SHIPPED_MODELS, type ShippedModel } from '../store/manifest';
import { parseOnnx } from '../onnx/model';
import type { FileBase } from '../util/fileBase';
import { VoxlaneError } from '../util/errors';
import type { AnyManifest } from './plan';
import type { PlanRunner } from './stages';
import type { NamedTensor } from './tensor';

/** The stage before every model: the decoded samples. */
export const DECODE = 'decode';

/** Selects a layer of a bundled model and its audio input. */
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

/** The layer without its audio input. */
export type LayerChoice = Omit<LayerRequest, 'source' | 'startSeconds' | 'durationSeconds'>;

/** Creates the runner of a model. */
type OpenLayerRunner = (model: ReturnType<typeof parseOnnx>, manifest: AnyManifest) => Promise<PlanRunner>;

/**
 * The sample rate that {@link computeLayer} expects, in Hz. Checks the stage before the recording is decoded.
 *
 * @throws VoxlaneError `options` for a stage that the model does not have, `model-*`
 */
export async function layerSampleRate({ model: id, stage: name }: LayerChoice, modelsBase: FileBase): Promise<number> {
  const manifest = await loadManifest<'segmentation' | 'embedding'>(SHIPPED_MODELS[id], id, modelsBase);
  if (name !== DECODE) stageOf(manifest, id, name);
  return manifest.sampleRate;
}

/**
 * Computes a single layer of a bundled model, for debugging.
 *
 * @param samples mono, axes (sample), at the model's rate
 * @throws VoxlaneError `options` for a stage that the model does not have, `model-*`; errors of the backend
 */
export async function computeLayer(
  { model: id, stage: name }: LayerChoice,
  samples: Float32Array,
  modelsBase: FileBase,
  openRunner: OpenLayerRunner,
): Promise<NamedTensor> {
  if (name === DECODE) return { name, axes: ['sample'], data: samples, shape: [samples.length] };
  const { manifest, bytes } = await loadModel<'segmentation' | 'embedding'>(SHIPPED_MODELS[id], id, modelsBase);
  const stage = stageOf(manifest, id, name);
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

function stageOf(manifest: AnyManifest, id: string, name: string): AnyManifest['stages'][number] {
  const found = manifest.stages.find((stage) => stage.name === name);
  if (found) return found;
  throw new VoxlaneError({
    code: 'options',
    problem: `The model ${id} has no stage ${name}`,
    expected: manifest.stages.map((stage) => stage.name).join(', '),
    remedy: 'Choose one of these',
  });
}
