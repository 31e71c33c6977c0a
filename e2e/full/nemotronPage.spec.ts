/** The preset nemotron on the page: downloaded only on request, resumed, used, reloaded, used offline, deleted. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { keepRelease } from '../../test/browser/release';
import { expect, test, type Page } from '../../test/browser/test';
import { type NemotronSite, openNemotronSite } from '../../test/nemotron/page';
import { analyze, choose, numPieces, openOptions, PIECE_BYTES, STORED } from '../../test/nemotron/pageActions';
import { NEMOTRON } from '../../test/seededNemotron';
import { cutAfter, stallAfter } from '../../test/store/modelServer';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

// A separate server that can be stopped.
test.use({ ...WITHOUT_GPU, serviceWorkers: 'allow', allowedOrigins: /^http:\/\/127\.0\.0\.1:\d+$/ });

const MINUTES = 60_000;
const MB = 1e6;
const { hub: SOURCE } = NEMOTRON.weights;

let site: NemotronSite;
let page: Page;

test.beforeEach(async ({ page: ofTest }) => {
  site = await openNemotronSite();
  page = ofTest;
});
test.afterEach(() => site.close());

const state = (): ReturnType<Page['getByTestId']> => page.getByTestId('state');

test('download with interruption and resume, analysis, reload, offline use, deletion', async () => {
  test.setTimeout(15 * MINUTES);
  const { hub, release } = site;
  await keepRelease(page, release.address);

  // The choice shows the facts and downloads nothing.
  await choose(page);
  const offer = page.getByTestId('offer-nemotron');
  await expect(offer).toHaveText(/^Download 5\d\.\d MB$/);
  await expect(page.getByTestId('offer-bytes')).toHaveText(/^5\d\.\d MB$/);
  await expect(page.getByTestId('offer-kept')).toHaveText(/^\d\d\.\d MB for WebGPU, converted, or \d\d\.\d MB for WASM.*After a conversion, the original \(5\d\.\d MB\) can be deleted$/);
  await expect(page.getByTestId('offer-license').getByRole('link')).toHaveAttribute('href', /OpenMDW-1\.1/);
  await expect(page.getByTestId('offer-source')).toContainText(`${SOURCE!.repository}, revision ${SOURCE!.revision.slice(0, 12)}`);
  await expect(page.getByTestId('offer-rates')).toContainText('model card');
  await expect(page.getByTestId('speed-fast')).toBeDisabled();
  await expect(page.getByRole('radio', { name: 'WebGPU' })).toBeEnabled();
  await page.getByTestId('to-offer').click();
  await expect(page.locator('.model-box')).toBeFocused();
  await expect(page.getByTestId('offer-rates')).toBeInViewport();
  await expect(page.locator('[role=status]').filter({ hasText: 'Use nemotron: Download' })).toHaveCount(1);
  expect(hub.paths).toEqual([]);

  // Canceled in the middle.
  hub.script.push(stallAfter(20 * MB));
  await offer.click();
  const progress = page.getByTestId('download-progress');
  await expect(progress).toHaveAttribute('aria-valuetext', /^(19|20)(\.\d)? MB of 5\d\.\d MB · 3\d %$/, { timeout: MINUTES });
  await page.getByTestId('cancel-download').click();
  await expect(offer).toHaveText(/^Continue the download, 3\d\.\d MB left$/);
  expect(hub.paths).toEqual([`/${SOURCE!.repository}/resolve/${SOURCE!.revision}/${SOURCE!.file}`]);

  // The next visit asks again and resumes, also after a broken connection.
  await page.reload();
  await openOptions(page);
  await expect(page.getByTestId('preset-auto')).toBeChecked();
  await expect(page.getByTestId(STORED)).toContainText(/\d\d(\.\d)? MB of 5\d\.\d MB downloaded · OpenMDW-1\.1/);
  await choose(page);
  await expect(offer).toHaveText(/^Continue the download, 3\d\.\d MB left$/);
  hub.script.push(cutAfter(15 * MB));
  await offer.click();
  await expect(page.getByTestId(STORED)).toContainText('model.int8.safetensors', { timeout: 3 * MINUTES });
  await expect(offer).toBeHidden();
  const [first, second, third] = hub.asked as [number, number, number];
  expect(hub.asked).toHaveLength(3);
  expect(first).toBe(0);
  expect(second).toBeGreaterThanOrEqual(19 * PIECE_BYTES);
  expect(third).toBeGreaterThan(second);

  // The converted file replaces the original.
  await openOptions(page);
  await expect(page.getByTestId(STORED)).toContainText('model.int8.safetensors');
  const drop = page.getByTestId(`drop-original-${NEMOTRON.id}`);
  await expect(drop).toHaveText(/^Delete the original \(5\d\.\d MB\)$/);
  const all = await numPieces(page);
  await drop.click();
  await expect(drop).toHaveCount(0);
  await expect(page.getByTestId(STORED)).toContainText('model.int8.safetensors');
  expect(await numPieces(page)).toBeLessThan(all / 2);

  const turns = await analyze(page);
  await expect(page.getByTestId('preset-line')).toHaveText('nemotron');
  await page.getByRole('tab', { name: 'Number of speakers' }).click();
  await expect(page.getByTestId('count-slider')).toBeVisible();

  // The saved result opens after a reload.
  await page.reload();
  await expect(state()).toHaveAttribute('data-state', 'done');
  expect(await page.getByTestId('turn-row').allInnerTexts()).toEqual(turns);
  await page.getByTestId('new-recording').click();

  // Offline, with both servers gone.
  await hub.close();
  await release.end();
  await page.context().setOffline(true);
  await page.reload();
  await openOptions(page);
  await expect(page.getByTestId('preset-nemotron')).toBeChecked();
  await expect(offer).toBeHidden();
  expect(await analyze(page)).toEqual(turns);
  await page.getByTestId('new-recording').click();

  await openOptions(page);
  await expect(page.getByTestId(STORED)).toContainText('model');
  expect(await numPieces(page)).toBeGreaterThan(0);
  await page.getByTestId(`delete-model-${NEMOTRON.id}`).click();
  await expect(page.getByTestId(STORED)).toContainText(/download 5\d\.\d MB again/);
  await page.getByTestId('confirm-delete').click();
  await expect(page.getByTestId(STORED)).toHaveCount(0);
  await expect(page.getByTestId('preset-auto')).toBeChecked();
  expect(await numPieces(page)).toBe(0);
});

test('a conversion has its own label, and a canceled one leaves only the download', async () => {
  test.setTimeout(10 * MINUTES);
  const { hub, release, model } = site;
  // Cancels in the page as soon as the label appears: from here, the conversion could be over before the click.
  await page.addInitScript(() => {
    const labels: string[] = [];
    Object.assign(globalThis, { labels });
    new MutationObserver(() => {
      const heading = document.querySelector('.model-box h3')?.textContent ?? '';
      if (heading !== '' && heading !== labels.at(-1)) labels.push(heading);
      const bar = document.querySelector('[data-testid="download-progress"]');
      if (!heading.startsWith('Converting') || Number(bar?.getAttribute('aria-valuenow')) < 60 || labels.includes('clicked')) return;
      labels.push(bar!.getAttribute('aria-label')!, 'clicked');
      document.querySelector<HTMLElement>('[data-testid="cancel-download"]')!.click();
    }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  });
  await page.goto(release.address);
  await choose(page);
  await page.getByTestId('offer-nemotron').click();
  await expect(page.getByText('The conversion was stopped.')).toBeVisible({ timeout: 2 * MINUTES });
  const labels = await page.evaluate(() => (globalThis as unknown as { readonly labels: string[] }).labels);
  expect(labels).toEqual(expect.arrayContaining(['Downloading nemotron', 'Converting nemotron for this browser, once', 'Progress of the conversion', 'clicked']));
  const numOriginal = Math.ceil(model.weights.length / PIECE_BYTES);
  await expect.poll(() => numPieces(page), { timeout: MINUTES }).toBe(numOriginal);
  await expect(page.getByTestId(STORED)).toContainText('model.safetensors');
  await expect(page.getByTestId(STORED)).not.toContainText('int8');
  // The next use converts again, without another download.
  await page.getByTestId('preset-nemotron').check();
  await analyze(page);
  expect(hub.paths).toHaveLength(1);
  expect(await numPieces(page)).toBeGreaterThan(numOriginal);
});

test('a wrong download and wrong files are rejected with a reason, and a file of the user needs no download', async () => {
  test.setTimeout(10 * MINUTES);
  const { hub, release, model } = site;
  await page.goto(release.address);
  const input = page.getByTestId('model-file-input');
  const failure = page.getByTestId('model-failure');

  // One bit of the download differs.
  const altered = Uint8Array.from(model.weights);
  altered[altered.length - 1]! ^= 1;
  hub.served = { bytes: altered, tag: '"two"' };
  await choose(page);
  await page.getByTestId('offer-nemotron').click();
  await expect(failure).toContainText('model-altered', { timeout: 3 * MINUTES });
  await expect(page.getByTestId('retry-download')).toBeVisible();
  await expect(page.getByTestId(STORED)).toHaveCount(0);
  await page.getByTestId('dismiss-model-failure').click();
  hub.reset();

  // A file without all tensors.
  await input.setInputFiles({ name: 'part.safetensors', mimeType: 'application/octet-stream', buffer: Buffer.from(model.weights.subarray(0, 1 << 20)) });
  await expect(failure).toContainText('model-invalid', { timeout: MINUTES });
  await expect(failure).toContainText('part.safetensors');
  await page.getByTestId('dismiss-model-failure').click();

  // Another hash is a question.
  await input.setInputFiles(fileOf('other.safetensors', altered));
  await expect(page.getByTestId('trust-model')).toBeVisible({ timeout: 2 * MINUTES });
  await page.getByTestId('refuse-model').click();

  await input.setInputFiles(fileOf('model.safetensors', model.weights));
  await expect(page.getByTestId(STORED)).toHaveCount(1, { timeout: 2 * MINUTES });
  await expect(page.getByTestId('preset-nemotron')).toBeChecked();
  expect(hub.paths).toEqual([]);
});

/** A file on disk: Playwright accepts at most 50 MB in memory. */
function fileOf(name: string, bytes: Uint8Array): string {
  const path = test.info().outputPath(name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}
