/**
 * Without WebCodecs, the page decodes AAC. e2e/browsers/formats.ts compares every format with the WAV file in each
 * browser.
 */
import type { Page } from '@playwright/test';
import { diarizationErrorRate } from '../../src/score/der';
import { createDiarizer, EngineDriver, expect, openEngine, test } from '../../test/browser/engine';

/** Both speakers in three windows. */
const SEGMENT = { startSeconds: 7, durationSeconds: 12 };

/** Opens the engine with a decoding worker that runs `script` first. Workers inherit nothing from the page. */
async function openWith(page: Page, script: string): Promise<Page> {
  await page.route('**/decode.worker-*.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${script}\n${await response.text()}` });
  });
  await openEngine(page);
  await createDiarizer(page, { backend: 'wasm' });
  return page;
}

test('without WebCodecs, the page decodes AAC with the same two speakers', async ({ engine, browser, baseURL }) => {
  const reference = (await engine.run('public/sample.wav', SEGMENT)).json;
  const page = await openWith(await browser.newPage({ baseURL: baseURL! }), 'delete globalThis.AudioDecoder;');
  const { json } = await new EngineDriver(page).run('e2e/fixtures/sample.m4a', SEGMENT);
  expect(json.speakers).toHaveLength(2);
  expect(diarizationErrorRate(reference.turns, json.turns).der).toBeLessThanOrEqual(0.02);
  await page.close();
});
