/** Reviewing doubtful turns in the page from a file of turns. No model runs here. */
import { expect, test, type Page } from '../test/browser/test';

/** Ada, Ben, and a third speaker with one second. Ben's second turn is the most doubtful, Ada's first the least. */
const TURNS = {
  durationSeconds: 120,
  speakers: [{ label: 'SPEAKER_00', name: 'Ada' }, { label: 'SPEAKER_01', name: 'Ben' }, { label: 'SPEAKER_02' }],
  turns: [
    { startSeconds: 0, endSeconds: 30, speaker: 'SPEAKER_00', confidence: 0.95 },
    { startSeconds: 31, endSeconds: 60, speaker: 'SPEAKER_01', confidence: 0.6 },
    { startSeconds: 61, endSeconds: 62, speaker: 'SPEAKER_02', confidence: 0.7 },
    { startSeconds: 70, endSeconds: 100, speaker: 'SPEAKER_01', confidence: 0.2 },
  ],
};

async function openReview(page: Page): Promise<void> {
  await page.goto('index.html');
  await page.getByTestId('file-input').setInputFiles({ name: 'talk.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify({ file: 'talk.wav', ...TURNS })) });
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done');
  await page.getByTestId('tab-review').click();
}

test('the most doubtful turn is first; confirm, reassign and delete by mouse and by keys', async ({ page }) => {
  await openReview(page);
  const left = page.getByTestId('review-left');
  const who = page.getByTestId('review-who');
  await expect(left).toHaveText('4 of 4 left');
  await expect(who).toHaveText('Ben');
  await expect(page.getByTestId('review-when')).toContainText('1:10.00 to 1:40.00');
  await expect(page.getByTestId('review-certainty')).toContainText('Uncertain · 0.20');

  // Assign it to Ada with the button of her name.
  await page.getByTestId('review-assign').filter({ hasText: 'Ada' }).click();
  await expect(left).toHaveText('3 of 4 left');
  await expect(page.getByTestId('review-when')).toContainText('0:31.00');
  // Keys act on the shown turn.
  await page.getByTestId('review-next').focus();
  await page.keyboard.press('ArrowDown');
  await expect(page.getByTestId('review-when')).toContainText('1:01.00');
  await page.keyboard.press('ArrowUp');
  await expect(page.getByTestId('review-when')).toContainText('0:31.00');
  await page.keyboard.press('c');
  await expect(left).toHaveText('2 of 4 left');
  await page.keyboard.press('Delete');
  await expect(left).toHaveText('1 of 3 left');
  await page.keyboard.press('1');
  await expect(page.getByTestId('review-done')).toBeVisible();
  await expect(page.getByTestId('review-done')).toContainText('All reviewed');

  await page.getByTestId('undo').click();
  await expect(left).toHaveText('1 of 3 left');
});

test('speakers with very little speech are shown, and only the user merges or keeps them', async ({ page }) => {
  await openReview(page);
  const rows = page.getByTestId('brief-row');
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText('Speaker 3');
  await expect(page.getByTestId('brief-merge')).toBeDisabled();
  await page.getByTestId('brief-into').selectOption({ label: 'Ben' });
  await page.getByTestId('brief-merge').click();
  await expect(page.getByTestId('brief-speakers')).toBeHidden();
  await expect(page.getByTestId('review-assign')).toHaveCount(2);
  await page.getByTestId('undo').click();
  await expect(rows).toHaveCount(1);
  await page.getByTestId('brief-keep').click();
  await expect(page.getByTestId('brief-speakers')).toBeHidden();
  await expect(page.getByTestId('review-assign')).toHaveCount(3);
});

test('the comparison voice is another segment of the speaker or another speaker', async ({ page }) => {
  await openReview(page);
  await expect(page.getByTestId('compare-speaker')).toHaveValue('SPEAKER_01');
  await expect(page.getByTestId('compare-place')).toContainText('segment 1 of 1, at 0:31');
  await page.getByTestId('compare-speaker').selectOption('SPEAKER_00');
  await expect(page.getByTestId('compare-place')).toContainText('at 0:00');
});
