/** A page that cannot start, or lacks a file, says so in plain words and says what to do. */
import { expect, test, type Page } from '../test/browser/test';

const PAGES = ['index.html', 'compare.html'];

/** What browsers and libraries say, and a person should not have to read. */
const FOREIGN_WORDS = /failed to fetch|networkerror|is not defined|is not a constructor|undefined|typeerror|referenceerror/i;

async function expectText(page: Page, ...parts: readonly (string | RegExp)[]): Promise<void> {
  const startup = page.getByTestId('startup');
  // The text of the file waits for three seconds: most pages start before.
  await expect(startup).toBeVisible();
  for (const part of parts) await expect(startup).toContainText(part);
  expect(await startup.innerText()).not.toMatch(FOREIGN_WORDS);
}

for (const file of PAGES) {
  test.describe(file, () => {
    test('starts without a trace of the text', async ({ page }) => {
      await page.goto(file);
      await expect(page.getByTestId('state')).toBeVisible();
      await expect(page.getByTestId('startup')).toHaveCount(0);
    });

    test('without its scripts shows the text of the file, in both languages', async ({ page }) => {
      await page.route('**/assets/*.js', (route) => route.abort());
      await page.goto(file);
      await expectText(page, 'Voxlane could not start', 'allow them for this site', 'reload the page', 'Voxlane konnte nicht starten');
    });

    for (const feature of ['WebAssembly', 'Worker', 'ResizeObserver', 'IntersectionObserver']) {
      test(`without ${feature} names it and says what to do`, async ({ page }) => {
        await page.addInitScript((name) => {
          Reflect.deleteProperty(globalThis, name);
        }, feature);
        await page.goto(file);
        await expectText(page, 'Voxlane could not start', feature === 'Worker' ? 'Web Workers' : feature, 'Update the browser or use another');
      });
    }
  });
}

test('scripts that are turned off leave the text of the file', async ({ browser, baseURL }) => {
  const context = await browser.newContext({ baseURL: baseURL!, javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto('index.html');
  await expectText(page, 'needs JavaScript');
  await context.close();
});

test('a page in German says it in German', async ({ browser, baseURL }) => {
  const context = await browser.newContext({ baseURL: baseURL!, locale: 'de-DE' });
  const page = await context.newPage();
  await page.addInitScript(() => {
    Reflect.deleteProperty(globalThis, 'WebAssembly');
  });
  await page.goto('index.html');
  await expectText(page, 'Voxlane konnte nicht starten', 'WebAssembly fehlt in diesem Browser');
  await context.close();
});
