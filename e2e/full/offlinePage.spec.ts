/** The whole app works offline after one visit. */
import { expect, test } from '../../test/browser/test';
import { keepRelease, ReleaseServer } from '../../test/browser/release';

// A separate server that can be stopped.
test.use({ serviceWorkers: 'allow', allowedOrigins: /^http:\/\/127\.0\.0\.1:\d+$/ });

let release: ReleaseServer;

test.beforeEach(async () => {
  release = await ReleaseServer.open();
});
test.afterEach(() => release.remove());

test('after one visit, a whole recording is analyzed offline', async ({ page, context, watch }) => {
  // Hide WebGPU, which would add half of all bytes because of the tests' software adapter.
  await page.addInitScript(() => {
    Object.defineProperty(navigator, 'gpu', { value: undefined });
  });
  const { address } = release;
  await keepRelease(page, address);

  // Only the service worker receives requests of workers. The model hub is the only other allowed origin.
  await context.route('https://huggingface.co/**', (route) => route.fulfill({ status: 200, body: '' }));
  release.add('probe.js', 'fetch("https://huggingface.co/probe").finally(() => postMessage("done"))');
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        new Worker('probe.js', { type: 'module' }).onmessage = resolve;
      }),
  );
  await expect(page.getByTestId('outside-count')).toContainText(/: 1$/);
  // The violation detection of all specs also saw it.
  expect(watch.take()).toEqual(['request to https://huggingface.co/probe']);

  await release.end();
  await context.setOffline(true);
  const failed: string[] = [];
  page.on('requestfailed', (request) => failed.push(request.url()));
  page.on('response', (response) => {
    if (response.url().startsWith('http') && !response.fromServiceWorker()) failed.push(`from the network: ${response.url()}`);
  });

  await page.reload();
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await page.locator('.options__summary').click();
  await page.getByRole('radio', { name: 'WASM' }).check();
  await page.getByTestId('try-sample').click();
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done', { timeout: 60_000 });
  await expect(page.getByTestId('turn-row')).toHaveCount(11);
  await expect(page.getByTestId('backend-line')).toContainText('WASM');
  // The browser always checks the server for a newer service worker.
  expect(failed.filter((address) => !address.endsWith('/sw.js'))).toEqual([]);
  await expect(page.getByTestId('outside-count')).toContainText(/: 0$/);

  // The other page also works.
  await page.goto(new URL('compare.html', address).href);
  await expect(page.getByTestId('state')).toBeVisible();
});
