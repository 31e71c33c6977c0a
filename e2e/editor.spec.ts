/** Editing a result in the page like a user. */
import { parseRttm } from '../src/formats/rttm';
import type { Turn } from '../src/index';
import { drop, exportAs, openSampleTurns, SAMPLE, SAMPLE_TURNS, textOf } from '../test/browser/editor';
import { expect, test, type Page } from '../test/browser/test';
import { WITHOUT_GPU } from '../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

const rows = (page: Page) => page.getByTestId('turn-row');
const names = (page: Page) => page.getByTestId('speaker-name');
const status = (page: Page) => page.getByTestId('editor-status');

async function rttm(page: Page): Promise<Turn[]> {
  return [...parseRttm(await textOf(await exportAs(page, 'rttm'))).values()][0]!;
}

test('speakers are named, colored, merged and added; undo reverts each edit', async ({ page }) => {
  await openSampleTurns(page);
  const before = await rttm(page);
  await names(page).first().fill('Ada Lovelace');
  await names(page).first().press('Enter');
  await expect(rows(page).filter({ hasText: 'Ada Lovelace' }).first()).toBeVisible();
  expect((await rttm(page)).some(({ speaker }) => speaker === 'Ada_Lovelace')).toBe(true);

  await page.getByLabel('Color of Ada Lovelace').selectOption('Violet');
  await page.getByTestId('add-speaker').click();
  await expect(names(page)).toHaveCount(3);
  await page.keyboard.type('Eve');
  await page.keyboard.press('Enter');
  await expect(names(page).nth(2)).toHaveValue('Eve');
  await page.getByRole('button', { name: 'Remove Eve' }).click();
  await expect(names(page)).toHaveCount(2);

  await page.getByTestId('merge-speaker').nth(1).selectOption({ label: 'Ada Lovelace' });
  await expect(names(page)).toHaveCount(1);
  await expect(status(page)).toContainText('was merged into Ada Lovelace');
  expect(new Set((await rttm(page)).map(({ speaker }) => speaker))).toEqual(new Set(['Ada_Lovelace']));

  const undo = page.getByTestId('undo');
  while (await undo.isEnabled()) await undo.click();
  expect(await rttm(page)).toEqual(before);
  const redo = page.getByTestId('redo');
  while (await redo.isEnabled()) await redo.click();
  await expect(names(page)).toHaveCount(1);
});

test('leaving a list merges no speakers, number keys match the numbers in names, and speakers with equal names stay separate', async ({ page }) => {
  const speaker = (start: number, label: string): string => `SPEAKER talk 1 ${start}.000 2.000 <NA> <NA> ${label} <NA> <NA>\n`;
  await page.goto('index.html');
  await drop(page, { name: 'talk.rttm', text: speaker(0, 'SPEAKER_00') + speaker(3, 'SPEAKER_01') + speaker(6, 'SPEAKER_02') + speaker(9, 'SPEAKER_00') });
  await expect(names(page)).toHaveCount(3);
  const merge = page.getByTestId('merge-speaker').nth(1);
  for (const key of ['Escape', 'Tab']) {
    await merge.focus();
    await page.keyboard.press('ArrowDown');
    await expect(status(page)).toContainText('Press Enter');
    await page.keyboard.press(key);
    if (key === 'Escape') await page.keyboard.press('Tab');
    await expect(merge).toHaveValue('');
    await expect(names(page)).toHaveCount(3);
  }
  await merge.focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(names(page)).toHaveCount(2);

  // The third speaker is now in the second row and still has the key 3.
  await expect(names(page).nth(1)).toHaveValue('Speaker 3');
  await page.keyboard.press('Escape');
  await rows(page).last().click();
  await page.keyboard.press('3');
  await expect(status(page)).toContainText('Speaker 3');
  expect((await rttm(page)).at(-1)!.speaker).toBe('SPEAKER_02');

  for (const index of [0, 1]) {
    await names(page).nth(index).fill('Ann');
    await names(page).nth(index).press('Enter');
  }
  await expect(page.getByTestId('namesake').nth(0)).toBeHidden();
  await expect(page.getByTestId('namesake').nth(1)).toContainText('same name as another speaker: Ann');
  expect(new Set((await rttm(page)).map((turn) => turn.speaker))).toEqual(new Set(['Ann', 'Ann_(2)']));
  expect(await textOf(await exportAs(page, 'srt'))).toContain('Ann (2)');
  await page.getByTestId('merge-namesake').nth(1).click();
  await expect(names(page)).toHaveCount(1);
  await expect(page.getByTestId('namesake')).toBeHidden();
});

test('a turn is split, moved, reassigned, confirmed, deleted and added', async ({ page }) => {
  await openSampleTurns(page);
  const before = await rttm(page);
  const [first, second] = before as [Turn, Turn];
  await rows(page).first().click();
  // Pause, because a split uses the position of the playhead.
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByTestId('turn-end').fill(String(first.endSeconds - 0.25));
  await page.getByTestId('turn-end').press('Enter');
  await expect(rows(page).first()).toContainText('corrected');
  expect((await rttm(page))[0]!.endSeconds).toBeCloseTo(first.endSeconds - 0.25, 3);

  await rows(page).nth(1).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  const other = before.find(({ speaker }) => speaker !== second.speaker)!.speaker;
  const track = (await page.getByTestId('speaker-row').evaluateAll((all) => all.map((row) => (row as HTMLElement).dataset.speaker))).indexOf(other);
  await page.keyboard.press(String(track + 1));
  await expect(status(page)).toContainText('Turn assigned to');
  expect((await rttm(page)).find(({ startSeconds }) => startSeconds === second.startSeconds)!.speaker).toBe(other);

  const count = await rows(page).count();
  await rows(page).last().click();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.keyboard.press('Escape');
  await rows(page).last().focus();
  await page.keyboard.press('Delete');
  await expect(rows(page)).toHaveCount(count - 1);

  await page.getByTestId('turn-start').fill('nonsense');
  await page.getByTestId('turn-start').press('Tab');
  await expect(page.getByRole('alert').filter({ hasText: 'nonsense' })).toBeVisible();
  await expect(rows(page)).toHaveCount(count - 1);
});

test('a turn is split at the playhead; a loop repeats one turn', async ({ page }) => {
  await openSampleTurns(page);
  const before = await rttm(page);
  const longest = before.reduce((a, b) => (b.endSeconds - b.startSeconds > a.endSeconds - a.startSeconds ? b : a));
  await rows(page).nth(before.indexOf(longest)).click();
  await expect.poll(() => page.locator('.clock__now').innerText().then((text) => Number(text.split(':')[1]))).toBeGreaterThan(longest.startSeconds + 0.3);
  await page.getByTestId('turn-split').click();
  await expect(status(page)).toHaveText('Turn split.');
  expect(await rttm(page)).toHaveLength(before.length + 1);
  await page.getByTestId('undo').click();

  await page.getByTestId('turn-loop').click();
  await expect(page.getByTestId('turn-loop')).toHaveAttribute('aria-pressed', 'true');
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('turn-loop')).toHaveAttribute('aria-pressed', 'false');
});

test('the ? key shows the shortcuts, and single-character shortcuts can be disabled', async ({ page }) => {
  await openSampleTurns(page);
  await page.keyboard.press('?');
  const help = page.getByTestId('help');
  await expect(help).toBeVisible();
  await expect(help).toContainText('split the turn at the playhead');
  await page.getByTestId('letter-keys').uncheck();
  await page.keyboard.press('Escape');
  await expect(help).toBeHidden();
  await page.keyboard.press('v');
  await expect(page.getByRole('radio', { name: 'Overlapping' })).toBeChecked();
  await page.keyboard.press('?');
  await expect(help).toBeHidden();
  await page.getByTestId('show-keys').click();
  await page.getByTestId('letter-keys').check();
  await page.keyboard.press('Escape');
  await page.keyboard.press('v');
  await expect(page.getByRole('radio', { name: 'Exclusive' })).toBeChecked();
  // Overlapping turns cannot be edited here, and the page explains this.
  await expect(page.getByTestId('turn-editor')).toContainText('Exclusive turns are derived from the overlapping turns');
});

test('a new result is shown as saved only after it is stored', async ({ page }) => {
  // Saving waits for a lock of the page, which the test delays.
  await page.addInitScript(() => {
    const { locks } = navigator;
    const request = locks.request.bind(locks) as (...args: unknown[]) => Promise<unknown>;
    const allowed = new Promise((resolve) => Object.assign(globalThis, { allowSaves: resolve }));
    locks.request = async (...args: unknown[]) => {
      await allowed;
      return request(...args);
    };
  });
  await page.goto('index.html');
  await drop(page, SAMPLE_TURNS);
  const state = page.getByTestId('state');
  await expect(state).toHaveAttribute('data-state', 'done');
  await expect(state).toHaveAttribute('data-kept', 'false');
  await page.evaluate(() => {
    (globalThis as unknown as { allowSaves: () => void }).allowSaves();
  });
  await expect(state).toHaveAttribute('data-kept', 'true');
  await page.goto('index.html');
  await expect(page.getByRole('button', { name: 'Open sample', exact: true })).toBeVisible();
});

test('corrections are restored after a reload, with undo, audio and transcript', async ({ page }) => {
  await openSampleTurns(page);
  const before = await rttm(page);
  await names(page).first().fill('Ada');
  await names(page).first().press('Enter');
  await drop(page, { name: 'talk.srt', text: '1\n00:00:07,000 --> 00:00:09,000\nHello there\n' });
  await expect(page.getByText('Hello there')).toBeVisible();
  await page.getByTestId('tab-turns').click();
  await rows(page).first().focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Delete');
  await expect(rows(page)).toHaveCount(before.length - 1);
  // Saving is debounced after the last correction.
  await expect(page.getByTestId('state')).toHaveAttribute('data-kept', 'true');
  await page.reload();
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done');
  await expect(rows(page)).toHaveCount(before.length - 1);
  await expect(names(page).first()).toHaveValue('Ada');
  await page.getByTestId('tab-transcript').click();
  await expect(page.getByText('Hello there')).toBeVisible();
  await page.keyboard.press('Control+z');
  await page.keyboard.press('Control+z');
  expect(await rttm(page)).toEqual(before);
  await page.getByTestId('tab-turns').click();
  await rows(page).nth(4).click();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();

  // It is in the list of saved work until it is deleted.
  await page.getByTestId('new-recording').click();
  await expect(page.locator('.recent:not([hidden]) ~ .drop-zone')).toBeVisible();
  await page.getByTestId('open-kept').first().click();
  await expect(rows(page)).toHaveCount(before.length);
  await page.getByTestId('new-recording').click();
  await page.getByTestId('delete-kept').first().click();
  await page.getByTestId('delete-kept-yes').first().click();
  await expect(page.getByTestId('recent')).toBeHidden();
  await page.reload();
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'empty');
});

test('exported JSON restores the same result', async ({ page }) => {
  await openSampleTurns(page);
  await names(page).first().fill('Zoë, “the chair”');
  await names(page).first().press('Enter');
  await page.getByLabel(/Color of Zoë/).selectOption('Teal');
  const json = await textOf(await exportAs(page, 'json'));
  const expected = await rttm(page);
  await page.getByTestId('new-recording').click();
  // First without the recording, then with it.
  await drop(page, { name: 'sample.json', text: json });
  await expect(page.getByTestId('no-sound')).toBeVisible();
  expect(await rttm(page)).toEqual(expected);
  await expect(page.getByLabel(/Color of Zoë/)).toHaveValue('5');
  await drop(page, SAMPLE);
  await expect(page.getByTestId('no-sound')).toBeHidden();
  await expect(names(page).first()).toHaveValue('Zoë, “the chair”');
});

test('turns of another file replace the current ones, and undo restores them', async ({ page }) => {
  await openSampleTurns(page);
  const before = await rttm(page);
  const other = 'SPEAKER talk 1 1.000 2.000 <NA> <NA> Bob <NA> <NA>\n';
  await page.getByTestId('import-input').setInputFiles({ name: 'other.rttm', mimeType: 'text/plain', buffer: Buffer.from(other) });
  await expect(rows(page)).toHaveCount(1);
  await expect(names(page).first()).toHaveValue('Bob');
  await page.keyboard.press('Control+z');
  expect(await rttm(page)).toEqual(before);
  await page.getByTestId('import-input').setInputFiles({ name: 'bad.rttm', mimeType: 'text/plain', buffer: Buffer.from('SPEAKER talk 1 x y\n') });
  await expect(status(page)).toContainText('bad.rttm could not be imported');
  // With several recordings, the user selects one.
  const two = `${other}SPEAKER chat 1 3.000 1.000 <NA> <NA> Kim <NA> <NA>\n`;
  await page.getByTestId('import-input').setInputFiles({ name: 'two.rttm', mimeType: 'text/plain', buffer: Buffer.from(two) });
  await page.getByTestId('choose-recording').selectOption('chat');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(names(page).first()).toHaveValue('Kim');
});

test('every export has its own file extension', async ({ page }) => {
  await openSampleTurns(page);
  const count = await rows(page).count();
  const found: Record<string, string> = {};
  for (const format of ['rttm', 'json', 'srt', 'vtt', 'csv', 'audacity', 'textgrid', 'eaf']) {
    const file = await exportAs(page, format);
    found[file.suggestedFilename()] = await textOf(file);
  }
  expect(Object.keys(found)).toEqual([
    'sample.rttm', 'sample.json', 'sample.srt', 'sample.vtt', 'sample.csv', 'sample.labels.txt', 'sample.TextGrid', 'sample.eaf',
  ]);
  expect(found['sample.rttm']!.trim().split('\n')).toHaveLength(count);
  expect(found['sample.srt']!.match(/ --> /g)).toHaveLength(count);
  expect(found['sample.vtt']).toMatch(/^WEBVTT/);
  expect(found['sample.csv']!.trim().split('\r\n')).toHaveLength(count + 1);
  expect(found['sample.labels.txt']!.trim().split('\n')).toHaveLength(count);
  expect(found['sample.eaf']!.match(/<ANNOTATION_VALUE>/g)).toHaveLength(count);
});

test('a transcript or a UEM without its recording is explained', async ({ page }) => {
  await page.goto('index.html');
  await drop(page, { name: 'talk.srt', text: '1\n00:00:01,000 --> 00:00:02,000\nHi\n' });
  await expect(page.locator('.notice')).toContainText('talk.srt');
  await drop(page, { ...SAMPLE_TURNS, text: 'not an RTTM' });
  await expect(page.locator('.notice')).toContainText('sample.rttm could not be imported');
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'empty');
});

test.describe('a press on a row', () => {
  test.use({ viewport: { width: 1280, height: 640 } });

  /** Presses a row near its lower edge and returns how far the row has moved before the release. */
  async function press(page: Page, row: number): Promise<number> {
    // Disable scroll anchoring, which WebKit lacks and which compensates for movements in other browsers.
    await page.evaluate(() => {
      document.documentElement.style.overflowAnchor = 'none';
    });
    const top = async (): Promise<number> => (await rows(page).nth(row).boundingBox())!.y;
    const { x, width, y, height } = (await rows(page).nth(row).boundingBox())!;
    await page.mouse.move(x + width / 2, Math.min(y + height - 4, 636));
    await page.mouse.down();
    // Wait until layout and messages are updated.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    const moved = (await top()) - y;
    await page.mouse.up();
    return moved;
  }
  const toBottom = (page: Page): Promise<void> =>
    page.evaluate(() => {
      scrollTo(0, document.documentElement.scrollHeight);
    });

  test('moves no row, with the hint shown or an invalid time in a field', async ({ page }) => {
    await openSampleTurns(page);
    await toBottom(page);
    expect(await press(page, 6)).toBe(0);
    await expect(rows(page).nth(6)).toHaveAttribute('aria-selected', 'true');
    await page.getByTestId('turn-start').fill('nonsense');
    await page.getByTestId('turn-start').press('Tab');
    await expect(page.getByRole('alert').filter({ hasText: 'nonsense' })).toBeVisible();
    await toBottom(page);
    expect(await press(page, 4)).toBe(0);
    await expect(rows(page).nth(4)).toHaveAttribute('aria-selected', 'true');
  });

  test('moves no row when it applies a typed time', async ({ page }) => {
    await openSampleTurns(page);
    await rows(page).nth(6).click();
    await page.getByTestId('turn-end').fill('0:18.7');
    await expect(status(page)).toHaveText('');
    expect(await press(page, 4)).toBe(0);
    await expect(status(page)).not.toHaveText('');
  });

  test('moves no row at the edge of the scroller', async ({ page }) => {
    const many = Array.from({ length: 60 }, (_, turn) => `SPEAKER talk 1 ${turn / 2} 0.4 <NA> <NA> ${turn % 2 ? 'Ada' : 'Bob'} <NA> <NA>\n`);
    await page.goto('index.html');
    await drop(page, SAMPLE, { name: 'sample.rttm', text: many.join('') });
    const table = page.locator('.turns__scroller');
    await table.evaluate((element) => {
      element.scrollTop = 18;
      element.scrollIntoView({ block: 'end' });
    });
    const bottom = await table.evaluate((element) => element.getBoundingClientRect().bottom);
    const cut = await rows(page).evaluateAll((all, end) => all.findIndex((row) => row.getBoundingClientRect().bottom > end + 4), bottom);
    const before = await rows(page).nth(cut).boundingBox();
    await page.mouse.move(before!.x + 40, before!.y + 4);
    await page.mouse.down();
    expect((await rows(page).nth(cut).boundingBox())!.y).toBe(before!.y);
    await page.mouse.up();
    await expect(rows(page).nth(cut)).toHaveAttribute('aria-selected', 'true');
    await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  });
});

test('without an audio output, the page shows a message, and Play tries again', async ({ page }) => {
  await page.addInitScript(() => {
    const own = Reflect.get<HTMLMediaElement, 'play'>(HTMLMediaElement.prototype, 'play');
    // Like Firefox: play() resolves before the error occurs.
    HTMLMediaElement.prototype.play = async function (this: HTMLMediaElement) {
      await own.call(this);
      if (!(globalThis as { isMute?: boolean }).isMute) return;
      Object.defineProperty(this, 'error', { configurable: true, value: { code: 3, message: 'OnMediaSinkAudioError' } });
      this.dispatchEvent(new Event('error'));
      Reflect.deleteProperty(this, 'error');
    };
    Object.assign(globalThis, { isMute: true });
  });
  await openSampleTurns(page);
  const said = page.getByText('No audio output device was found. Connect one and press Play.');
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect(said).toBeVisible();
  const play = page.getByRole('button', { name: 'Play', exact: true });
  await expect(play).toBeEnabled();
  await page.evaluate(() => {
    Object.assign(globalThis, { isMute: false });
  });
  await play.click();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  await expect(said).toBeHidden();
});
