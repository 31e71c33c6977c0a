/** A newer version of the app is installed completely or not at all, and only on request. */
import { expect, test } from '../../test/browser/test';
import { keepRelease, ReleaseServer } from '../../test/browser/release';

// A separate server whose files can be changed.
test.use({ serviceWorkers: 'allow', allowedOrigins: /^http:\/\/127\.0\.0\.1:\d+$/ });

let release: ReleaseServer;

test.beforeEach(async () => {
  release = await ReleaseServer.open();
});
test.afterEach(() => release.remove());

test('a newer version waits until it is complete and requested, and removes the old one', async ({ page }) => {
  await keepRelease(page, release.address);
  const keptPages = () =>
    page.evaluate(async () => {
      const keys = await (await caches.open('voxlane-release')).keys();
      return keys.filter(({ url }) => new URL(url).pathname.endsWith('/index.html')).length;
    });
  expect(await keptPages()).toBe(1);

  // An incomplete upload: the list is new, but a file is not.
  release.change('index.html', (html) => html.replace('<title>', '<title>Newer: '));
  release.change('favicon.svg', (svg) => `${svg}\n`);
  release.add('favicon.svg', 'something else');
  const end = await page.evaluate(async () => {
    const registration = (await navigator.serviceWorker.getRegistration())!;
    const ended = new Promise((resolve) => {
      registration.addEventListener('updatefound', () => {
        const { installing } = registration;
        installing?.addEventListener('statechange', () => {
          resolve(installing.state);
        });
      });
    });
    await registration.update();
    return ended;
  });
  expect(end).toBe('redundant');
  await page.reload();
  await expect(page.locator('.page')).toBeVisible();
  expect(await page.content()).not.toContain('<title>Newer: ');
  await expect(page.getByTestId('update')).toBeHidden();
});

test('a newer version takes over on request', async ({ page }) => {
  await keepRelease(page, release.address);
  release.change('index.html', (html) => html.replace('<body>', '<body data-version="newer">'));
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
  await expect(page.getByTestId('update')).toBeVisible();
  await expect(page.locator('body')).not.toHaveAttribute('data-version');
  await page.getByTestId('update').getByRole('button').click();
  await expect(page.locator('body')).toHaveAttribute('data-version', 'newer');
  await expect(page.getByTestId('offline-state')).toHaveAttribute('data-kept', 'ready', { timeout: 60_000 });
  const kept = await page.evaluate(async () => {
    const keys = await (await caches.open('voxlane-release')).keys();
    return keys.map(({ url }) => new URL(url).pathname);
  });
  expect(new Set(kept).size, 'one version of each file').toBe(kept.length);
});
