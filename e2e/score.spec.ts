/** Scores of a result against a reference in the page. All expected figures come from pyannote.metrics. */
import { drop, openScore } from '../test/browser/editor';
import { expect, test } from '../test/browser/test';
import { WITHOUT_GPU } from '../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

const rttm = (...turns: readonly [start: number, duration: number, speaker: string][]): string =>
  turns.map(([start, duration, speaker]) => `SPEAKER pair 1 ${start} ${duration} <NA> <NA> ${speaker} <NA> <NA>\n`).join('');

/** Anna's start is missed, Ben is confused with Anna for two seconds, and his turn ends two seconds late. */
const TRUTH = rttm([0, 10, 'Anna'], [10, 10, 'Ben'], [25, 5, 'Anna']);
const GUESS = rttm([1, 11, 'x'], [12, 10, 'y'], [25, 5, 'x']);

test('errors are navigated by keyboard; names are adopted; corrections update the score', async ({ page }) => {
  await openScore(page, GUESS, TRUTH);
  await expect(page.getByTestId('score-der')).toHaveText('20.00 %');
  await expect(page.getByTestId('score-missed')).toHaveText('1.00 s · 4.00 %');
  await expect(page.getByTestId('score-status')).toHaveText('Diarization error rate 20.00 %, Jaccard error rate 25.49 %, 3 errors.');
  await expect(page.getByTestId('score-error-row')).toHaveCount(3);

  const current = page.getByTestId('score-current');
  await page.getByTestId('score-next').focus();
  await page.keyboard.press('n');
  await expect(current).toHaveText('Error 1 of 3 · 0:00.00, 1.00 s · Missed: Anna');
  await page.keyboard.press('n');
  await expect(current).toHaveText('Error 2 of 3 · 0:10.00, 2.00 s · Confusion: x instead of Ben');
  await expect(page.locator('.clock__now')).toHaveText(/^0:10\.0/);
  await expect(page.locator('[data-testid="score-error-row"][aria-current="true"]')).toHaveCount(1);
  await page.keyboard.press('p');
  await page.keyboard.press('p');
  await expect(current).toHaveText('Error 3 of 3 · 0:20.00, 2.00 s · False alarm: y');

  await page.getByTestId('score-take-names').click();
  await expect(page.getByTestId('editor-status')).toHaveText('2 speakers were renamed.');
  await expect(current).toHaveText('Error 3 of 3 · 0:20.00, 2.00 s · False alarm: Ben');

  // The turn of the error is selected, and editing it updates the score.
  await page.getByTestId('turn-end').fill('20');
  await page.getByTestId('turn-end').press('Enter');
  await expect(page.getByTestId('score-der')).toHaveText('12.00 %');
  await expect(current).toHaveText('2 errors');
  await page.getByTestId('score-kind').selectOption('missed');
  await expect(page.getByTestId('score-error-row')).toHaveText(['0:00.001.00 sMissed: Anna']);
});

test('unusable files are explained; with several recordings, the page asks for one', async ({ page }) => {
  await openScore(page, GUESS, TRUTH);
  await drop(page, { name: 'bad.rttm', text: `${TRUTH}SPEAKER pair 1 then 2 <NA> <NA> Anna <NA> <NA>\n` });
  await expect(page.getByTestId('score-failure')).toContainText('bad.rttm could not be imported');
  await expect(page.getByTestId('score-failure')).toContainText('Line 4 has the start "then"');
  await expect(page.getByTestId('score-der')).toHaveText('20.00 %');

  const several = TRUTH.replaceAll('pair', 'one') + rttm([0, 30, 'Cleo']).replaceAll('pair', 'two');
  await drop(page, { name: 'several.rttm', text: several });
  await expect(page.getByTestId('score-der')).toBeHidden();
  await page.getByTestId('score-recording').selectOption('one');
  await expect(page.getByTestId('score-der')).toHaveText('20.00 %');
  await drop(page, { name: 'regions.uem', text: 'two 1 0 30\n' });
  await expect(page.getByTestId('score-failure')).toContainText('no region for the recording "one"');
  await page.getByTestId('remove-uem').click();
  await expect(page.getByTestId('score-der')).toHaveText('20.00 %');
  await page.getByTestId('remove-reference').click();
  await expect(page.getByTestId('score-der')).toBeHidden();
  await expect(page.getByTestId('reference-input')).toBeFocused();
});
