import type { CompareStage, ModelCheck } from '../compare/modelCheck';
import { selfCheck } from '../compare/modelCheck';
import type { GoldenStage } from '../compare/files/bundle';
import type { ModelProto } from '../onnx/onnx_pb';
import { BlobSink } from '../store/byteSink';
import { blobSource } from '../store/byteSource';
import type { DiarizationManifest } from '../store/diarizationManifest';
import { uniform } from '../util/uniform';
import { bindWeights, loadWeights } from '../weights/bind';
import { convertedTensors, convertWeights, type WeightsForm } from '../weights/convert';
import { expectedWeights } from '../weights/expected';
import { openSafetensors } from '../weights/safetensors';
import golden from './checkGoldens.json';
import { frontEndCheck, ROUNDED_PEAK } from './frontEndCheck';
import type { Weights } from './graphNetwork';
import type { StreamNetwork } from './network';
import { firstLayers, seededFile } from './seededNetwork';


/** A network whose memory can be freed. */
export type OpenedNetwork = StreamNetwork & { release(): Promise<void> };

/** How a network is opened and what computes it. */
export interface CheckedNetwork {
  readonly form: WeightsForm;
  readonly backend: ModelCheck['backend'];
  /** Opens a graph with external tensors and without their values. */
  readonly open: (model: ModelProto, weights: Weights) => Promise<OpenedNetwork>;
}

const NUM_LAYERS = 1;
/** Products of a layer: queries, keys, values, output, and two of the MLP. */
const LAYER_PRODUCTS = 6;
/** Other products on the way to the logits: stacking, projection, upsampler, and two of the classifier. */
const OTHER_PRODUCTS = 5;

/**
 * Errors of float32, as a share of the spread, and cosine: the bounds for a port of this model. Weights of int8 have 16 bits in two
 * parts. The rounding error of a weight, uniformly distributed up to s, is uniform up to s / 64,516, so {@link LAYER_PRODUCTS} add a
 * root mean square of 4e-5 of the spread, and at most five times that.
 */
const FLOAT32 = { share: 1e-3, cosine: 0.99999 };

/**
 * Root mean square of the relative error of a product with float16 weights. A weight has 11 bits, so its rounding error is uniform
 * up to 2^-11 of it if its mantissa is 1, and up to half of that if it is almost 2. The other factor and all sums are float32.
 */
const FLOAT16_ERROR = 2 ** -11 / 3 ** 0.5;

/**
 * Bound of the root mean square error of the logits that the errors of the products explain, as a share of the spread of the logits.
 * Rounding errors of the products are independent, so their squares add up, and the residual sums only weaken them.
 */
const logitError = (productError: number, numProducts: number): number => productError * numProducts ** 0.5;

/** {@link logitError} of float16 weights. */
export const float16LogitError = (numLayers: number): number => logitError(FLOAT16_ERROR, LAYER_PRODUCTS * numLayers + OTHER_PRODUCTS);

/**
 * Checks what computes a network: one layer of it with seeded weights must reproduce outputs of the reference class. The official
 * weights have no golden outputs. The layer has all kernels and shapes of a whole step, and as many frames as the graph has
 * positions. If the network computes mel frames, they are checked against those of the CPU.
 *
 * @param model the graph with all layers, of `parseGraphAlone`
 * @returns the check; its `seconds` are those of the second run
 * @throws VoxlaneError errors of `open`, and `gpu-lost`, `gpu-memory`, `backend-failed`
 */
export async function checkNetwork(model: ModelProto, manifest: DiarizationManifest, { form, backend, open }: CheckedNetwork): Promise<ModelCheck> {
  const graph = firstLayers(model, manifest, NUM_LAYERS);
  const network = await open(graph, await seededWeights(graph, manifest, form));
  try {
    const { melFramesPerEncoderFrame } = golden;
    const frontEnd = network.embedSamples ? frontEndCheck(manifest, { hiddenSize: network.silence.length, melFramesPerEncoderFrame }) : null;
    const run = async (compare: CompareStage): Promise<void> => {
      await frontEnd?.run(network, compare);
      await runStep(network, compare);
    };
    return await selfCheck({ model: manifest.id, backend }, 2, run, { stages: [...(frontEnd ? [frontEnd.stage] : []), ...goldenStages(form)] });
  } finally {
    await network.release();
  }
}

/**
 * Seeded weights of a graph, in the form of a converted file.
 *
 * @param graph with external tensors and without their values
 */
export async function seededWeights(graph: ModelProto, manifest: DiarizationManifest, form: WeightsForm): Promise<Weights> {
  const expected = expectedWeights(graph);
  const bound = bindWeights(await openSafetensors(blobSource(new Blob([seededFile(graph, manifest)]), 'seeded.safetensors')), expected);
  if (form === 'float32') return loadWeights(bound);
  const sink = new BlobSink();
  await convertWeights(bound, form, '0'.repeat(64), sink);
  return loadWeights(bindWeights(await openSafetensors(blobSource(sink.file!, 'converted.safetensors')), convertedTensors(expected, form)));
}

async function runStep(network: OpenedNetwork, compare: CompareStage): Promise<void> {
  const { numFrames, numValid, featureSeed, featureSpread, featureMean, melFramesPerEncoderFrame } = golden;
  const valuesPerFrame = melFramesPerEncoderFrame * network.numMelBins;
  const features = uniform(featureSeed, numFrames * valuesPerFrame).map((value) => value * featureSpread + featureMean);
  const embeddings = await network.embed(features.fill(0, numValid * valuesPerFrame));
  compare('stacked', storedRows(embeddings, 'stacked'));
  const logits = await network.logits({ embeddings, numFrames, numValidFrames: numValid, firstScoredFrame: 0 });
  compare('logits', storedRows(logits, 'logits'));
}

/** The frames whose golden values are stored. */
function storedRows(values: Float32Array, name: string): Float32Array {
  const { stride, numColumns } = golden.stages.find((stage) => stage.name === name)!;
  return values.filter((_, index) => Math.floor(index / numColumns) % stride === 0);
}

/** Bounds of the errors of a stage, as a share of its spread, and of its cosine. */
function boundsOf(stage: string, form: WeightsForm): typeof FLOAT32 {
  if (form !== 'float16') return FLOAT32;
  const error = stage === 'stacked' ? FLOAT16_ERROR : float16LogitError(NUM_LAYERS);
  return { share: ROUNDED_PEAK * error, cosine: 1 / Math.hypot(1, error) };
}

function goldenStages(form: WeightsForm): GoldenStage[] {
  return golden.stages.map(({ name, spread, values, numColumns }): GoldenStage => {
    const data = new Float32Array(Uint8Array.from(atob(values), (character) => character.charCodeAt(0)).buffer);
    const { share, cosine } = boundsOf(name, form);
    const tolerance = { maxAbs: share * spread, cosine };
    return { name, value: name, axes: ['frame', 'channel'], shape: [data.length / numColumns, numColumns], data, tolerance };
  });
}
