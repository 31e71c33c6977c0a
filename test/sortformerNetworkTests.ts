/** Tests of the network of Nemotron 3 Diarization with seeded weights, for any number of layers and any session. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import golden from '../src/sortformer/fixtures/network.json';
import { openSession } from '../src/ort/session';
import { GraphNetwork, type GraphNetworkOptions, type OpenPart } from '../src/sortformer/graphNetwork';
import type { StreamNetwork } from '../src/sortformer/network';
import type { WeightsForm } from '../src/weights/convert';
import { RUNTIME_BASE } from './gpu/dawn';
import { greatestDifference } from './kernels/greatestDifference';
import { uniform } from '../src/util/uniform';
import { NEMOTRON, nemotronGraph, seededNemotronFile } from './seededNemotron';
import { converted, weightsOf } from './weights/converted';
import { countingSource } from './weights/countingSource';

/** The bound of the issue for each stage. */
const MIN_COSINE = 0.99999;
/** The bound of the issue for the logits: a share of their spread. */
const MAX_SHARE = 1e-3;

/** Opens a part on WASM. */
export const openOnWasm: OpenPart = (bytes, externalData) =>
  openSession(bytes, { runtimeBase: RUNTIME_BASE, threads: 1, gpu: null, externalData });

const goldens = new Float32Array(new Uint8Array(readFileSync('src/sortformer/fixtures/network.f32')).buffer);

/** Features of models/nemotron-3-diarization/network_goldens.py; axes (mel frame, mel). */
export function seededFeatures(): Float32Array {
  const { numFrames, numValid, featureSeed } = golden;
  const values = uniform(featureSeed, numFrames * 8 * NEMOTRON.fbank.numMelBins).map((value) => value * 8 - 8);
  return values.fill(0, numValid * 8 * NEMOTRON.fbank.numMelBins);
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, ofA, ofB] = [0, 0, 0];
  a.forEach((value, i) => {
    dot += value * b[i]!;
    ofA += value * value;
    ofB += b[i]! * b[i]!;
  });
  return dot / Math.sqrt(ofA * ofB);
}

/** Graph, weights and manifest of the seeded network; its weights are converted like a download. */
export async function seededParts(numLayers: number, form: WeightsForm = 'float32'): Promise<Pick<GraphNetworkOptions, 'model' | 'weights' | 'manifest'>> {
  const graph = nemotronGraph(numLayers);
  const file = countingSource(seededNemotronFile(numLayers));
  const parts = form === 'float32' ? { model: graph, weights: await weightsOf(file, graph) } : await converted(file, graph, form);
  return { ...parts, manifest: NEMOTRON };
}

/** Opens the seeded network in ONNX Runtime. */
export async function openSeeded(
  numLayers: number,
  { form, ...options }: Partial<Pick<GraphNetworkOptions, 'open' | 'taps' | 'onValues'>> & { readonly form?: WeightsForm } = {},
): Promise<GraphNetwork> {
  return GraphNetwork.open({ ...(await seededParts(numLayers, form)), open: openOnWasm, ...options });
}

/** Opens the seeded network, and reports the values of `taps` in each step. */
type OpenTapped = (
  numLayers: number,
  options: Required<Pick<GraphNetworkOptions, 'taps' | 'onValues'>>,
) => Promise<StreamNetwork & Pick<GraphNetwork, 'release'>>;

/**
 * Registers the tests for the seeded model with `numLayers` layers.
 *
 * @param open opens the network on the backend to test
 */
export function sortformerNetworkTests(numLayers: number, open: OpenTapped = openSeeded): void {
  const { weightsSha256, stages } = golden.models.find((one) => one.numLayers === numLayers)!;
  const layers = Object.keys(stages).filter((name) => name.startsWith('layer'));

  describe(`the network with ${numLayers} layers`, () => {
    it('has the weights that Python writes', () => {
      expect(createHash('sha256').update(seededNemotronFile(numLayers)).digest('hex')).toBe(weightsSha256);
    });

    it('matches the reference class in every stage', async () => {
      const values = new Map<string, Float32Array>();
      const network = await open(numLayers, {
        taps: [...layers, 'head'],
        onValues: (tapped) => { for (const [name, { data }] of tapped) values.set(name, data); },
      });
      const embeddings = await network.embed(seededFeatures());
      values.set('stacked', embeddings);
      const { numFrames, numValid } = golden;
      const logits = await network.logits({ embeddings, numFrames, numValidFrames: numValid, firstScoredFrame: 0 });
      values.set('logits', logits);
      const later = await network.logits({ embeddings, numFrames, numValidFrames: numValid, firstScoredFrame: 10 });
      expect(later).toEqual(logits.subarray(10 * 8 * 8));
      expect([...values.keys()].toSorted()).toEqual(Object.keys(stages).toSorted());
      for (const [name, { shape, offset, spread }] of Object.entries(stages)) {
        const [rows = 0, width = 0] = shape;
        const stride = values.get(name)!.length === numFrames * width ? golden.encoderStride : golden.melStride;
        const stored = Array.from({ length: rows }, (_, row) => [...values.get(name)!.subarray(row * stride * width, (row * stride + 1) * width)]);
        const actual = Float32Array.from(stored.flat());
        const expected = goldens.subarray(offset, offset + rows * width);
        expect(actual.length, name).toBe(expected.length);
        expect(cosine(actual, expected), name).toBeGreaterThanOrEqual(MIN_COSINE);
        if (name === 'logits') expect(greatestDifference(actual, expected) / spread).toBeLessThanOrEqual(MAX_SHARE);
      }
      await network.release();
    });
  });
}
