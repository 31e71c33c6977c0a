/** Editing a result in the page like a user. */
import { sampleWav } from '../../test/audio/sampleWav';
import { expect, test, type Page } from '../../test/browser/test';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

const names = (page: Page) => page.getByTestId('speaker-name');

test('the whole workflow by keyboard: open, review, rename, merge, export', async ({ page }) => {
  await page.goto('index.html');
  /** Presses Tab until the control is focused; fails if it cannot be reached. */
  const tabTo = async (selector: string): Promise<void> => {
    for (let press = 0; press < 80; press++) {
      if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`${selector} is not reached by Tab`);
  };
  const byTestId = (id: string): string => `[data-testid="${id}"]`;
  await tabTo(byTestId('file-input'));
  // The browser does not open a file chooser while the page is busy. A user would press again.
  await expect(async () => {
    const [chooser] = await Promise.all([page.waitForEvent('filechooser', { timeout: 3000 }), page.keyboard.press('Enter')]);
    await chooser.setFiles({ name: 'sample.wav', mimeType: 'audio/wav', buffer: sampleWav(7, 8) });
  }).toPass({ timeout: 30_000 });
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done', { timeout: 90_000 });

  await tabTo(byTestId('tab-turns'));
  await page.keyboard.press('ArrowRight');
  await expect(page.getByTestId('tab-review')).toBeFocused();
  await tabTo(byTestId('review-confirm'));
  await page.keyboard.press('Enter');
  await tabTo(byTestId('speaker-name'));
  await page.keyboard.press('Control+a');
  await page.keyboard.type('Ada');
  await page.keyboard.press('Enter');
  await expect(names(page).first()).toHaveValue('Ada');
  await tabTo(byTestId('merge-speaker'));
  // Open, navigate and close the list of a select with keys.
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(names(page)).toHaveCount(1);
  await page.keyboard.press('Escape');
  await page.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
  });
  await page.keyboard.press('e');
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  expect(download.suggestedFilename()).toBe('sample.rttm');
});
