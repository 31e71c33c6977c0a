/** Notes of the page and the widget on a repaired file, and the page's choice of an audio track. */
import { readFileSync } from 'node:fs';
import { expect, test } from '../../test/browser/test';
import { sampleWav } from '../../test/audio/sampleWav';
import { openWidget } from '../../test/browser/widget';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

test('a file with two audio tracks: the page shows which one was read and can read the other', async ({ page }) => {
  await page.goto('index.html');
  await page.getByTestId('file-input').first().setInputFiles('e2e/fixtures/cases/obs_silent_track1_speech_track2.mp4');
  const notes = page.getByTestId('file-notes');
  await expect(notes.locator('[data-code=several-tracks]')).toContainText('2 audio tracks', { timeout: 60_000 });
  await expect(page.getByTestId('read-track')).toBeDisabled();
  await page.getByTestId('track').selectOption('2');
  await page.getByTestId('read-track').click();
  await expect(page.getByTestId('summary')).toContainText('speaker', { timeout: 60_000 });
  await expect(page.getByTestId('track')).toHaveValue('2');
});

test('a file with a wrong size has a note, and an intact file has none', async ({ page }) => {
  await page.goto('index.html');
  await page.getByTestId('file-input').first().setInputFiles('e2e/fixtures/cases/wav_data_22_bytes_too_long.wav');
  await expect(page.getByTestId('file-notes').locator('li')).toHaveText([/breaks off at 0:04\.1/], { timeout: 60_000 });
  await page.getByTestId('new-recording').click();
  await page.getByTestId('file-input').first().setInputFiles({ name: 'whole.wav', mimeType: 'audio/wav', buffer: sampleWav(7, 5) });
  await expect(page.getByTestId('summary')).toContainText('0:05', { timeout: 60_000 });
  await expect(page.getByTestId('file-notes')).toHaveCount(0);
});

test('the widget shows the notes of its recording', async ({ page }) => {
  await openWidget(page);
  const bytes = readFileSync('e2e/fixtures/cases/wav_data_22_bytes_too_long.wav').toString('base64');
  await page.evaluate((content) => {
    const wav = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    document.querySelector('voxlane-diarizer')!.source = new File([wav], 'long.wav');
  }, bytes);
  await expect(page.locator('[part=notes] li')).toHaveText([/breaks off at 4\.096 s/], { timeout: 60_000 });
});
