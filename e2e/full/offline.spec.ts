/** A newer version of the app comes whole or not at all, and only when it is wanted. */
import { expect, test } from '../../test/browser/test';
import { keepRelease, ReleaseServer } from '../../test/browser/release';

// A server whose files can be changed, beside the one of the other tests.
test.use({ serviceWorkers: 'allow', allowedOrigins: /^http:\/\/127\.0\.0\.1:\d+$/ });

let release: ReleaseServer;

test.beforeEach(async () => {
  release = await ReleaseServer.open();
});
test.afterEach(() => release.remove());

test('a newer version waits until it is whole and wanted, and leaves nothing of the old one', async ({ page }) => {
  await keepRelease(page, release.address);
  const keptPages = () =>
    page.evaluate(async () => {
      const keys = await (await caches.open('voxlane-release')).keys();
      return keys.filter(({ url }) => new URL(url).pathname.endsWith('/index.html')).length;
    });
  expect(await keptPages()).toBe(1);

  // Half an upload: the list is the new one, a file is not.
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

test('a newer version takes over when it is asked to', async ({ page }) => {
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
