/**
 * Nemotron 3 Diarization from samples to logits, with seeded weights, on WASM: ten minutes offline, 75 s in each streaming mode,
 * and the full size.
 */
import { expect, it } from 'vitest';
import { comparePipeline, PIPELINE_CASES } from '../sortformerPipelineSuite';
import { openSeeded } from '../sortformerSuite';

/** The mode with the shortest chunks runs the network 313 times on up to 532 frames. */
const TIMEOUT_MS = 1_200_000;

it('there are cases for all modes, and one in full size', () => {
  expect(new Set(PIPELINE_CASES.map(({ mode }) => mode)).size).toBe(4);
  expect(PIPELINE_CASES.some(({ numLayers }) => numLayers === 31)).toBe(true);
});

it.each(PIPELINE_CASES.map((one) => [one.mode, one.numLayers, one.numSamples, one] as const))(
  'matches the reference: %s, %i layers, %i samples',
  { timeout: TIMEOUT_MS },
  async (_mode, numLayers, _numSamples, one) => {
    const network = await openSeeded(numLayers);
    const { differingDecisions, numDecisions, maxLogitDifference } = await comparePipeline(one, network);
    console.log(`${one.mode}, ${numLayers} layers: ${differingDecisions} of ${numDecisions} decisions differ; logits by ${maxLogitDifference.toExponential(1)}`);
    await network.release();
  },
);
