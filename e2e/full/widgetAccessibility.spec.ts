/** Runs axe on every state of `<voxlane-diarizer>`, in light and dark themes, at narrow and wide widths. */
import { expectNoSideways, expectNoViolation } from '../../test/browser/accessibilityTests';
import { expect, test, type Page } from '../../test/browser/test';
import { openWidget } from '../../test/browser/widget';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

async function expectAccessible(page: Page, state: string): Promise<void> {
  await expectNoViolation(page, state);
  await expectNoSideways(page, state);
}

for (const { colorScheme, width } of [
  { colorScheme: 'light', width: 900 },
  { colorScheme: 'dark', width: 320 },
] as const) {
  test.describe(`${colorScheme}, ${width} px`, () => {
    test.use({ colorScheme, viewport: { width, height: 900 }, reducedMotion: 'reduce' });

    test('axe finds no violations in any state', async ({ page }) => {
      await openWidget(page, { theme: colorScheme });
      await expectAccessible(page, 'empty');
      await page.evaluate(() => {
        document.querySelector('voxlane-diarizer')!.src = 'sample.wav';
      });
      await expect(page.getByRole('progressbar')).toHaveAttribute('aria-valuenow', /^[1-9]/, { timeout: 30_000 });
      await expectAccessible(page, 'running');
      await page.evaluate(() => {
        document.querySelector('voxlane-diarizer')!.source = clip(7, 6, 'talk.wav');
      });
      await expect(page.locator('[part=tracks]')).toBeVisible({ timeout: 60_000 });
      await page.getByTestId('export').click();
      await expectAccessible(page, 'done, with its menu');
      await page.keyboard.press('Escape');
      await page.evaluate(() => {
        const widget = document.querySelector('voxlane-diarizer')!;
        widget.setAttribute('preset', 'best');
        widget.source = new File(['no recording '.repeat(20)], 'notes.txt');
      });
      await expect(page.locator('[part=notice]')).toBeVisible();
      await expectAccessible(page, 'notice');
      await page.evaluate(() => {
        document.querySelector('voxlane-diarizer')!.removeAttribute('preset');
      });
      await expect(page.locator('[part=error]')).toBeVisible({ timeout: 30_000 });
      await expectAccessible(page, 'error');
    });
  });
}
