/** A page that cannot start or lacks a file shows a plain message with a remedy. */
import { expect, test, type Page } from '../test/browser/test';

/** Both pages check features in the same code, so one missing feature is enough for the second page. */
const PAGES = [
  { file: 'index.html', features: ['WebAssembly', 'Worker', 'ResizeObserver', 'IntersectionObserver'] },
  { file: 'compare.html', features: ['Worker'] },
];

/** Internal messages of browsers and libraries that users should not see. */
const FOREIGN_WORDS = /failed to fetch|networkerror|is not defined|is not a constructor|undefined|typeerror|referenceerror/i;

async function expectText(page: Page, ...parts: readonly (string | RegExp)[]): Promise<void> {
  const startup = page.getByTestId('startup');
  // The static text appears after three seconds. Most pages start earlier.
  await expect(startup).toBeVisible();
  for (const part of parts) await expect(startup).toContainText(part);
  expect(await startup.innerText()).not.toMatch(FOREIGN_WORDS);
}

for (const { file, features } of PAGES) {
  test.describe(file, () => {
    test('starts without showing the text', async ({ page }) => {
      await page.goto(file);
      await expect(page.getByTestId('state')).toBeVisible();
      await expect(page.getByTestId('startup')).toHaveCount(0);
    });

    test('without its scripts shows the static text in both languages', async ({ page }) => {
      await page.route('**/assets/*.js', (route) => route.abort());
      await page.goto(file);
      await expectText(page, 'Voxlane could not start', 'allow them for this site', 'reload the page', 'Voxlane konnte nicht starten');
    });

    for (const feature of features) {
      test(`without ${feature} names it and shows a remedy`, async ({ page }) => {
        await page.addInitScript((name) => {
          Reflect.deleteProperty(globalThis, name);
        }, feature);
        await page.goto(file);
        await expectText(page, 'Voxlane could not start', feature === 'Worker' ? 'Web Workers' : feature, 'Update the browser or use another');
      });
    }
  });
}

test('with scripts disabled, the static text is shown', async ({ browser, baseURL }) => {
  const context = await browser.newContext({ baseURL: baseURL!, javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto('index.html');
  await expectText(page, 'needs JavaScript');
  await context.close();
});

test('a German page shows the message in German', async ({ browser, baseURL }) => {
  const context = await browser.newContext({ baseURL: baseURL!, locale: 'de-DE' });
  const page = await context.newPage();
  await page.addInitScript(() => {
    Reflect.deleteProperty(globalThis, 'WebAssembly');
  });
  await page.goto('index.html');
  await expectText(page, 'Voxlane konnte nicht starten', 'WebAssembly fehlt in diesem Browser');
  await context.close();
});
