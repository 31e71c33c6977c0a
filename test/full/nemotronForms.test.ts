/**
 * How rounded weights change the decisions of Nemotron 3 Diarization, with seeded weights, on WASM: with four layers, and with
 * VOXLANE_NEMOTRON=all also in full size.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { GraphNetwork } from '../../src/sortformer/graphNetwork';
import { checkNetwork } from '../../src/sortformer/networkCheck';
import { blobSource } from '../../src/store/byteSource';
import type { WeightsForm } from '../../src/weights/convert';
import { uniform } from '../../src/util/uniform';
import { NEMOTRON, nemotronGraph, seededNemotronFile } from '../seededNemotron';
import { converted } from '../weights/converted';
import { openOnWasm } from '../sortformerNetworkTests';

/**
 * Products with rounded matrices. Of a layer: queries, keys, values, output, and two of the MLP. Of the rest, only with float16: two
 * projections, upsampler, and two of the classifier.
 */
const numProducts = (numLayers: number, form: WeightsForm): number => 6 * numLayers + (form === 'float16' ? 5 : 0);
/** Four offline steps: 10,880 output frames. */
const NUM_STEPS = 4;
const NUM_FRAMES = 340;

/** Logits of all steps; axes (output frame, speaker). */
async function logitsIn(numLayers: number, form: WeightsForm): Promise<Float32Array[]> {
  const { model, weights } = await converted(blobSource(new Blob([seededNemotronFile(numLayers)]), 'seeded.safetensors'), nemotronGraph(numLayers), form);
  const network = await GraphNetwork.open({ model, weights, manifest: NEMOTRON, open: openOnWasm });
  const steps: Float32Array[] = [];
  for (let step = 0; step < NUM_STEPS; step++) {
    const features = uniform(7000 + step, NUM_FRAMES * 8 * NEMOTRON.fbank.numMelBins).map((value) => value * 8 - 8);
    const embeddings = await network.embed(features);
    steps.push((await network.logits({ embeddings, numFrames: NUM_FRAMES, numValidFrames: NUM_FRAMES, firstScoredFrame: 0 })).slice());
  }
  await network.release();
  return steps;
}

/**
 * Root mean square of the relative errors of uniformly distributed weights up to s, whose own root mean square is s / √3.
 *
 * - float16: 11 bits, so the error is uniform up to between 2^-12 and 2^-11 of each weight
 * - int8: two parts of 8 bits, so the error is uniform up to s / 254 / 254
 */
const RELATIVE_ERROR: Readonly<Record<Exclude<WeightsForm, 'float32'>, number>> = { float16: 2 ** -11 / 3 ** 0.5, int8: 1 / 254 / 254 };

describe.each([4, ...(process.env.VOXLANE_NEMOTRON === 'all' ? [NEMOTRON.numLayers] : [])])('weights of %d layers, rounded', (numLayers) => {
  let expected: Float32Array[];
  beforeAll(async () => {
    expected = await logitsIn(numLayers, 'float32');
  }, 600_000);

  it.each(['float16', 'int8'] as const)('to %s change logits and decisions by no more than their rounding explains', async (form) => {
    const found = await logitsIn(numLayers, form);
    let [numDifferent, numLogits, errors, sum, squares] = [0, 0, 0, 0, 0];
    expected.forEach((logits, step) => {
      logits.forEach((logit, i) => {
        const other = found[step]![i]!;
        numLogits++;
        sum += logit;
        squares += logit ** 2;
        errors += (logit - other) ** 2;
        if (logit > 0 !== other > 0) numDifferent++;
      });
    });
    const spread = Math.sqrt(squares / numLogits - (sum / numLogits) ** 2);
    const relative = Math.sqrt(errors / numLogits) / spread;
    const per10000 = (10_000 * numDifferent) / numLogits;
    console.log(`${numLayers} layers, ${form}: ${per10000.toFixed(1)} of 10,000 decisions differ, error ${(100 * relative).toFixed(3)} % of the spread of the logits`);
    // Rounding errors of the products are independent, and the residual sums only weaken them.
    const bound = Math.sqrt(numProducts(numLayers, form)) * RELATIVE_ERROR[form];
    expect(relative).toBeGreaterThan(0);
    expect(relative).toBeLessThan(bound);
    // Normally distributed logits with independent, small errors have other signs in this share.
    expect(per10000).toBeLessThan((10_000 * bound) / Math.PI);
  }, 600_000);
});

it('the self-check of float32 weights fails for the precision of bfloat16', async () => {
  const { passed, stages } = await checkNetwork(nemotronGraph(), NEMOTRON, {
    form: 'float32',
    backend: 'wasm',
    open: (model, weights) => {
      for (const { buffer } of weights.values()) {
        const halves = new Uint16Array(buffer);
        for (let low = 0; low < halves.length; low += 2) halves[low] = 0;
      }
      return GraphNetwork.open({ model, weights, manifest: NEMOTRON, open: openOnWasm });
    },
  });
  expect([passed, ...stages.map((stage) => stage.passed)]).toEqual([false, false, false]);
}, 600_000);
