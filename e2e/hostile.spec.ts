/** Names of files and speakers with markup, formulas or prototype keys: page and widget show them as text. */
import { readFileSync } from 'node:fs';
import { drop, exportAs, textOf } from '../test/browser/editor';
import { expect, test, type Page } from '../test/browser/test';
import { openWidget } from '../test/browser/widget';
import { WITHOUT_GPU } from '../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

const MARKUP = '<img src=x onerror="window.PWNED=1"><script>window.PWNED=1</script>';

/** Expects that markup created no elements in the page or a shadow tree, and that no script ran. */
async function expectHarmless(page: Page): Promise<void> {
  const found = await page.evaluate(() => {
    const roots: (Document | ShadowRoot)[] = [document];
    for (const element of document.querySelectorAll('*')) if (element.shadowRoot) roots.push(element.shadowRoot);
    return {
      elements: roots.flatMap((root) => [...root.querySelectorAll('img, svg[onload], script:not([src])')]).length,
      hasRun: 'PWNED' in globalThis,
      isPolluted: 'polluted' in {},
    };
  });
  expect(found).toEqual({ elements: 0, hasRun: false, isPolluted: false });
}

test('the page', async ({ page }) => {
  await page.goto('index.html');
  await drop(page, { name: `${MARKUP}.json`, text: readFileSync('src/formats/fixtures/cases/evil.json', 'utf8') });
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done');
  // The first speaker has the label `__proto__` and markup as a name.
  await expect(page.getByTestId('speaker-name').first()).toHaveValue(MARKUP);
  const name = page.getByTestId('speaker-name').nth(1);
  await name.fill(`${MARKUP}2`);
  await name.press('Enter');
  await expect(page.getByTestId('turn-row').filter({ hasText: `${MARKUP}2` }).first()).toBeVisible();
  await expectHarmless(page);
  // Check every tab, then the exports.
  for (const tab of ['review', 'count', 'transcript', 'score', 'run', 'turns']) {
    const button = page.getByTestId(`tab-${tab}`);
    if (await button.isVisible()) await button.click();
    await expectHarmless(page);
  }
  for (const format of ['rttm', 'json', 'csv', 'vtt']) {
    const text = await textOf(await exportAs(page, format));
    if (format === 'vtt') expect(text).not.toMatch(/<(img|script)/);
    else expect(text).toMatch(/PWNED/);
  }
  // The list of saved work shows its name.
  await page.goto('index.html');
  await expect(page.getByTestId('open-kept')).toContainText('<img src=x');
  await expectHarmless(page);
});

test('the widget', async ({ page }) => {
  await openWidget(page);
  await page.evaluate((markup) => {
    const widget = document.querySelector('voxlane-diarizer')!;
    widget.source = new File([clip(7, 4)], `${markup}.wav`, { type: 'audio/wav' });
  }, MARKUP);
  await expect(page.locator('[part=turn]').first()).toBeVisible({ timeout: 60_000 });
  await expect(page.locator('[part=header]')).toContainText('<img src=x');
  await page.locator('[part=speaker-name]').first().fill(MARKUP);
  await page.locator('[part=speaker-name]').first().press('Enter');
  await expect(page.locator('[part=turn]').filter({ hasText: MARKUP }).first()).toBeVisible();
  await expectHarmless(page);
});
