/** The page in the language of the browser, and in another language on request. */
import { expect, test, type Page } from '../test/browser/test';

test.use({ locale: 'de-DE' });

const html = (page: Page) => page.locator('html');

/** Checks the page header in the narrowest supported window. */
async function expectRoomAt360(page: Page): Promise<void> {
  await page.setViewportSize({ width: 360, height: 740 });
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(sideways, 'px of horizontal scrolling').toBeLessThanOrEqual(0);
  for (const name of ['de', 'en']) {
    const box = (await page.getByTestId(`language-${name}`).boundingBox())!;
    expect(Math.min(box.width, box.height), 'px of the smaller side of a button').toBeGreaterThanOrEqual(24);
  }
}

test('German in a German browser; the switch changes to English and back, and the choice is stored', async ({ page }) => {
  await page.goto('index.html');
  await expect(html(page)).toHaveAttribute('lang', 'de');
  await expect(page).toHaveTitle('Voxlane: wer wann spricht, direkt im Browser');
  await expect(page.getByRole('heading', { level: 2 })).toHaveText('Aufnahme öffnen und sehen, wer wann spricht');
  await expectRoomAt360(page);
  const languages = page.getByRole('group', { name: 'Sprache' });
  await expect(languages.getByRole('button', { pressed: true })).toHaveText('Deutsch');

  await languages.getByRole('button', { name: 'English' }).press('Enter');
  await expect(html(page)).toHaveAttribute('lang', 'en');
  await expect(page).toHaveTitle('Voxlane: who spoke when, in your browser');
  await expect(page.getByRole('heading', { level: 2 })).toHaveText('Open a recording and see who spoke when');
  await page.reload();
  await expect(html(page)).toHaveAttribute('lang', 'en');

  await page.getByRole('group', { name: 'Language' }).getByRole('button', { name: 'Deutsch' }).click();
  await expect(html(page)).toHaveAttribute('lang', 'de');
  await expect(page.getByTestId('try-sample')).toHaveText('Beispiel ausprobieren');
});

test('the comparison is also German: failures in both languages, and no language switch while a file is open', async ({ page }) => {
  await page.goto('compare.html');
  await expect(html(page)).toHaveAttribute('lang', 'de');
  await expect(page).toHaveTitle('Voxlane: die falsche Schicht finden');
  await expectRoomAt360(page);

  // The main page shows failures with the same code but requires its models first.
  await page.getByTestId('file-input').setInputFiles({ name: 'notizen.zip', mimeType: 'application/zip', buffer: Buffer.from('nur Text') });
  const failure = page.getByTestId('failure');
  await expect(failure).toHaveAttribute('data-code', 'format');
  await expect(failure).toContainText('Die Datei lässt sich nicht lesen');
  await expect(failure).toContainText('Was Sie tun können');
  await expect(failure.locator('[lang=en]').first()).toContainText('notizen.zip');

  const english = page.getByTestId('language-en');
  await expect(english).toBeEnabled();
  await page.getByTestId('shipped-segmentation-3.0').click();
  await expect(english).toBeDisabled();
  await page.keyboard.press('Escape');
  await expect(page.getByText('Abgebrochen.')).toBeVisible();
  await expect(english).toBeEnabled();
});
