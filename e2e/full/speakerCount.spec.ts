/** Changing the number of speakers of the sample, and its minimum turn and pause. */
import { expect, test } from '../../test/browser/test';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

test('minimum turn and pause, and the slider: proposals are shown and change the result only on acceptance', async ({ page }) => {
  await page.goto('index.html');
  await page.getByTestId('try-sample').click();
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done', { timeout: 60_000 });
  await page.getByTestId('tab-count').click();
  const [shortestTurn, shortestGap] = [page.getByTestId('count-min-duration-on'), page.getByTestId('count-min-duration-off')];
  const summary = page.getByTestId('summary');
  await expect(shortestTurn).toHaveValue('0.15');
  await expect(shortestGap).toHaveValue('0.1');
  await expect(summary).toContainText('11 turns');

  // Without minimum durations, very short turns reappear.
  await shortestTurn.fill('0');
  await shortestGap.fill('0');
  await expect(summary).toContainText('13 turns');
  await page.keyboard.press('Escape');
  await expect(summary).toContainText('11 turns');
  await expect(shortestTurn).toHaveValue('0.15');

  await shortestTurn.fill('1');
  await expect(page.getByTestId('count-accept')).toBeEnabled();
  await page.getByTestId('count-accept').click();
  await expect(summary).not.toContainText('11 turns');
  await expect(shortestTurn).toHaveValue('1');
  await page.getByTestId('undo').click();
  await expect(summary).toContainText('11 turns');
  await expect(shortestTurn).toHaveValue('0.15');

  const slider = page.getByTestId('count-slider');
  const answer = page.getByTestId('count-answer');
  await expect(slider).toHaveValue('2');

  await slider.focus();
  await page.keyboard.press('ArrowLeft');
  await expect(answer).toContainText('Preview: 1 speaker');
  await expect(answer).toContainText('Speaker 1 and Speaker 2 are merged.');
  await expect(page.getByTestId('summary')).toContainText('1 speaker');
  // Escape discards the proposal.
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('summary')).toContainText('2 speakers');
  await expect(answer).toBeEmpty();
  await expect(slider).toHaveValue('2');

  // After fast movements, the last position counts.
  await slider.focus();
  for (let step = 0; step < 3; step += 1) await page.keyboard.press('ArrowRight');
  await expect(page.getByTestId('count-number')).toHaveText('5');
  await expect(page.getByTestId('count-accept')).toBeEnabled();
  await page.getByTestId('count-auto').click();
  await expect(answer).toContainText('Nothing changes.');

  await slider.focus();
  await page.keyboard.press('Home');
  await expect(page.getByTestId('count-accept')).toBeEnabled();
  await page.getByTestId('count-accept').click();
  await expect(page.getByTestId('summary')).toContainText('1 speaker');
  await expect(page.getByTestId('speaker-row')).toHaveCount(1);
  await page.getByTestId('undo').click();
  await expect(page.getByTestId('speaker-row')).toHaveCount(2);

  // Existing corrections are kept by default.
  const keep = page.getByTestId('count-keep');
  const confirm = async (row: number): Promise<void> => {
    await page.getByTestId('tab-turns').click();
    await page.getByTestId('turn-row').nth(row).click();
    await page.keyboard.press('c');
    await page.getByTestId('tab-count').click();
  };
  await expect(keep).not.toBeChecked();
  await confirm(0);
  await expect(keep).toBeChecked();
  await keep.uncheck();
  await confirm(1);
  await expect(keep).not.toBeChecked();
});

test('turns of a file have no voices: the page explains this with a remedy', async ({ page }) => {
  await page.goto('index.html');
  const rttm = 'SPEAKER talk 1 0.000 5.000 <NA> <NA> Ada <NA> <NA>';
  await page.getByTestId('file-input').setInputFiles({ name: 'talk.rttm', mimeType: 'text/plain', buffer: Buffer.from(rttm) });
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done');
  await page.getByTestId('tab-count').click();
  await expect(page.getByTestId('count-absent')).toContainText('no voice data');
  await expect(page.getByTestId('count-absent')).toContainText('run it again');
});
