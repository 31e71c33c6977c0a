/** The preset nemotron in two tabs of the page, and a run that is canceled in each phase. */
import { expect, test, type Page } from '../../test/browser/test';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';
import { type NemotronSite, NUM_LAYERS, openNemotronSite } from '../../test/nemotron/page';
import { analyze, choose, numPieces, openOptions, PIECE_BYTES, STORED } from '../../test/nemotron/pageActions';
import { NEMOTRON, nemotronGraph } from '../../test/seededNemotron';
import { stallAfter } from '../../test/store/modelServer';
import { convertedBytes } from '../../src/weights/convert';
import { expectedWeights } from '../../src/weights/expected';

test.use({ ...WITHOUT_GPU, allowedOrigins: /^http:\/\/127\.0\.0\.1:\d+$/ });

const MINUTES = 60_000;
const MB = 1e6;

let site: NemotronSite;
test.beforeEach(async () => {
  site = await openNemotronSite();
});
test.afterEach(() => site.close());

async function openTab(page: Page): Promise<Page> {
  const tab = await page.context().newPage();
  await tab.goto(site.release.address);
  return tab;
}

const heading = (page: Page): ReturnType<Page['locator']> => page.locator('.model-box h3');
const state = (page: Page): ReturnType<Page['getByTestId']> => page.getByTestId('state');

async function deleteModel(page: Page): Promise<void> {
  await openOptions(page);
  await page.getByTestId(`delete-model-${NEMOTRON.id}`).click();
  await page.getByTestId('confirm-delete').click();
}

test('two tabs: one download, a clear wait, no deletion during it, and no unasked download after a deletion', async ({ page: first }) => {
  test.setTimeout(15 * MINUTES);
  const { hub, release } = site;
  await first.goto(release.address);
  await choose(first);
  // After a stalled connection, the next ones stall too, as long as the test needs.
  hub.script.push(stallAfter(20 * MB), ...Array.from({ length: 20 }, () => stallAfter(0)));
  await first.getByTestId('offer-nemotron').click();
  await expect(first.getByTestId('download-progress')).toHaveAttribute('aria-valuetext', /^(19|20)(\.\d)? MB of /, { timeout: MINUTES });

  // The second tab cannot delete what the first one downloads.
  const second = await openTab(first);
  await openOptions(second);
  await expect(second.getByTestId(STORED)).toContainText(/\d MB of \d\d\.\d MB downloaded/);
  await deleteModel(second);
  const failure = second.getByTestId('model-failure');
  await expect(failure).toContainText('another tab is downloading or converting it');
  await expect(failure).toContainText('storage');
  await second.getByTestId('dismiss-model-failure').click();
  expect(await numPieces(second)).toBeGreaterThanOrEqual(18);

  // It waits for the first tab instead of downloading a second time.
  await choose(second);
  await second.getByTestId('offer-nemotron').click();
  await expect(heading(second)).toHaveText('Another tab is downloading or converting nemotron. This tab continues after it', { timeout: 2 * MINUTES });
  await expect(second.locator('[role=status]').filter({ hasText: 'Another tab is downloading or converting nemotron' })).toHaveCount(1);
  await expect(second.getByTestId('download-progress')).toBeHidden();

  // A canceled wait does not disturb the first tab.
  await second.getByTestId('cancel-download').click();
  await expect(second.getByTestId('offer-nemotron')).toBeVisible();
  await expect(heading(first)).toHaveText('Downloading nemotron');
  await second.getByTestId('offer-nemotron').click();
  await expect(heading(second)).toContainText('Another tab', { timeout: 2 * MINUTES });

  // The second tab continues after the first one was closed.
  const before = hub.asked.length;
  hub.script.length = 0;
  await first.close();
  await expect(second.getByTestId(STORED)).toContainText('model.int8.safetensors', { timeout: 3 * MINUTES });
  const later = hub.asked.slice(before);
  expect(later).toHaveLength(1);
  expect(later[0]).toBeGreaterThanOrEqual(18 * PIECE_BYTES);
  const turns = await analyze(second);
  await second.getByTestId('new-recording').click();

  // A deletion reaches a tab that uses the model: its next run would download it.
  const third = await openTab(second);
  await openOptions(third);
  await expect(third.getByTestId('preset-nemotron')).toBeChecked();
  await expect(third.getByTestId(STORED)).toContainText('model.int8.safetensors');
  const numRequests = hub.paths.length;
  await deleteModel(second);
  await expect(second.getByTestId(STORED)).toHaveCount(0);
  await expect(third.getByTestId('preset-auto')).toBeChecked();
  await expect(third.getByTestId(STORED)).toHaveCount(0);
  expect(await numPieces(third)).toBe(0);
  expect(hub.paths).toHaveLength(numRequests);

  // The deleted model can be downloaded again, from the first byte. The other tab lists it.
  await choose(third);
  await third.getByTestId('offer-nemotron').click();
  await expect(second.getByTestId(STORED)).toContainText('model.int8.safetensors', { timeout: 3 * MINUTES });
  expect(hub.asked.at(-1)).toBe(0);
  expect(await analyze(third)).toEqual(turns);
});

test('a tab that was left during the conversion: no broken file, and the next visit converts without another download', async ({ page }) => {
  test.setTimeout(10 * MINUTES);
  const { hub, release, model } = site;
  // In the page: from here, the conversion could be over before the tab is left.
  await page.addInitScript(() => {
    new MutationObserver(() => {
      const isConverting = document.querySelector('.model-box h3')?.textContent.startsWith('Converting') === true;
      const bar = document.querySelector('[data-testid="download-progress"]');
      // The second half of a conversion writes.
      if (isConverting && Number(bar?.getAttribute('aria-valuenow')) > 60) location.replace('about:blank');
    }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  });
  await page.goto(release.address);
  await choose(page);
  await page.getByTestId('offer-nemotron').click();
  await page.waitForURL('about:blank', { timeout: 3 * MINUTES });

  const next = await openTab(page);
  await openOptions(next);
  await expect(next.getByTestId(STORED)).toContainText('model.safetensors');
  await expect(next.getByTestId(STORED)).not.toContainText('int8');
  await choose(next);
  await analyze(next);
  await next.getByTestId('new-recording').click();
  await openOptions(next);
  await expect(next.getByTestId(STORED)).toContainText('model.int8.safetensors');
  expect(hub.paths).toHaveLength(1);
  // Nothing is left of the first conversion, and nothing of the second one is missing.
  const bytes = await next.evaluate(async () => {
    const cache = await caches.open('voxlane-models');
    const sizes = await Promise.all((await cache.keys()).map(async (key) => [key.url.includes('int8'), Number((await cache.match(key))!.headers.get('content-length'))] as const));
    const sum = (isInt8: boolean): number => sizes.reduce((total, [is, size]) => total + (is === isInt8 ? size : 0), 0);
    return { original: sum(false), int8: sum(true) };
  });
  expect(bytes).toEqual({ original: model.weights.length, int8: convertedBytes(expectedWeights(nemotronGraph(NUM_LAYERS)), 'int8') });
});

/** Stops the next model worker forever when it reads a number of stored pieces: in the check of their hash. */
async function hangInHashCheck(page: Page): Promise<void> {
  await page.route('**/sortformer.worker-*.js', async (route) => {
    const response = await route.fetch();
    const hang = `{
      const match = Cache.prototype.match;
      let numReads = 0;
      Cache.prototype.match = function (...parameters) {
        if (++numReads < 4) return match.apply(this, parameters);
        new BroadcastChannel('voxlane-test').postMessage('hangs');
        return new Promise(() => {});
      };
    }`;
    await route.fulfill({ response, body: `${hang}\n${await response.text()}` });
  });
  await page.evaluate(() => {
    const hangs = new Promise((resolve) => { new BroadcastChannel('voxlane-test').onmessage = resolve; });
    Object.assign(globalThis, { hangs });
  });
}

test('a cancellation in the self-check, the hash check and the analysis: the page stays usable, and the next start continues', async ({ page }) => {
  test.setTimeout(10 * MINUTES);
  const { hub, release } = site;
  await page.goto(release.address);
  const offer = page.getByTestId('offer-nemotron');

  // The self-check precedes the download.
  await choose(page);
  await offer.click();
  await page.getByTestId('cancel-download').click();
  await expect(offer).toHaveText(/^Download 5\d\.\d MB$/);
  expect(hub.paths).toEqual([]);
  expect(await numPieces(page)).toBe(0);
  await offer.click();
  await expect(page.getByTestId(STORED)).toContainText('model.int8.safetensors', { timeout: 3 * MINUTES });
  const turns = await analyze(page);
  await page.getByTestId('new-recording').click();

  // A new visit checks the hash of the stored file.
  await page.reload();
  const stored = await numPieces(page);
  await hangInHashCheck(page);
  await page.getByTestId('try-sample').click();
  await page.evaluate(() => (globalThis as unknown as { readonly hangs: Promise<unknown> }).hangs);
  await expect(state(page)).toHaveAttribute('data-state', 'loading');
  await page.getByTestId('cancel').click();
  await expect(state(page)).toHaveAttribute('data-state', 'empty');
  await page.unroute('**/sortformer.worker-*.js');
  expect(await numPieces(page)).toBe(stored);

  // In the analysis. In the page, because it could be over before a click from here.
  await page.evaluate(() => {
    new MutationObserver((_changes, observer) => {
      if (document.querySelector('[data-state="running"]') === null) return;
      observer.disconnect();
      Object.assign(globalThis, { isStopped: true });
      document.querySelector<HTMLElement>('[data-testid="cancel"]')!.click();
    }).observe(document, { subtree: true, attributes: true });
  });
  await page.getByTestId('try-sample').click();
  await page.waitForFunction(() => 'isStopped' in globalThis, null, { timeout: 2 * MINUTES });
  await expect(state(page)).toHaveAttribute('data-state', 'empty');
  await expect(page.getByTestId('preset-nemotron')).toBeChecked();

  expect(await analyze(page)).toEqual(turns);
  expect(hub.paths).toHaveLength(1);
  expect(await numPieces(page)).toBe(stored);
});
