/** More faults in the bundled models, similar to src/compare/planted.test.ts. */
import { describe, expect, it } from 'vitest';
import { compareInNode } from '../compare/nodeRun';
import { blamed, fbankGolden, lstmChanged, swapDirections } from '../compare/plantedModels';

it('swapped LSTM directions', async () => {
  const { stages, firstDivergence } = await compareInNode(lstmChanged(swapDirections));
  expect(firstDivergence).toBe('lstm');
  expect(blamed(stages)).toEqual(['lstm: lstm-direction']);
}, 120_000);

describe('faults in the filterbank of campplus-zh-en', () => {
  it.each([
    ['no mean subtraction', { subtractMean: false }, 'missing-mean'],
    ['16-bit samples without mean subtraction', { sampleScale: 32768, subtractMean: false }, 'sample-scale'],
  ] as const)('%s', async (_name, change, cause) => {
    const { stages, firstDivergence } = await compareInNode(fbankGolden(change));
    expect(firstDivergence).toBe('fbank');
    expect(blamed(stages)[0]).toBe(`fbank: ${cause}`);
    // The network computes correct results from the faulty features.
    expect(stages.slice(1).map(({ verdict }) => verdict)).toEqual(stages.slice(1).map(() => 'pass'));
  }, 120_000);
});
