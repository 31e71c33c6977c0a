/** The page's presets, as a person chooses them: a model file that nobody knows, trusted, used, listed and deleted. */
import { sampleWav } from '../../test/audio/sampleWav';
import { expect, test } from '../../test/browser/test';
import { seededResnet34 } from '../../test/seededModel';

const MINUTES = 60_000;

test('a model file of one’s own: asked about, used, kept, deleted', async ({ page }) => {
  test.setTimeout(6 * MINUTES);
  await page.goto('index.html');
  const state = page.getByTestId('state');
  await expect(page.getByTestId('offer-community-1')).toBeVisible();
  await page.getByTestId('model-file-input').setInputFiles({
    name: 'mine.onnx',
    mimeType: 'application/octet-stream',
    buffer: Buffer.from(seededResnet34('wespeaker')),
  });
  await expect(page.getByTestId('trust-model')).toBeVisible({ timeout: MINUTES });
  await page.getByTestId('trust-model').click();
  const options = page.locator('.options__summary');
  await expect(page.getByTestId('stored-model-wespeaker-resnet34-lm')).toHaveCount(1, { timeout: MINUTES });
  await options.click();
  await expect(page.getByTestId('stored-model-wespeaker-resnet34-lm')).toBeVisible({ timeout: MINUTES });
  await expect(page.getByTestId('stored-model-wespeaker-resnet34-lm')).toContainText('mine.onnx');

  // Two windows: the ResNet takes four times as long for the whole sample.
  await page.getByTestId('file-input').setInputFiles({ name: 'start.wav', mimeType: 'audio/wav', buffer: sampleWav(0, 11) });
  await expect(state).toHaveAttribute('data-state', 'done', { timeout: 3 * MINUTES });
  await expect(page.getByTestId('preset-line')).toContainText('community-1');

  // At the next visit it is there without a question. A result that is open would be opened again.
  await page.getByTestId('new-recording').click();
  await page.reload();
  await expect(page.getByTestId('stored-model-wespeaker-resnet34-lm')).toHaveCount(1, { timeout: MINUTES });
  await options.click();
  await expect(page.getByTestId('stored-model-wespeaker-resnet34-lm')).toBeVisible({ timeout: MINUTES });
  await expect(page.getByTestId('offer-community-1')).toBeHidden();
  await page.getByTestId('delete-model-wespeaker-resnet34-lm').click();
  await page.getByTestId('confirm-delete').click();
  await expect(page.getByTestId('stored-model-wespeaker-resnet34-lm')).toHaveCount(0);
  await expect(page.getByTestId('offer-community-1')).toBeVisible();
});
