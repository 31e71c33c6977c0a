/** The page, used like a user with a recording. */
import { readFileSync } from 'node:fs';
import { expect, test, type Page } from '../test/browser/test';
import { parseRttm } from '../src/formats/rttm';
import type { DiarizationJson } from '../test/browser/engine';
import { exportAs, openSampleTurns, shortenSample } from '../test/browser/editor';
import { WITHOUT_GPU } from '../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

/** Turns in `sample.rttm`. */
const SAMPLE_TURN_COUNT = 10;

const state = (page: Page) => page.getByTestId('state');

/** The position shown by the page. */
async function shownSeconds(page: Page): Promise<number> {
  const [minutes = 0, seconds = 0] = (await page.locator('.clock__now').innerText()).split(':').map(Number);
  return 60 * minutes + seconds;
}

test('drop the sample, follow the run, play it, download the files', async ({ page }) => {
  await page.goto('index.html');
  await expect(state(page)).toHaveAttribute('data-state', 'empty');

  const dropped = await page.evaluateHandle(async () => {
    const content = await (await fetch('sample.wav')).blob();
    const transfer = new DataTransfer();
    transfer.items.add(new File([content], 'meeting.wav', { type: 'audio/wav' }));
    return transfer;
  });
  await page.getByTestId('drop-zone').dispatchEvent('drop', { dataTransfer: dropped });

  await expect(state(page)).toHaveAttribute('data-state', 'running', { timeout: 60_000 });
  for (const stage of ['decode', 'segmentation', 'fbank', 'embedding', 'clustering']) {
    await expect(page.getByTestId(`stage-${stage}`)).toBeVisible();
  }
  await expect(state(page)).toHaveAttribute('data-state', 'done', { timeout: 60_000 });

  await expect(page.getByTestId('turn-row')).toHaveCount(11);
  await expect(page.getByTestId('backend-line')).toContainText('WASM');
  const check = page.getByTestId('self-check');
  await expect(check.locator('summary')).toHaveText('Self-check: passed');
  for (const stage of ['classifier', 'fbank', 'embedding']) await expect(check).toContainText(new RegExp(`${stage} .*, Voxlane’s WASM kernels`));

  const rttmFile = await exportAs(page, 'rttm');
  expect(rttmFile.suggestedFilename()).toBe('meeting.rttm');
  const rttm = parseRttm(readFileSync(await rttmFile.path(), 'utf8'));
  expect(rttm.get('meeting')).toHaveLength(11);

  const jsonFile = await exportAs(page, 'json');
  const json = JSON.parse(readFileSync(await jsonFile.path(), 'utf8')) as DiarizationJson;
  expect(json.file).toBe('meeting.wav');
  expect(json.turns).toHaveLength(11);
  expect(json.speakers).toHaveLength(2);

  // A clicked turn plays from its start.
  await page.getByTestId('turn-row').nth(8).click();
  await expect.poll(() => shownSeconds(page)).toBeGreaterThan(json.turns[8]!.startSeconds);
});

test('click on the tracks seeks; space plays and pauses', async ({ page }) => {
  await openSampleTurns(page);
  const box = (await page.getByTestId('tracks').locator('canvas').first().boundingBox())!;
  await page.mouse.click(box.x + box.width * 0.75, box.y + box.height / 2);
  await expect.poll(() => shownSeconds(page)).toBeGreaterThan(15);
  const pause = page.getByRole('button', { name: 'Pause' });
  // A click beside a turn only moves the playhead; a click on a turn plays it.
  if (await pause.isVisible()) await page.keyboard.press('Space');
  await expect(pause).toBeHidden();
  const before = await shownSeconds(page);
  await page.keyboard.press('Space');
  await expect(pause).toBeVisible();
  await expect.poll(() => shownSeconds(page)).toBeGreaterThan(before);
});

test('canceling stops the work, and the next run is complete', async ({ page, context }) => {
  await page.goto('index.html');
  await page.getByTestId('try-sample').click();
  await expect(state(page)).toHaveAttribute('data-state', 'running', { timeout: 60_000 });
  await expect.poll(() => page.workers().length).toBeGreaterThanOrEqual(4);
  await page.getByTestId('cancel').click();
  await expect(state(page)).toHaveAttribute('data-state', 'empty');
  // Only terminated workers have stopped.
  await expect.poll(() => page.workers().length).toBe(0);
  await shortenSample(context);
  await page.getByTestId('try-sample').click();
  await expect(state(page)).toHaveAttribute('data-state', 'done', { timeout: 60_000 });
  await expect(page.getByTestId('speaker-row')).toHaveCount(2);

  await test.step('the number of speakers changes only when a preview is accepted', () => changeCount(page));
});

/** Changes the number of speakers of a result with two. */
async function changeCount(page: Page): Promise<void> {
  const [slider, answer, accept] = [page.getByTestId('count-slider'), page.getByTestId('count-answer'), page.getByTestId('count-accept')];
  const [summary, speakers] = [page.getByTestId('summary'), page.getByTestId('speaker-row')];
  await page.getByTestId('tab-count').click();
  await expect(slider).toHaveValue('2');
  await expect(accept).toBeDisabled();

  await slider.focus();
  await page.keyboard.press('ArrowLeft');
  await expect(answer).toContainText('Preview: 1 speaker');
  await expect(answer).toContainText('Speaker 1 and Speaker 2 are merged.');
  await expect(summary).toContainText('1 speaker');
  await page.keyboard.press('Escape');
  await expect(summary).toContainText('2 speakers');
  await expect(answer).toBeEmpty();
  await expect(slider).toHaveValue('2');

  await page.getByTestId('count-auto').click();
  await expect(answer).toContainText('Nothing changes.');
  await slider.focus();
  await page.keyboard.press('Home');
  await expect(accept).toBeEnabled();
  await accept.click();
  await expect(speakers).toHaveCount(1);
  await expect(slider).toBeFocused();
  await page.getByTestId('undo').click();
  await expect(speakers).toHaveCount(2);

  // Discarding another minimum restores that of the run.
  const shortestTurn = page.getByTestId('count-min-duration-on');
  const before = await summary.innerText();
  await expect(shortestTurn).toHaveValue('0.15');
  await shortestTurn.fill('1');
  await expect(accept).toBeEnabled();
  await expect(shortestTurn).toHaveAttribute('aria-valuetext', '1.00 s');
  await page.getByTestId('count-back').click();
  await expect(shortestTurn).toHaveValue('0.15');
  await expect(summary).toHaveText(before);

  // Corrections are kept by default, once there are any.
  const keep = page.getByTestId('count-keep');
  await expect(keep).toBeDisabled();
  await page.getByTestId('tab-turns').click();
  await page.getByTestId('turn-row').first().click();
  await page.keyboard.press('c');
  await page.getByTestId('tab-count').click();
  await expect(keep).toBeChecked();
  await keep.uncheck();
  await expect(keep).not.toBeChecked();
}

test('a file that is not a recording is explained, and the last result stays', async ({ page }) => {
  await openSampleTurns(page);
  await expect(page.getByTestId('turn-row')).toHaveCount(SAMPLE_TURN_COUNT);
  await page.getByTestId('new-recording').click();
  await page
    .getByTestId('file-input')
    .setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('not a recording '.repeat(99)) });
  await expect(state(page)).toHaveAttribute('data-state', 'error');
  await expect(page.getByTestId('error')).toContainText('audio-unsupported');
  await page.getByRole('button', { name: /back to the result/i }).click();
  await expect(page.getByTestId('turn-row')).toHaveCount(SAMPLE_TURN_COUNT);
});

test('the page works with the keyboard and announces its state to assistive technology', async ({ page }) => {
  await page.goto('index.html');
  await page.getByTestId('try-sample').focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('progressbar').first()).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(state(page)).toHaveAttribute('data-state', 'empty');
  // Loading was also canceled.
  await expect.poll(() => page.workers().length).toBe(0);
});

test('an unavailable sample is explained in plain words and can be retried', async ({ page }) => {
  await page.goto('index.html');
  await page.route('**/sample.wav', (route) => route.abort());
  await page.getByTestId('try-sample').click();
  const error = page.getByTestId('error');
  await expect(error).toContainText('The sample recording could not be fetched: the server could not be reached');
  await expect(error).toContainText('Check the connection and try again');
  await expect(error).toContainText('Code: audio-missing');
  // The browser's message is available in the details.
  expect(await error.innerText()).not.toContain('Failed to fetch');
  await expect(page.getByTestId('failure-details')).toContainText('Failed to fetch');
  await page.unroute('**/sample.wav');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(state(page)).toHaveAttribute('data-state', /loading|running/);
  await page.getByTestId('cancel').click();
});
