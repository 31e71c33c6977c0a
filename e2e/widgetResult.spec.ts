/** `<voxlane-diarizer>` with turns of the page: result, names, playback, waveform, events. Nothing is analyzed. */
import { expect, test, type Page } from '../test/browser/test';
import { countHeld, held, openWidget } from '../test/browser/widget';
import { WITHOUT_GPU } from '../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

const RTTM = ['0.500 2.250 Ada', '2.000 3.000 SPEAKER_01', '6.000 1.500 Ada']
  .map((line) => line.split(' '))
  .map(([start, duration, speaker]) => `SPEAKER talk 1 ${start} ${duration} <NA> <NA> ${speaker} <NA> <NA>\n`)
  .join('');

/** Opens a page with an RTTM text and its recording of 8 s. */
async function openResult(page: Page): Promise<void> {
  await openWidget(page);
  await page.evaluate((text) => {
    const widget = document.querySelector('voxlane-diarizer')!;
    // In this order, the recording alone would be analyzed.
    widget.source = clip(7, 8, 'talk.wav');
    widget.result = text;
  }, RTTM);
  await expect(page.locator('[part=turn]')).toHaveCount(3);
}

const events = (page: Page): Promise<string[]> => page.evaluate(() => heard.map(([type]) => type));

test('shows an RTTM text with its recording and waveform, without a run', async ({ page }) => {
  await countHeld(page);
  await openResult(page);
  await expect(page.getByRole('heading', { name: 'talk.wav' })).toBeVisible();
  // The length is that of the recording, not the end of the last turn.
  await expect(page.locator('[part=header]')).toContainText('2 speakers · 3 turns · 0:08');
  await expect(page.getByRole('textbox', { name: 'Name of Ada' })).toHaveValue('Ada');
  await expect(page.getByRole('textbox', { name: 'Name of Speaker 2' })).toBeVisible();
  const stage = page.getByRole('slider');
  const before = await stage.boundingBox();
  const waveColumns = (): Promise<number> =>
    stage.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
      // The waveform is between 32 and 80 CSS pixels. Away from its middle line, only loud columns are drawn.
      const density = canvas.width / canvas.clientWidth;
      const row = (y: number): Uint8ClampedArray => canvas.getContext('2d')!.getImageData(0, Math.round(y * density), canvas.width, 1).data;
      const [middle, edge] = [row(48), row(38)];
      let columns = 0;
      for (let at = 0; at < middle.length; at += 4) if (middle[at] !== edge[at]) columns++;
      return columns;
    });
  await expect.poll(waveColumns).toBeGreaterThan(20);
  await expect(page.getByText('Reading the waveform')).toBeHidden();
  expect(await stage.boundingBox()).toEqual(before);
  // The worker of the waveform has ended, and none was started for an analysis.
  await expect.poll(() => held(page)).toMatchObject({ workers: 0, started: 1 });
  expect(await events(page)).toEqual([]);
});

test('plays, seeks and reports turns and positions', async ({ page }) => {
  await openResult(page);
  await page.evaluate(() => {
    const widget = document.querySelector('voxlane-diarizer')!;
    widget.addEventListener('turnclick', ({ detail }) => heard.push(['turnclick', detail]));
    widget.addEventListener('timeupdate', () => heard.push(['timeupdate', widget.currentTime]));
  });
  const widget = page.locator('voxlane-diarizer');
  const state = (): Promise<{ now: number; paused: boolean }> =>
    widget.evaluate((element: HTMLElementTagNameMap['voxlane-diarizer']) => ({ now: element.currentTime, paused: element.paused }));
  await widget.evaluate((element: HTMLElementTagNameMap['voxlane-diarizer']) => {
    element.currentTime = 3.5;
  });
  expect(await state()).toEqual({ now: 3.5, paused: true });
  await expect(page.getByRole('slider')).toHaveAttribute('aria-valuetext', /0:03\.5, Speaker 2/);
  await expect(page.locator('[part=turn]').nth(1)).toHaveAttribute('aria-current', 'true');
  expect(await page.evaluate(() => heard)).toEqual([['timeupdate', 3.5]]);

  // A click on a turn reports it and plays from its start.
  await page.locator('[part=turn]').first().click();
  await expect.poll(async () => (await state()).now).toBeGreaterThan(0.6);
  expect((await state()).paused).toBe(false);
  expect(await page.evaluate(() => heard.find(([type]) => type === 'turnclick'))).toEqual(['turnclick', { startSeconds: 0.5, endSeconds: 2.75, speaker: 'Ada' }]);
  await widget.evaluate((element: HTMLElementTagNameMap['voxlane-diarizer']) => {
    element.pause();
  });
  const { now, paused } = await state();
  expect(paused).toBe(true);
  const positions = await page.evaluate(() => heard.filter(([type]) => type === 'timeupdate').map(([, at]) => at as number));
  expect(positions.at(-1)).toBeCloseTo(now, 1);
  expect(positions.length).toBeLessThan(40);

  // A canceled event moves nothing; beyond the end is the end.
  await widget.evaluate((element: HTMLElementTagNameMap['voxlane-diarizer']) => {
    element.addEventListener('turnclick', (event) => {
      event.preventDefault();
    });
    element.currentTime = 99;
  });
  await page.locator('[part=turn]').nth(2).focus();
  await page.keyboard.press('Enter');
  expect(await state()).toEqual({ now: 8, paused: true });
  // At the end, playback starts again. In another language, it keeps its position.
  await widget.evaluate(async (element: HTMLElementTagNameMap['voxlane-diarizer']) => {
    await element.play();
    element.pause();
    element.currentTime = 2.5;
    element.lang = 'de';
  });
  await expect(page.getByRole('button', { name: 'Abspielen' })).toBeVisible();
  expect(await state()).toEqual({ now: 2.5, paused: true });
});

test('names are set, edited and exported; null and a new file end the result of the page', async ({ page }) => {
  await openWidget(page);
  await page.evaluate((text) => {
    const widget = document.querySelector('voxlane-diarizer')!;
    // Names that come first are for the result that follows.
    widget.speakerNames = { SPEAKER_01: 'Grace' };
    widget.currentTime = 1.25;
    widget.result = text;
  }, RTTM);
  await expect(page.locator('[part=turn]', { hasText: 'Grace' })).toHaveCount(1);
  expect(await page.evaluate(() => document.querySelector('voxlane-diarizer')!.currentTime)).toBe(1.25);
  await expect(page.getByRole('status').filter({ hasText: 'Without its recording' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Play' })).toBeDisabled();
  const failure = await page.evaluate(() => document.querySelector('voxlane-diarizer')!.play().catch((error: unknown) => (error as { code: string }).code));
  expect(failure).toBe('audio-unsupported');
  const field = page.getByRole('textbox', { name: 'Name of Ada' });
  await field.fill('Countess');
  await field.press('Enter');
  expect(await page.evaluate(() => document.querySelector('voxlane-diarizer')!.speakerNames)).toEqual({ SPEAKER_01: 'Grace', Ada: 'Countess' });
  expect(await page.evaluate(() => heard.at(-1))).toEqual(['rename', { speaker: 'Ada', name: 'Countess' }]);
  await page.evaluate(() => {
    document.querySelector('voxlane-diarizer')!.speakerNames = { Ada: 'A. L.' };
  });
  await expect(page.getByRole('textbox')).toHaveCount(2);
  await expect(page.getByRole('textbox').first()).toHaveValue('A. L.');
  await expect(page.getByRole('textbox').last()).toHaveValue('Speaker 2');
  const exported = async (format: string): Promise<string> => {
    await page.getByTestId('export').click();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId(`download-${format}`).click()]);
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  };
  expect(await exported('rttm')).toMatch(/ A\._L\. .*\n.* SPEAKER_01 .*\n.* A\._L\. /);
  const json = await exported('json');
  expect(JSON.parse(json)).toMatchObject({ backend: null, durationSeconds: 7.5, speakers: [{ label: 'Ada', name: 'A. L.', speechSeconds: 3.75 }, { label: 'SPEAKER_01', name: null }] });

  // An export opens again, with its names.
  await page.evaluate((text) => {
    document.querySelector('voxlane-diarizer')!.result = JSON.parse(text) as { turns: [] };
  }, json);
  await expect(page.getByRole('textbox').first()).toHaveValue('A. L.');

  // Wrong values are events with a typed error; the result stays.
  const codes = await page.evaluate(async () => {
    const widget = document.querySelector('voxlane-diarizer')!;
    heard.length = 0;
    widget.result = 'SPEAKER talk 1 zero 1 <NA> <NA> Ada <NA> <NA>';
    widget.currentTime = NaN;
    await new Promise((resolve) => setTimeout(resolve, 0));
    widget.result = { turns: [{ startSeconds: 2, endSeconds: 1, speaker: 'a' }] };
    await new Promise((resolve) => setTimeout(resolve, 0));
    return heard.map(([type, detail]) => [type, (detail as { code: string }).code]);
  });
  expect(codes.sort()).toEqual([['error', 'format'], ['error', 'options'], ['error', 'options']]);
  await expect(page.locator('[part=notice]')).toContainText('result.turns[0].endSeconds is 1');
  await expect(page.locator('[part=turn]')).toHaveCount(3);

  // Null removes the result of the page; a recording is then analyzed.
  await page.evaluate(() => {
    const widget = document.querySelector('voxlane-diarizer')!;
    widget.result = null;
  });
  await expect(page.locator('[part=dropzone]')).toBeVisible();
  await expect(page.locator('[part=notice]')).toBeHidden();
  await page.evaluate((text) => {
    const widget = document.querySelector('voxlane-diarizer')!;
    widget.src = 'missing.wav';
    widget.result = text;
  }, RTTM);
  await expect(page.locator('[part=turn]')).toHaveCount(3);
  expect(await page.evaluate(() => (heard.at(-1)![1] as { code: string }).code)).toBe('source-missing');
  await page.getByTestId('file-input').setInputFiles('public/sample.wav');
  await expect(page.getByRole('progressbar')).toBeVisible();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.locator('[part=turn]')).toHaveCount(3);
});
