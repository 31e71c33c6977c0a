/** The page, used like a user with a recording. */
import { writeFileSync } from 'node:fs';
import { expect, test, type Page } from '../../test/browser/test';
import { sampleTwice } from '../../test/audio/sampleWav';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

const state = (page: Page) => page.getByTestId('state');

test('fast, selected by keyboard, is shown; the first turns appear before the result', async ({ page }, testInfo) => {
  // Load from disk, because bytes sent by the driver take time on the main thread.
  const recording = testInfo.outputPath('twice.wav');
  writeFileSync(recording, sampleTwice());
  await page.goto('index.html');
  await page.locator('.options__summary').focus();
  await page.keyboard.press('Enter');
  await page.getByTestId('speed-exact').focus();
  await page.keyboard.press('ArrowDown');
  await expect(page.getByTestId('speed-fast')).toBeChecked();
  await expect(page.locator('.options__now')).toContainText('speed: fast');

  await page.evaluate(() => {
    const seen: { tracks: number; isWorking: boolean }[] = [];
    Object.assign(globalThis, { seen });
    // Observe inside the page, because changes can be missed between two polls.
    new MutationObserver(() => {
      const preview = document.querySelector('[data-testid="preview"]:not([hidden])');
      if (!preview) return;
      const { state } = document.querySelector<HTMLElement>('[data-testid="state"]')!.dataset;
      seen.push({ tracks: preview.querySelectorAll('.track-label').length, isWorking: state === 'running' });
    }).observe(document.body, { subtree: true, childList: true, attributes: true });
  });
  await page.getByTestId('file-input').setInputFiles(recording);
  await expect(state(page)).toHaveAttribute('data-state', 'done', { timeout: 60_000 });
  await expect(page.getByTestId('speed-line')).toHaveText('fast');
  const seen = await page.evaluate(() => (globalThis as unknown as { seen: { tracks: number; isWorking: boolean }[] }).seen);
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.every(({ tracks, isWorking }) => tracks === 2 && isWorking)).toBe(true);

  // Wait until the result is saved, because only saved results open again.
  await expect(state(page)).toHaveAttribute('data-kept', 'true');
  await page.reload();
  await page.getByTestId('new-recording').click();
  await expect(page.getByTestId('speed-fast')).toBeChecked();
});

test('options opened right before an update of the page stay open', async ({ page }) => {
  await page.goto('index.html');
  const options = page.locator('details.options');
  await expect(options).toBeVisible();
  await page.evaluate(() => {
    // Updates follow at once, before the event of the details element.
    globalThis.requestAnimationFrame = (callback) => {
      callback(0);
      return 0;
    };
    document.querySelector<HTMLElement>('.options__summary')!.click();
    document.querySelector<HTMLElement>('input[name="backend"][value="wasm"]')!.click();
  });
  await expect(page.locator('.options__now')).toContainText('WASM');
  await expect(options).toHaveJSProperty('open', true);
});
