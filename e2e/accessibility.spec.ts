/** axe on every view, light and dark, narrow and wide. */
import AxeBuilder from '@axe-core/playwright';
import { drop, openSampleTurns, SAMPLE_TURNS } from '../test/browser/studio';
import { expect, test, type Page } from '../test/browser/test';
import { WITHOUT_GPU } from '../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

async function expectNoViolation(page: Page, view: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
  expect(found, view).toEqual([]);
}

/** What a page wider than the screen would make people scroll sideways. */
async function expectNoSideways(page: Page, view: string): Promise<void> {
  const { wide, screen } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, screen: innerWidth }));
  expect(wide, `${view}: width of the page`).toBeLessThanOrEqual(screen);
}

// Colours hang on the theme and layout on the width: each of both once.
for (const { colorScheme, width } of [
  { colorScheme: 'light', width: 1440 },
  { colorScheme: 'dark', width: 360 },
] as const) {
  test.describe(`${colorScheme}, ${width} px`, () => {
    test.use({ colorScheme, viewport: { width, height: 900 }, reducedMotion: 'reduce' });

    test('nothing open, options, an error', async ({ page }) => {
      await page.goto('index.html');
      await expect(page.getByTestId('drop-zone')).toBeVisible();
      await page.locator('.options__summary').click();
      await expectNoViolation(page, 'empty');
      await expectNoSideways(page, 'empty');
      await drop(page, { name: 'notes.txt', text: 'no recording '.repeat(20) });
      await expect(page.getByTestId('error')).toBeVisible({ timeout: 60_000 });
      await expectNoViolation(page, 'error');
      await expectNoSideways(page, 'error');
    });

    test('a result: each tab, menu and dialog', async ({ page }) => {
      await openSampleTurns(page);
      await page.getByTestId('turn-row').first().focus();
      await page.keyboard.press('ArrowDown');
      for (const tab of ['turns', 'review', 'count', 'transcript', 'score']) {
        await page.getByTestId(`tab-${tab}`).click();
        if (tab === 'score') await page.getByTestId('reference-input').setInputFiles('public/sample.rttm');
        if (tab === 'transcript') await drop(page, { name: 'talk.srt', text: '1\n00:00:07,000 --> 00:00:09,000\nHello\n' });
        await expectNoViolation(page, tab);
        await expectNoSideways(page, tab);
      }
      await page.getByTestId('export').click();
      await expectNoViolation(page, 'export menu');
      await page.keyboard.press('Escape');
      await page.getByTestId('show-keys').click();
      await expectNoViolation(page, 'keys');
    });
  });
}

test('a run in progress', async ({ page }) => {
  await page.goto('index.html');
  await page.getByTestId('try-sample').click();
  await expect(page.getByRole('progressbar').first()).toBeVisible();
  await expectNoViolation(page, 'running');
  await page.getByTestId('cancel').click();
});

test('the list of kept results, and the comparison panel', async ({ page }) => {
  await page.goto('index.html');
  await drop(page, SAMPLE_TURNS);
  await expect(page.getByTestId('state')).toHaveAttribute('data-kept', 'true');
  await page.getByTestId('new-recording').click();
  await expect(page.getByTestId('open-kept')).toBeVisible();
  await expectNoViolation(page, 'kept results');
  await page.goto('compare.html');
  await expectNoViolation(page, 'comparison');
});
