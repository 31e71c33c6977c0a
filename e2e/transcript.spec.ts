/** Assigns speakers to the words of a speech recognizer, from files. No model runs here. */
import { readFileSync } from 'node:fs';
import { expect, test, type Page } from '../test/browser/test';

const RTTM = ['SPEAKER talk 1 0.000 5.000 <NA> <NA> Ada <NA> <NA>', 'SPEAKER talk 1 5.000 5.000 <NA> <NA> Ben <NA> <NA>'].join('\n');
const word = (text: string, start: number, end: number) => ({ word: text, start, end });
const WHISPER = {
  segments: [
    { start: 0.5, end: 7, text: ' Good morning. Hello Ada.', words: [word(' Good', 0.5, 1), word(' morning.', 1, 2), word(' Hello', 5.5, 6), word(' Ada.', 6, 7)] },
    { start: 60, end: 61, text: ' Nobody is here.' },
  ],
};
const file = (name: string, content: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(content) });

async function openTranscript(page: Page): Promise<void> {
  await page.goto('index.html');
  await page.getByTestId('file-input').setInputFiles(file('talk.rttm', RTTM));
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done');
  await page.getByTestId('tab-transcript').click();
}

test('words and cues get speakers, a cue is split at a speaker change, and exports contain the speakers', async ({ page }) => {
  await openTranscript(page);
  await expect(page.getByTestId('transcript-empty')).toBeVisible();
  await page.getByTestId('transcript-input').setInputFiles(file('talk.json', JSON.stringify(WHISPER)));
  const cues = page.getByTestId('cue');
  await expect(cues).toHaveCount(3);
  await expect(cues.nth(0)).toContainText('Good morning.');
  await expect(cues.nth(0).locator('.cue__speaker')).toHaveText('Ada');
  await expect(cues.nth(1)).toContainText('Hello Ada.');
  await expect(cues.nth(1).locator('.cue__speaker')).toHaveText('Ben');
  await expect(cues.nth(2).locator('.cue__speaker')).toHaveText('No speaker');
  await expect(page.getByTestId('transcript-status')).toHaveText('3 cues, 1 without a speaker');

  for (const [format, expected] of [['srt', 'Ben: Hello Ada.'], ['vtt', '<v Ben>Hello Ada.'], ['csv', 'Ben,Hello Ada.'], ['json', '"speaker": "Ben"']] as const) {
    const [saved] = await Promise.all([page.waitForEvent('download'), page.getByTestId(`transcript-save-${format}`).click()]);
    expect(saved.suggestedFilename()).toBe(`talk.transcript.${format}`);
    expect(readFileSync(await saved.path(), 'utf8')).toContain(expected);
  }
});

test('a file that is not a transcript is explained and changes nothing', async ({ page }) => {
  await openTranscript(page);
  await page.getByTestId('transcript-input').setInputFiles(file('broken.srt', 'nothing with times'));
  await expect(page.getByTestId('transcript-failure')).toContainText('broken.srt could not be imported');
  await expect(page.getByTestId('transcript-failure')).toContainText('What to do');
  await expect(page.getByTestId('transcript-empty')).toBeVisible();
});

test('ten thousand cues: few elements at a time, and one key reaches the last cue', async ({ page }) => {
  await openTranscript(page);
  const time = (seconds: number) => new Date(seconds * 1000).toISOString().slice(11, 23).replace('.', ',');
  const srt = Array.from({ length: 10_000 }, (_, index) => `${index + 1}\n${time(index)} --> ${time(index + 0.9)}\nCue number ${index + 1}\n`).join('\n');
  await page.getByTestId('transcript-input').setInputFiles(file('long.srt', srt));
  await expect(page.getByTestId('transcript-status')).toContainText('10,000 cues');
  const cues = page.getByTestId('cue');
  await expect(cues.first()).toContainText('Cue number 1');
  await cues.first().getByRole('button').focus();
  await page.keyboard.press('End');
  await expect(page.getByText('Cue number 10000', { exact: true })).toBeVisible();
  await expect.poll(() => cues.count()).toBeLessThan(400);
  // Tab reaches the cue selected with the arrow keys.
  await expect(page.locator('.cue__time[tabindex="0"]')).toHaveCount(1);
});
