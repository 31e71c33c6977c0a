/** Random errors have no cause. Runs every detector on every stage, which takes too long for `src/compare/causes/clean.test.ts`. */
import { describe, it } from 'vitest';
import { contextOf, expectCauses, STAGES, waveformOf, withNoise } from '../compare/planted';
import { FACTS, SAMPLE_RATE } from '../compare/fbankOptions';

const RECORDING = { samples: waveformOf('campplus-zh-en'), facts: FACTS, sampleRate: SAMPLE_RATE };
const greatest = (data: Float32Array): number => data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe.each([1])('error %i', (seed) => {
  it('has no cause where it is random', async () => {
    for (const stage of STAGES) {
      // As large as the values, and slightly above the tolerance.
      for (const size of [greatest(stage.data), 3 * stage.tolerance.maxAbs]) {
        const fbank = stage.name === 'fbank' ? RECORDING : null;
        await expectCauses(contextOf(stage, { data: withNoise(stage.data, size, seed) }, { fbank }));
      }
    }
  });
});
