/**
 * Takes the screenshots for the README and the documentation from the built app: `npm run pictures`.
 *
 * - `docs/pictures/result.png`: the result page with the sample.
 * - `docs/pictures/compare.png`: the comparison page with a port whose LSTM gates are swapped.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { chromiumArguments, findChromium } from '../cli/chromium';
import { openSite } from '../cli/site';
import { withSwappedGates } from '../test/onnx/swappedGates';

const ROOT = join(import.meta.dirname, '..');
const OUTPUT = join(ROOT, 'docs/pictures');
const VIEWPORT = { width: 1280, height: 860 };
const MINUTE = 60_000;

const state = (page: Page, name: string): Promise<unknown> =>
  page.waitForSelector(`[data-testid=state][data-state=${name}]`, { state: 'attached', timeout: 2 * MINUTE });

async function takeResult(page: Page): Promise<void> {
  await page.getByTestId('try-sample').click();
  await state(page, 'done');
  await page.getByTestId('turn-row').nth(4).click();
  await page.evaluate(() => { scrollTo(0, 0); });
  await page.screenshot({ path: join(OUTPUT, 'result.png') });
}

async function takeComparison(page: Page): Promise<void> {
  const file = (name: string, bytes: Uint8Array) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) });
  await state(page, 'empty');
  await page.getByTestId('file-input').setInputFiles([
    file('ported.onnx', withSwappedGates()),
    file('goldens.zip', readFileSync(join(ROOT, 'public/goldens/segmentation-3.0.zip'))),
  ]);
  await state(page, 'opened');
  await page.getByTestId('backend-wasm').click();
  await page.getByTestId('run').click();
  await state(page, 'done');
  await page.getByTestId('first-divergence').getByRole('button').click();
  await page.waitForSelector('[data-testid=heatmap]');
  await page.getByTestId('verdict').evaluate((verdict) => { verdict.closest('section')?.scrollIntoView(); });
  await page.screenshot({ path: join(OUTPUT, 'compare.png') });
}

const site = await openSite((line) => { console.error(line); });
const browser = await chromium.launch({ executablePath: findChromium(), args: chromiumArguments('none') });
try {
  const context = await browser.newContext({ viewport: VIEWPORT, colorScheme: 'light', reducedMotion: 'reduce', locale: 'en-US' });
  for (const [name, take] of [['index.html', takeResult], ['compare.html', takeComparison]] as const) {
    const page = await context.newPage();
    await page.goto(new URL(name, site.address).href);
    await take(page);
    await page.close();
  }
} finally {
  await browser.close();
  await site.close();
}
