/** Runs axe on every view of the page for one theme and one width. */
import AxeBuilder from '@axe-core/playwright';
import { drop, openSampleTurns } from './editor';
import { expect, test, type Page } from './test';

export async function expectNoViolation(page: Page, view: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
  expect(found, view).toEqual([]);
}

/** Expects that the page does not scroll horizontally. */
export async function expectNoSideways(page: Page, view: string): Promise<void> {
  const { wide, screen } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, screen: innerWidth }));
  expect(wide, `${view}: width of the page`).toBeLessThanOrEqual(screen);
}

/** Registers the tests. Colors depend only on the theme and layout only on the width, so not all pairs are needed. */
export function accessibilityTests(colorScheme: 'light' | 'dark', width: number): void {
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
