/** Checks the size of touch targets on the page and in the widget. */
import { expectNoSideways } from '../../test/browser/accessibilityTests';
import { drop, openSampleTurns } from '../../test/browser/editor';
import { expect, test, type Page } from '../../test/browser/test';
import { putClip } from '../../test/browser/widget';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use({ ...WITHOUT_GPU, hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 }, reducedMotion: 'reduce' });

/** Finds touch targets that are too small, and fields that iOS would zoom into. */
async function fingerFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const [least, leastText] = [44, 16];
    // Boxes have fractional sizes, so allow half a pixel for rounding.
    const rounding = 0.5;
    const roots: ParentNode[] = [document];
    for (const { shadowRoot } of document.querySelectorAll('*')) if (shadowRoot) roots.push(shadowRoot);
    const all = roots.flatMap((root) => [
      ...root.querySelectorAll<HTMLElement>('a[href], button, input, select, textarea, summary, [role=slider], [tabindex]:not([tabindex="-1"]), .turns__row, .tracks__edge'),
    ]);
    const labelsOf = (element: HTMLElement): HTMLElement[] => [...((element as HTMLInputElement).labels ?? [])];
    const isSeen = (element: HTMLElement): boolean => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
    const faults: string[] = [];
    let looked = 0;
    for (const element of all) {
      if (!isSeen(element)) continue;
      // WCAG 2.5.5 and 2.5.8 exclude links in running text.
      if (element.matches('p a, dd a') && getComputedStyle(element).display === 'inline') continue;
      looked++;
      const name = `${element.localName}.${element.className} “${(element.getAttribute('aria-label') ?? element.textContent).trim().slice(0, 30)}”`;
      // A label forwards presses to its field.
      const boxes = [element, ...labelsOf(element)].filter(isSeen).map((each) => each.getBoundingClientRect());
      if (!boxes.some(({ width, height }) => width >= least - rounding && height >= least - rounding)) {
        faults.push(`${name}: ${boxes.map(({ width, height }) => `${width.toFixed(1)} x ${height.toFixed(1)}`).join(', ')}`);
      }
      const isText = element.matches('select, textarea, input:not([type=radio], [type=checkbox], [type=range], [type=file])');
      const size = parseFloat(getComputedStyle(element).fontSize);
      if (isText && size < leastText) faults.push(`${name}: text of ${size} px`);
    }
    if (looked < 5) faults.push(`only ${looked} elements were found`);
    return faults;
  });
}

test('all controls on the page are large enough, and no field triggers zooming', async ({ page }) => {
  await page.goto('index.html');
  await page.locator('.options__summary').click();
  expect(await fingerFaults(page), 'empty').toEqual([]);
  await page.locator('.privacy__count').click();
  expect(await fingerFaults(page), 'requests').toEqual([]);
  await drop(page, { name: 'notes.txt', text: 'no recording '.repeat(20) });
  await expect(page.getByTestId('error')).toBeVisible({ timeout: 60_000 });
  expect(await fingerFaults(page), 'error').toEqual([]);

  await openSampleTurns(page);
  await page.getByTestId('turn-row').nth(4).tap();
  await expect(page.getByTestId('grip-end')).toBeVisible();
  await page.getByRole('button', { name: 'Zoom in' }).tap();
  await expect(page.getByTestId('minimap-window')).toBeVisible();
  for (const tab of ['turns', 'review', 'count', 'transcript', 'score']) {
    await page.getByTestId(`tab-${tab}`).tap();
    if (tab === 'score') await page.getByTestId('reference-input').setInputFiles({ name: 'other.rttm', mimeType: 'text/plain', buffer: Buffer.from('SPEAKER talk 1 1.000 9.000 <NA> <NA> Bob <NA> <NA>\n') });
    if (tab === 'score') await expect(page.getByTestId('score-error-row').first()).toBeVisible();
    if (tab === 'transcript') await drop(page, { name: 'talk.srt', text: '1\n00:00:07,000 --> 00:00:09,000\nHello\n' });
    expect(await fingerFaults(page), tab).toEqual([]);
    await expectNoSideways(page, tab);
  }
  await page.getByTestId('export').tap();
  expect(await fingerFaults(page), 'export menu').toEqual([]);
  await page.keyboard.press('Escape');
  await page.getByTestId('show-keys').tap();
  expect(await fingerFaults(page), 'keys').toEqual([]);
  await page.goto('compare.html');
  await expect(page.getByRole('button').first()).toBeVisible();
  expect(await fingerFaults(page), 'comparison').toEqual([]);
  await expectNoSideways(page, 'comparison');
});

test('all controls of the widget are large enough', async ({ page }) => {
  await page.goto('test/widget.html');
  await putClip(page);
  await page.evaluate(() => {
    const widget = document.createElement('voxlane-diarizer');
    widget.setAttribute('backend', 'wasm');
    document.getElementById('widgets')?.append(widget);
  });
  await expect(page.locator('[part=dropzone]')).toBeVisible();
  await page.evaluate(() => document.querySelector('voxlane-diarizer')!.diarize(clip(7, 6)).then(() => undefined));
  await expect(page.locator('[part=turn]').first()).toBeVisible();
  expect(await fingerFaults(page), 'result').toEqual([]);
  await page.getByText('Export', { exact: true }).tap();
  expect(await fingerFaults(page), 'export menu').toEqual([]);
  await expectNoSideways(page, 'widget');
});
