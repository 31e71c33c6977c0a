/** Text files with encodings other than UTF-8. */
import { readFileSync } from 'node:fs';
import { expect, test } from '../test/browser/test';

const fixture = (folder: string, name: string) => ({ name, mimeType: 'text/plain', buffer: readFileSync(`src/${folder}/fixtures/cases/${name}`) });

test('UTF-16 is read, and a guessed encoding is shown', async ({ page }) => {
  await page.goto('index.html');
  await page.getByTestId('file-input').setInputFiles(fixture('formats', 'utf16_from_powershell.rttm'));
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done');
  await page.getByTestId('tab-transcript').click();
  await page.getByTestId('transcript-input').setInputFiles(fixture('transcript', 'windows1252.srt'));
  await expect(page.getByTestId('cue')).toContainText('Schöne Grüße');
  await expect(page.getByText('windows1252.srt is not UTF-8. It was read as windows-1252')).toBeVisible();
});
