/** Missing or truncated files: the page shows a readable message with a remedy, and the next try works. */
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test, type Page } from '../../test/browser/test';
import { shortenSample } from '../../test/browser/editor';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use(WITHOUT_GPU);
test.beforeEach(({ context }) => shortenSample(context));

/** Internal messages of browsers and libraries that users should not see. */
const FOREIGN_WORDS = /failed to fetch|networkerror|load failed|is not defined|undefined|typeerror|err_|uncaught/i;

/** Runs the sample and returns the error shown by the page, without technical details. */
async function errorOf(page: Page, address = 'index.html'): Promise<string> {
  await page.goto(address);
  await page.getByTestId('try-sample').click();
  const error = page.getByTestId('error');
  await expect(error).toBeVisible({ timeout: 90_000 });
  for (const details of await error.getByTestId('failure-details').all()) await expect(details).not.toHaveAttribute('open');
  const words = await error.innerText();
  expect(words).not.toMatch(FOREIGN_WORDS);
  return words;
}

async function expectRecovery(page: Page): Promise<void> {
  await page.unrouteAll();
  await page.getByTestId('error').getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done', { timeout: 90_000 });
}

const FILES = [
  { name: 'the sample', path: '**/sample.wav', says: /sample recording could not be fetched/, code: 'audio-missing', recovers: false },
  { name: 'a manifest', path: '**/segmentation-3.0/manifest.json', says: /model file .*manifest\.json could not be fetched/, code: 'model-missing', recovers: false },
  { name: 'a model', path: '**/campplus-zh-en/model.onnx', says: /model file .*model\.onnx could not be fetched/, code: 'model-', recovers: false },
  { name: 'the PLDA', path: '**/plda-*/plda.bin', says: /plda\.bin could not be fetched/, code: 'model-', recovers: false },
  { name: 'the decoding worker', path: '**/decode.worker-*.js', says: /decoding worker could not start/, code: 'worker-failed', recovers: true },
  { name: 'the segmentation worker', path: '**/segmentation.worker-*.js', says: /segmentation worker could not start/, code: 'worker-failed', recovers: false },
  { name: 'the embedding worker', path: '**/embedding.worker-*.js', says: /embedding worker could not start/, code: 'worker-failed', recovers: false },
  { name: 'the clustering worker', path: '**/clustering.worker-*.js', says: /clustering worker could not start/, code: 'worker-failed', recovers: false },
];

for (const { name, path, says, code, recovers } of FILES) {
  test(`${name} cannot be reached`, async ({ page }) => {
    await page.route(path, (route) => route.abort());
    const words = await errorOf(page);
    expect(words).toMatch(says);
    expect(words).toContain(`Code: ${code}`);
    // Recovery works in the same way for all files, and testing all would take minutes. Recovery of a model is tested below.
    if (recovers) await expectRecovery(page);
  });
}

test('unreachable golden outputs do not prevent diarization', async ({ page }) => {
  await page.route('**/goldens/*', (route) => route.abort());
  await page.goto('index.html');
  await page.getByTestId('try-sample').click();
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done', { timeout: 90_000 });
  await expect(page.locator('.run')).toContainText(/our WASM kernels ran without a full self-check \(The golden outputs .* could not be fetched/);
});

test('the comparison names golden outputs that it cannot fetch', async ({ page }) => {
  await page.route('**/goldens/*', (route) => route.abort());
  await page.goto('compare.html?model=segmentation-3.0');
  const failure = page.getByTestId('failure');
  await expect(failure).toBeVisible({ timeout: 60_000 });
  await expect(failure).toContainText('could not be fetched');
  expect(await failure.innerText()).not.toMatch(FOREIGN_WORDS);
});

test.describe('a server that breaks the connection', () => {
  let server: Server;
  /** The next `numBroken` responses with this file break off. */
  let brokenFile = '';
  let numBroken = 0;
  test.use({ allowedOrigins: /^http:\/\/127\.0\.0\.1:\d+$/ });

  test.beforeAll(async ({ baseURL }) => {
    const origin = new URL(baseURL!);
    // The test server, with a file that can break off.
    server = createServer((request, response) => {
      get({ host: origin.hostname, port: origin.port, path: request.url, headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        if (request.url?.endsWith(brokenFile) !== true || numBroken-- <= 0) {
          answer.pipe(response);
          return;
        }
        answer.once('data', (chunk: Buffer) => {
          response.write(chunk.subarray(0, chunk.length / 2), () => response.destroy());
          answer.destroy();
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  test.afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  for (const file of ['/campplus-zh-en/model.onnx', '/segmentation-3.0/manifest.json', '/plda.bin']) {
    test(`once during the download of ${file}: the run continues`, async ({ page }) => {
      [brokenFile, numBroken] = [file, 1];
      const { port } = server.address() as AddressInfo;
      await page.goto(`http://127.0.0.1:${port}/index.html`);
      await page.getByTestId('try-sample').click();
      await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done', { timeout: 90_000 });
      expect(numBroken).toBeLessThanOrEqual(0);
    });
  }

  test('during each download of a model', async ({ page }) => {
    [brokenFile, numBroken] = ['/campplus-zh-en/model.onnx', Infinity];
    const { port } = server.address() as AddressInfo;
    const words = await errorOf(page, `http://127.0.0.1:${port}/index.html`);
    expect(words).toMatch(/the connection ended before the whole file arrived|attempts/);
    expect(words).toMatch(/Code: model-(missing|download)/);
    numBroken = 0;
    await expectRecovery(page);
  });
});
