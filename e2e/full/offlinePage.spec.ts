/** The whole app without a network, after one visit. */
import { expect, test } from '../../test/browser/test';
import { keepRelease, ReleaseServer } from '../../test/browser/release';

// A server that can be ended, beside the one of the other tests.
test.use({ serviceWorkers: 'allow', allowedOrigins: /^http:\/\/127\.0\.0\.1:\d+$/ });

let release: ReleaseServer;

test.beforeEach(async () => {
  release = await ReleaseServer.open();
});
test.afterEach(() => release.remove());

test('after one visit, a whole recording is analyzed without a network', async ({ page, context, watch }) => {
  // Half of all bytes are for WebGPU, and the software adapter of the tests would get them.
  await page.addInitScript(() => {
    Object.defineProperty(navigator, 'gpu', { value: undefined });
  });
  const { address } = release;
  await keepRelease(page, address);

  // Only the service worker sees what a worker asks for; the model hub is the one other origin that it may ask.
  await context.route('https://huggingface.co/**', (route) => route.fulfill({ status: 200, body: '' }));
  release.add('probe.js', 'fetch("https://huggingface.co/probe").finally(() => postMessage("done"))');
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        new Worker('probe.js', { type: 'module' }).onmessage = resolve;
      }),
  );
  await expect(page.getByTestId('outside-count')).toContainText(/: 1$/);
  // The guard of all specs saw it as well.
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
  // The browser asks the server for a newer service worker, whoever answers the page.
  expect(failed.filter((address) => !address.endsWith('/sw.js'))).toEqual([]);
  await expect(page.getByTestId('outside-count')).toContainText(/: 0$/);

  // The other page too.
  await page.goto(new URL('compare.html', address).href);
  await expect(page.getByTestId('state')).toBeVisible();
});
