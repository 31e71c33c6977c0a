/** The comparison panel with the golden steps of a model with a state: seeded weights, 4 layers. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectNoSideways, expectNoViolation } from '../../test/browser/accessibilityTests';
import { run } from '../../test/browser/comparePanel';
import { expect, test } from '../../test/browser/test';

const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
test.afterAll(() => { rmSync(folder, { recursive: true }); });

test('steps through the chunks with the keyboard, and shows both errors of each stage', async ({ page }) => {
  test.setTimeout(900_000);
  const weights = join(folder, 'model.safetensors');
  execFileSync(process.execPath, ['--import', 'tsx', 'test/nemotron/writeSeeded.ts', weights, '4']);
  await page.goto('compare.html');
  await page.getByTestId('file-input').setInputFiles(['src/compare/fixtures/nemotron_steps.zip', weights]);
  await expect(page.getByTestId('model-name')).toContainText('nemotron-3-diarization', { timeout: 60_000 });
  await expect(page.getByTestId('step-0')).toHaveAttribute('aria-pressed', 'true');
  await run(page, 'wasm');
  await expect(page.getByTestId('steps-summary')).toContainText('all steps pass');
  await expect(page.getByTestId('step-table').getByRole('row')).toHaveCount(4);

  await expectNoViolation(page, 'steps');
  await expectNoSideways(page, 'steps');

  // The focus stays on the button while the step is selected and compared.
  await page.getByTestId('step-next').focus();
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('step-3')).toHaveAttribute('aria-pressed', 'true');
  await expect(page.locator('[data-state]')).toHaveAttribute('data-state', 'done', { timeout: 120_000 });
  await expect(page.getByTestId('verdict')).toContainText(/4 stages pass/i);
  await expect(page.getByTestId('step-next')).toBeFocused();
  await expect(page.getByTestId('step-stages').getByRole('rowheader')).toHaveText(['features', 'stacking', 'layer1', 'head', 'logits']);

  await page.getByTestId('step-8').focus();
  await page.keyboard.press('Space');
  await expect(page.getByTestId('step-8')).toHaveAttribute('aria-pressed', 'true');
  await expect(page.locator('[data-state]')).toHaveAttribute('data-state', 'done', { timeout: 120_000 });
  await expect(page.getByTestId('verdict')).toContainText(/4 stages pass/i);
  await expect(page.getByTestId('step-next')).toHaveAttribute('aria-disabled', 'true');
  await expect(page.getByTestId('step-8')).toBeFocused();

  // Other weights: the steps are compared again, and causes of each failing stage are tried.
  await page.getByTestId('form-float16').click();
  await expect(page.getByTestId('steps-summary')).toContainText('first in step 0: stacking, error of the step', { timeout: 600_000 });
  await expect(page.getByTestId('steps-summary')).toContainText(/(stacking|layer1|head) causes \d+ of \d+ differing decisions/);
  await expect(page.locator('[data-state]')).toHaveAttribute('data-state', 'done', { timeout: 600_000 });
  // Two parts of int8 have 16 bits.
  await page.getByTestId('form-int8').click();
  await expect(page.getByTestId('steps-summary')).toContainText('all steps pass', { timeout: 600_000 });
  await expect(page.locator('[data-state]')).toHaveAttribute('data-state', 'done', { timeout: 600_000 });
});
