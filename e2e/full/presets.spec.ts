/** Presets in the page: a model file of unknown hash is trusted, used, listed and deleted. */
import { sampleWav } from '../../test/audio/sampleWav';
import { expect, test } from '../../test/browser/test';
import { seededResnet34 } from '../../test/seededModel';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

const MINUTES = 60_000;

test('a custom model file: confirmed, used, stored, deleted', async ({ page }) => {
  test.setTimeout(6 * MINUTES);
  await page.goto('index.html');
  const state = page.getByTestId('state');
  const options = page.locator('.options__summary');
  const offer = page.getByTestId('offer-community-1');
  await options.click();
  await page.getByTestId('preset-community-1').check();
  await expect(offer).toBeVisible();
  // The page offers only the download of the selected preset.
  await page.getByTestId('preset-campplus').check();
  await expect(offer).toBeHidden();
  await options.click();
  await page.getByTestId('model-file-input').setInputFiles({
    name: 'mine.onnx',
    mimeType: 'application/octet-stream',
    buffer: Buffer.from(seededResnet34('wespeaker')),
  });
  await expect(page.getByTestId('trust-model')).toBeVisible({ timeout: MINUTES });
  await page.getByTestId('trust-model').click();
  await expect(page.getByTestId('stored-model-wespeaker-resnet34-lm')).toHaveCount(1, { timeout: MINUTES });
  await options.click();
  await expect(page.getByTestId('stored-model-wespeaker-resnet34-lm')).toBeVisible({ timeout: MINUTES });
  await expect(page.getByTestId('stored-model-wespeaker-resnet34-lm')).toContainText('mine.onnx');

  // One window, because the ResNet is slow.
  await page.getByTestId('file-input').setInputFiles({ name: 'start.wav', mimeType: 'audio/wav', buffer: sampleWav(9, 3) });
  await expect(state).toHaveAttribute('data-state', 'done', { timeout: 3 * MINUTES });
  await expect(page.getByTestId('preset-line')).toContainText('community-1');

  // The next visit uses the model without asking. Close the result, because an open one would be restored.
  await page.getByTestId('new-recording').click();
  await page.reload();
  await expect(page.getByTestId('stored-model-wespeaker-resnet34-lm')).toHaveCount(1, { timeout: MINUTES });
  await options.click();
  await expect(page.getByTestId('stored-model-wespeaker-resnet34-lm')).toBeVisible({ timeout: MINUTES });
  await expect(offer).toBeHidden();
  await page.getByTestId('delete-model-wespeaker-resnet34-lm').click();
  await page.getByTestId('confirm-delete').click();
  await expect(page.getByTestId('stored-model-wespeaker-resnet34-lm')).toHaveCount(0);
  // Deletion selects `auto`, which offers nothing.
  await expect(page.getByTestId('preset-auto')).toBeChecked();
  await expect(offer).toBeHidden();
});
