/** `<voxlane-diarizer>` as a page has it: attributes, events, methods, the keyboard, several at once, removal. */
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '../../test/browser/test';
import { putClip } from '../../test/browser/widget';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

/** The widget page with a widget, whose events are kept in `heard`. */
async function openWidget(page: Page, attributes: Readonly<Record<string, string>> = {}): Promise<void> {
  await page.goto('test/widget.html');
  await putClip(page);
  await page.evaluate((given) => {
    globalThis.heard = [];
    globalThis.addWidget = () => {
      const widget = document.createElement('voxlane-diarizer');
      for (const [name, value] of Object.entries({ backend: 'wasm', ...given })) widget.setAttribute(name, value);
      for (const type of ['progress', 'result', 'error', 'cancel', 'rename'] as const) {
        widget.addEventListener(type, (event: Event) => globalThis.heard.push([type, (event as CustomEvent<unknown>).detail]));
      }
      document.getElementById('widgets')?.append(widget);
      return widget;
    };
    addWidget();
  }, attributes);
}

declare global {
  var heard: [string, unknown][];
  var addWidget: () => HTMLElementTagNameMap['voxlane-diarizer'];
}

async function expectAccessible(page: Page, state: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`), state).toEqual([]);
  const { wide, screen } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, screen: innerWidth }));
  expect(wide, `${state}: width`).toBeLessThanOrEqual(screen);
}

for (const { colorScheme, width } of [
  { colorScheme: 'light', width: 900 },
  { colorScheme: 'dark', width: 320 },
] as const) {
  test.describe(`${colorScheme}, ${width} px`, () => {
    test.use({ colorScheme, viewport: { width, height: 900 }, reducedMotion: 'reduce' });

    test('nothing that axe finds in any state', async ({ page }) => {
      await openWidget(page, { theme: colorScheme });
      await expectAccessible(page, 'empty');
      await page.evaluate(() => {
        document.querySelector('voxlane-diarizer')!.src = 'sample.wav';
      });
      await expect(page.getByRole('progressbar')).toHaveAttribute('aria-valuenow', /^[1-9]/, { timeout: 30_000 });
      await expectAccessible(page, 'running');
      await page.evaluate(() => {
        document.querySelector('voxlane-diarizer')!.source = clip(7, 6, 'talk.wav');
      });
      await expect(page.locator('[part=lanes]')).toBeVisible({ timeout: 60_000 });
      await page.getByTestId('export').click();
      await expectAccessible(page, 'done, with its menu');
      await page.keyboard.press('Escape');
      await page.evaluate(() => {
        const widget = document.querySelector('voxlane-diarizer')!;
        widget.setAttribute('preset', 'best');
        widget.source = new File(['no recording '.repeat(20)], 'notes.txt');
      });
      await expect(page.locator('[part=notice]')).toBeVisible();
      await expectAccessible(page, 'notice');
      await page.evaluate(() => {
        document.querySelector('voxlane-diarizer')!.removeAttribute('preset');
      });
      await expect(page.locator('[part=error]')).toBeVisible({ timeout: 30_000 });
      await expectAccessible(page, 'error');
    });
  });
}
