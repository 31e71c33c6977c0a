/** The error rate of `fast` on the sample. evaluateCommand.spec.ts has the same limit for `exact`. */
import { readFileSync } from 'node:fs';
import { parseRttm } from '../../src/formats/rttm';
import { diarizationErrorRate } from '../../src/score/der';
import { createDiarizer, EngineDriver, expect, openEngine, test } from '../../test/browser/engine';

/** 5.20 % was measured. 0.3 percentage points more are four frames of the sample's 24 s of speech. */
const MAX_ERROR = 0.055;

test(`the sample, fast: an error rate of at most ${MAX_ERROR}`, async ({ page }) => {
  await openEngine(page);
  await createDiarizer(page, { backend: 'wasm', speed: 'fast' });
  const { json } = await new EngineDriver(page).run('public/sample.wav');
  expect(json).toMatchObject({ speed: 'fast' });
  const [annotated = []] = parseRttm(readFileSync('public/sample.rttm', 'utf8')).values();
  const { der } = diarizationErrorRate(annotated, json.turns);
  console.log(`fast: DER ${(100 * der).toFixed(2)} %`);
  expect(der).toBeLessThanOrEqual(MAX_ERROR);
});
