/** Compressed recordings of the sample give what the WAV gives. */
import { diarizationErrorRate } from '../../src/score/der';
import { expect, test, type DiarizationJson } from '../../test/browser/engine';

let reference: DiarizationJson | undefined;

for (const extension of ['mp3', 'm4a', 'webm', 'ogg', 'flac', 'mp4']) {
  test(`${extension}: the same two speakers, DER at most 2 % against the WAV`, async ({ engine }) => {
    reference ??= (await engine.run('public/sample.wav')).json;
    const { json } = await engine.run(`e2e/fixtures/sample.${extension}`);
    expect(json.speakers).toHaveLength(2);
    const { der } = diarizationErrorRate(reference.turns, json.turns);
    console.log(`${extension}: DER ${(100 * der).toFixed(2)} % against the WAV's result`);
    expect(der).toBeLessThanOrEqual(0.02);
  });
}

test('without WebCodecs the page decodes: an MP3 gives the same two speakers', async ({ engine, browser, baseURL }) => {
  reference ??= (await engine.run('public/sample.wav')).json;
  const page = await browser.newPage({ baseURL: baseURL! });
  // Workers inherit nothing from the page, so the worker's script itself is told.
  await page.route('**/decode.worker-*.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `delete globalThis.AudioDecoder;\n${await response.text()}` });
  });
  const { openEngine, createDiarizer, EngineDriver } = await import('../../test/browser/engine');
  await openEngine(page);
  await createDiarizer(page, { backend: 'wasm' });
  const { json } = await new EngineDriver(page).run('e2e/fixtures/sample.mp3');
  expect(json.speakers).toHaveLength(2);
  expect(diarizationErrorRate(reference.turns, json.turns).der).toBeLessThanOrEqual(0.02);
  await page.close();
});
