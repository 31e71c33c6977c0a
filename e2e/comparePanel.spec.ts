/** The comparison panel, used like an engineer who ports a model. */
import { readFileSync } from 'node:fs';
import { openFiles, run, upload, type Upload } from '../test/browser/comparePanel';
import { expect, test, type Page } from '../test/browser/test';
import type { ComparisonReport } from '../src/compare/report';

async function savedReport(page: Page): Promise<{ reports?: ComparisonReport[] } & Record<string, unknown>> {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByTestId('save-report').click()]);
  return JSON.parse(readFileSync(await file.path(), 'utf8')) as Record<string, unknown>;
}

test('a bundled model passes on WASM, its stages can be inspected, and tolerances can be changed', async ({ page }) => {
  // Sounds last until they are stopped, however slow the machine is.
  await page.addInitScript(() => {
    const sounds: string[] = [];
    Object.assign(globalThis, { sounds });
    AudioBufferSourceNode.prototype.start = function (this: AudioBufferSourceNode) { sounds.push(`start of ${this.buffer!.duration.toFixed(1)} s`); };
    AudioBufferSourceNode.prototype.stop = () => { sounds.push('stop'); };
  });
  await openFiles(page, 'public/goldens/segmentation-3.0.zip');
  await expect(page.getByTestId('model-name')).toContainText('segmentation-3.0');
  await run(page, 'wasm');
  await expect(page.getByTestId('verdict')).toContainText(/5 stages pass/i);
  for (const stage of ['sincnet', 'lstm', 'linear1', 'linear2', 'classifier']) {
    await expect(page.getByTestId(`verdict-wasm-${stage}`)).toHaveAttribute('data-verdict', 'pass');
  }
  // Keys move from stage to stage, and the details follow.
  await page.getByTestId('stage-row-lstm').click();
  await expect(page.getByTestId('detail-stage')).toContainText('lstm');
  await page.keyboard.press('ArrowDown');
  await expect(page.getByTestId('detail-stage')).toContainText('linear1');
  for (const part of ['heatmap', 'waveform', 'slice', 'histogram']) await expect(page.getByTestId(part)).toBeVisible();
  await expect(page.getByTestId('worst')).toContainText(/ s\b/);
  // Not its inner text, which is in capitals.
  const before = (await page.getByTestId('slice-title').textContent())!;
  await page.getByTestId('heat-slider').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  await expect(page.getByTestId('slice-title')).not.toHaveText(before);

  const report = await savedReport(page);
  expect(JSON.stringify(report)).toContain('"verdict":"pass"');
  expect(JSON.stringify(report)).toMatch(/graphSha256/);

  // Tolerances can be changed, and the verdict mentions this.
  await page.getByTestId('tolerances').locator('summary').click();
  await page.getByTestId('tolerance-maxAbs-all').fill('0');
  await page.getByTestId('tolerance-maxAbs-all').press('Enter');
  await expect(page.getByTestId('first-divergence')).toContainText('sincnet');
  await expect(page.getByTestId('edited')).toBeVisible();
  expect(JSON.stringify(await savedReport(page))).toContain('"verdict":"pass"');
  await page.getByTestId('tolerances-reset').click();
  await expect(page.getByTestId('verdict')).toContainText(/5 stages pass/i);

  await test.step('the sound of an error is played until it is stopped', async () => {
    const [play, sounds] = [page.getByTestId('play-worst'), (): Promise<unknown> => page.evaluate(() => Reflect.get(globalThis, 'sounds') as unknown)];
    await play.click();
    await expect(play).toHaveText('Stop');
    expect(await sounds()).toEqual(['start of 1.0 s']);
    await play.click();
    await expect(play).toHaveText('Play the worst second');
    expect(await sounds()).toEqual(['start of 1.0 s', 'stop']);
    // A click on the waveform plays there, and selects the column of that time.
    const title = page.getByTestId('slice-title');
    const before = (await title.textContent())!;
    await page.getByTestId('waveform').click({ position: { x: 300, y: 20 } });
    await expect(play).toHaveText('Stop');
    await expect(title).not.toHaveText(before);
    // The pointer reads a cell without selecting it.
    const readout = page.getByTestId('heat-readout');
    const [selected, selectedTitle] = [(await readout.textContent())!, (await title.textContent())!];
    const { width, height } = (await page.getByTestId('heat-slider').boundingBox())!;
    await page.getByTestId('heat-slider').hover({ position: { x: width / 3, y: height / 2 } });
    await expect(readout).not.toHaveText(selected);
    await page.mouse.move(0, 0);
    await expect(readout).toHaveText(selected);
    await expect(title).toHaveText(selectedTitle);
  });

  await test.step('the audit lists the weights, and on request only those with a finding', async () => {
    await page.getByTestId('audit').click();
    await expect(page.getByTestId('audit-heading')).toBeVisible();
    const rows = page.getByTestId('audit-row');
    const numRows = await rows.count();
    expect(numRows).toBeGreaterThan(10);
    const numFlagged = await rows.evaluateAll((all) => all.filter((row) => (row as HTMLElement).dataset.flags !== '').length);
    await page.getByTestId('only-flagged').check();
    await expect(rows).toHaveCount(numFlagged);
    await page.getByTestId('only-flagged').uncheck();
    await expect(rows).toHaveCount(numRows);
  });
});

test('files that cannot be compared cause an explanation', async ({ page }) => {
  await page.goto('compare.html');
  const cases: [Upload, RegExp, string][] = [
    [upload('cut.zip', readFileSync('public/goldens/segmentation-3.0.zip').subarray(0, 5000)), /cannot be unpacked/, 'format'],
    [upload('page.onnx', Buffer.from('<!doctype html><title>Not found</title>')), /is text that begins with/, 'model-invalid'],
    [upload('weights.pt', Buffer.from('PK')), /Python pickle/, 'format'],
    [upload('notes.txt', Buffer.from('hello')), /Nothing can be compared/, 'options'],
  ];
  for (const [file, message, code] of cases) {
    await page.getByTestId('file-input').setInputFiles([file]);
    await expect(page.getByTestId('failure')).toContainText(message);
    await expect(page.getByTestId('failure')).toHaveAttribute('data-code', code);
  }
});
