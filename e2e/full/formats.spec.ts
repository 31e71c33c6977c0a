/**
 * Without WebCodecs, the page decodes AAC, and also the rest of a recording if WebCodecs fails in the middle. e2e/browsers/formats.ts compares every format with the WAV file in each
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

/** Fails after the packets of the probe and about 6 s of the segment. */
const FAILING = `
const RealDecoder = AudioDecoder;
let numPackets = 0;
globalThis.AudioDecoder = class extends RealDecoder {
  constructor(init) {
    super(init);
    this.fail = init.error;
  }
  decode(packet) {
    if (++numPackets <= 300) return super.decode(packet);
    this.close();
    this.fail(new DOMException('planted', 'EncodingError'));
  }
};`;

test('without WebCodecs, the page decodes AAC with the same two speakers', async ({ engine, browser, baseURL }) => {
  const reference = (await engine.run('public/sample.wav', SEGMENT)).json;
  const page = await openWith(await browser.newPage({ baseURL: baseURL! }), 'delete globalThis.AudioDecoder;');
  const { json } = await new EngineDriver(page).run('e2e/fixtures/sample.m4a', SEGMENT);
  expect(json.speakers).toHaveLength(2);
  expect(diarizationErrorRate(reference.turns, json.turns).der).toBeLessThanOrEqual(0.02);
  await page.close();
});

test('if WebCodecs fails in the middle, the page decodes the rest, and the result has a note', async ({ engine, browser, baseURL }) => {
  const reference = (await engine.run('public/sample.wav', SEGMENT)).json;
  const page = await openWith(await browser.newPage({ baseURL: baseURL! }), FAILING);
  const { json } = await new EngineDriver(page).run('e2e/fixtures/sample.m4a', SEGMENT);
  expect(json.notes?.map(({ code }) => code)).toEqual(['browser-decoder']);
  expect(json.speakers).toHaveLength(2);
  expect(diarizationErrorRate(reference.turns, json.turns).der).toBeLessThanOrEqual(0.02);
  await page.close();
});
