/**
 * Nemotron 3 Diarization from samples to logits, with seeded weights, on WASM: half a minute offline, also in full size. With
 * VOXLANE_NEMOTRON=all, also ten minutes offline and 75 s in each streaming mode, which takes minutes. Otherwise, goldens.test.ts
 * tests the streaming modes with a small network.
 */
import { expect, it } from 'vitest';
import { comparePipeline, PIPELINE_CASES } from '../sortformerPipelineGoldens';
import { openSeeded } from '../sortformerNetworkTests';

/** About 17 s of processor time. */
const SHORT_SAMPLES = 480_000;
const isWhole = process.env.VOXLANE_NEMOTRON === 'all';
const CASES = PIPELINE_CASES.filter(({ mode, numSamples }) => isWhole || (mode === 'offline' && numSamples <= SHORT_SAMPLES));

/** The mode with the shortest chunks runs the network 313 times on up to 532 frames. */
const TIMEOUT_MS = 1_200_000;

it('there are cases for all modes, and one in full size', () => {
  expect(new Set(PIPELINE_CASES.map(({ mode }) => mode)).size).toBe(4);
  expect(CASES.some(({ numLayers }) => numLayers === 31)).toBe(true);
});

it.each(CASES.map((one) => [one.mode, one.numLayers, one.numSamples, one] as const))(
  'matches the reference: %s, %i layers, %i samples',
  { timeout: TIMEOUT_MS },
  async (_mode, numLayers, _numSamples, one) => {
    const network = await openSeeded(numLayers);
    const { differingDecisions, numDecisions, maxLogitDifference } = await comparePipeline(one, network);
    console.log(`${one.mode}, ${numLayers} layers: ${differingDecisions} of ${numDecisions} decisions differ; logits by ${maxLogitDifference.toExponential(1)}`);
    await network.release();
  },
);
