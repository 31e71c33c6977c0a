/** Runs axe on every view, in light and dark themes, at narrow and wide widths. */
import { accessibilityTests, expectNoViolation } from '../../test/browser/accessibilityTests';
import { drop, SAMPLE_TURNS } from '../../test/browser/editor';
import { expect, test } from '../../test/browser/test';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

accessibilityTests('light', 1440);
accessibilityTests('dark', 360);

test('a run in progress', async ({ page }) => {
  await page.goto('index.html');
  await page.getByTestId('try-sample').click();
  await expect(page.getByRole('progressbar').first()).toBeVisible();
  await expectNoViolation(page, 'running');
  await page.getByTestId('cancel').click();
});

test('the list of saved results, and the comparison panel', async ({ page }) => {
  await page.goto('index.html');
  await drop(page, SAMPLE_TURNS);
  await expect(page.getByTestId('state')).toHaveAttribute('data-kept', 'true');
  await page.getByTestId('new-recording').click();
  await expect(page.getByTestId('open-kept')).toBeVisible();
  await expectNoViolation(page, 'kept results');
  await page.goto('compare.html');
  await expectNoViolation(page, 'comparison');
});
