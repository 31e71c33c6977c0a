/** `<voxlane-diarizer>` in a page: attributes, events, methods, keyboard, several widgets, removal. */
import { expect, test, type Page } from '../test/browser/test';
import { countHeld, held, openWidget } from '../test/browser/widget';
import { WITHOUT_GPU } from '../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

const types = (page: Page): Promise<string[]> => page.evaluate(() => heard.map(([type]) => type).filter((type) => type !== 'progress'));

test('attributes, properties, events and methods', async ({ page }) => {
  await openWidget(page);
  // Properties set before the element is defined are applied.
  expect(
    await page.evaluate(() => {
      const Defined = customElements.get('voxlane-diarizer')!;
      const early = document.createElement('x-late');
      Object.assign(early, { speakers: 3, theme: 'dark' });
      document.body.append(early);
      customElements.define('x-late', class extends Defined {});
      const found = [early.getAttribute('speakers'), early.getAttribute('theme')];
      early.remove();
      return found;
    }),
  ).toEqual(['3', 'dark']);

  const outcome = await page.evaluate(async () => {
    const widget = document.querySelector('voxlane-diarizer')!;
    widget.speakers = 2;
    const reflected = widget.getAttribute('speakers');
    widget.source = clip(7, 8);
    // Both calls return the run of the current source, without a second run.
    const [first, second] = [widget.diarize(), widget.diarize()];
    const result = await first;
    return { reflected, isSame: first === second, isProperty: widget.result === result, speakers: result.speakers.length, turns: result.turns.length };
  });
  expect(outcome).toMatchObject({ reflected: '2', isSame: true, isProperty: true, speakers: 2 });
  expect(await types(page)).toEqual(['result']);
  const details = await page.evaluate(() => heard.map(([type, detail]) => (type === 'progress' ? (detail as { stage: string }).stage : type)));
  expect(details).toContain('embedding');
  await expect(page.locator('[part=turn]')).toHaveCount(outcome.turns);

  // An invalid attribute does not throw. It is reported and shown, and the result stays.
  await page.evaluate(() => {
    document.querySelector('voxlane-diarizer')!.setAttribute('speakers', 'two');
  });
  await expect(page.locator('[part=notice]')).toContainText('The attribute speakers is “two”');
  expect(await page.evaluate(() => (heard.at(-1)![1] as { code: string }).code)).toBe('options');
  expect(await page.evaluate(() => document.querySelector('voxlane-diarizer')!.diarize().catch((error: unknown) => (error as { code: string }).code))).toBe('options');
  await page.evaluate(() => {
    document.querySelector('voxlane-diarizer')!.speakers = null;
  });
  await expect(page.locator('[part=notice]')).toBeHidden();

  // The property takes precedence over `src`, and `src` over the result of another recording. A missing file is an error.
  await page.evaluate(() => {
    document.querySelector('voxlane-diarizer')!.src = 'missing.wav';
  });
  await expect(page.locator('[part=error]')).toContainText('the server answered 404');
  await expect(page.locator('[part=error]')).toContainText('Code: source-missing');
  await page.getByRole('button', { name: 'Back to the last result' }).click();
  await expect(page.locator('[part=tracks]')).toBeVisible();
  const without = await page.evaluate(() => document.createElement('voxlane-diarizer').diarize(clip(7, 2)).catch((error: unknown) => (error as { code: string }).code));
  expect(without).toBe('disposed');
});

test('by keyboard: open a file, cancel, play, rename, download; German on a German page', async ({ page }) => {
  await openWidget(page);
  await page.keyboard.press('Tab');
  await expect(page.getByTestId('file-input')).toBeFocused();
  await page.getByTestId('file-input').setInputFiles('public/sample.wav');
  // The focus moved with the view, so Escape reaches the run.
  await expect(page.getByRole('progressbar')).toHaveAttribute('aria-valuenow', /^[1-9]/, { timeout: 30_000 });
  await page.keyboard.press('Escape');
  await expect(page.locator('[part=dropzone]')).toBeVisible();
  expect(await types(page)).toEqual(['cancel']);
  await expect(page.getByRole('status').filter({ hasText: 'Canceled.' })).toBeAttached();

  await page.evaluate(() => {
    document.querySelector('voxlane-diarizer')!.source = clip(7, 6, 'talk.wav');
  });
  await expect(page.locator('[part=tracks]')).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole('heading', { name: 'talk.wav' })).toBeFocused();
  const slider = page.getByRole('slider');
  await slider.focus();
  await page.keyboard.press('ArrowRight');
  await expect(slider).toHaveAttribute('aria-valuenow', '5');
  const name = page.getByRole('textbox').first();
  await name.focus();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type('Ada');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => heard.at(-1))).toEqual(['rename', { speaker: 'SPEAKER_00', name: 'Ada' }]);
  await expect(page.locator('[part=turn]', { hasText: 'Ada' }).first()).toBeVisible();
  await page.locator('[part=turn]').first().focus();
  await page.keyboard.press('ArrowDown');
  await expect(page.locator('[part=turn]').nth(1)).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  await page.getByTestId('export').focus();
  await page.keyboard.press('Enter');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('download-vtt').click()]);
  expect(download.suggestedFilename()).toBe('talk.vtt');
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).toString()).toContain('<v Ada>');

  await page.evaluate(() => {
    document.documentElement.lang = 'de';
    const widget = document.querySelector('voxlane-diarizer')!;
    document.body.append(widget);
  });
  await expect(page.getByRole('button', { name: 'Abspielen' })).toBeVisible();
  await expect(page.locator('[part=turn]', { hasText: 'Ada' }).first()).toBeVisible();
});

test('two widgets share one engine and alternate; removed widgets are freed and work again', async ({ page }) => {
  await countHeld(page);
  await openWidget(page);
  const before = await held(page);
  await page.evaluate(() => {
    addWidget();
    for (const widget of document.querySelectorAll('voxlane-diarizer')) widget.source = clip(7, 6);
  });
  await expect(page.getByRole('paragraph').filter({ hasText: 'Waiting for another recording on this page' })).toBeVisible();
  await expect(page.locator('[part=tracks]')).toHaveCount(2, { timeout: 60_000 });
  // Only the two workers that read the waveforms were started and terminated in between.
  await expect.poll(() => held(page).then(({ started, workers }) => started - workers)).toBe(2);
  const both = await held(page);
  expect(both.workers).toBeGreaterThan(0);

  // A moved widget keeps its state.
  await page.evaluate(() => {
    const [first, second] = document.querySelectorAll('voxlane-diarizer');
    first!.before(second!);
  });
  await expect(page.locator('[part=tracks]')).toHaveCount(2);
  await page.evaluate(() => {
    document.querySelector('voxlane-diarizer')!.remove();
  });
  // With two engines, one would end here.
  expect((await held(page)).workers).toBe(both.workers);

  // The last widget is removed during a run.
  const cancelled = await page.evaluate(async () => {
    const widget = document.querySelector('voxlane-diarizer')!;
    const run = widget.diarize(clip(7, 8));
    await new Promise((resolve) => {
      widget.addEventListener('progress', resolve, { once: true });
    });
    widget.remove();
    Object.assign(globalThis, { kept: widget });
    return run.catch((error: unknown) => (error as { code: string }).code);
  });
  expect(cancelled).toBe('cancelled');
  await expect.poll(() => held(page)).toMatchObject({ workers: 0, objectUrls: before.objectUrls, listeners: before.listeners });

  await page.evaluate(() => {
    document.body.append((globalThis as unknown as { kept: Node }).kept);
  });
  await expect(page.getByRole('progressbar')).toBeVisible();
  await expect(page.locator('[part=tracks]')).toBeVisible({ timeout: 60_000 });
});
