/** Faults planted by others: whole bundles, whose correct counterpart represents a correct backend. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NO_SHARED, SHARED } from '../../../test/shared';
import { readBundle, tensorNamed, type GoldenBundle } from '../files/bundle';
import { findCauses } from './findCauses';
import { contextOf, expectCauses } from '../../../test/compare/planted';
import { describeUnless } from '../../../test/skips';

const openBundle = (name: string): GoldenBundle => readBundle(readFileSync(join(SHARED, 'goldens', name)));


describeUnless(NO_SHARED)('bundles made by others', () => {
  it.each([
    [
      'seg_dev00.bad_sincnet_transposed.zip',
      'sincnet',
      'permuted-axes',
      'the golden output is (batch, frame, channel): (1, 589, 60) against the computed (1, 60, 589)',
    ],
    ['seg_dev00.bad_lstm_scaled.zip', 'lstm', 'scaled', 'the golden output is 1.0500 × the computed output'],
  ] as const)('%s', async (file, faulty, id, evidence) => {
    const sound = openBundle('seg_dev00.zip');
    for (const golden of openBundle(file).stages) {
      const context = contextOf(tensorNamed(sound.stages, golden.name), {}, { golden });
      if (golden.name !== faulty) expect(await findCauses(context)).toEqual([]);
      else expect((await expectCauses(context, id)).evidence).toContain(evidence);
    }
  });
});
