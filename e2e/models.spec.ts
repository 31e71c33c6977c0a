/** Downloads and stored models on the page, against a hub that the test replaces. No model runs here. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseManifest } from '../src/store/manifest';
import { PUBLIC_HUB } from '../src/store/sources';
import { formName } from '../src/weights/formNames';
import { expect, test, type Page, type Route } from '../test/browser/test';
import { WITHOUT_GPU } from '../test/browser/withoutGpu';

test.use({ ...WITHOUT_GPU, allowedOrigins: /^https:\/\/huggingface\.co$/ });

const RESNET = 'wespeaker-resnet34-lm';
const manifest = parseManifest('embedding', JSON.parse(readFileSync(`models/${RESNET}/manifest.json`, 'utf8')), RESNET);
const { bytes, sha256, name, license, hub } = manifest.sources![0]!;
/** Headers that let a cross-origin isolated page read the response. */
const headers = { 'Access-Control-Allow-Origin': '*', 'Cross-Origin-Resource-Policy': 'cross-origin' };

async function openOptions(page: Page): Promise<void> {
  await page.goto('index.html');
  await page.locator('.options__summary').click();
  await expect(page.getByTestId('stored-models')).toBeVisible();
}

test('a download starts on request only, can be stopped, and its failure is explained', async ({ page }) => {
  const asked: string[] = [];
  const answers: ((route: Route) => Promise<void>)[] = [];
  await page.route(`${PUBLIC_HUB}**`, async (route) => {
    asked.push(route.request().url());
    await answers.shift()!(route);
  });
  await openOptions(page);
  await expect(page.getByTestId('stored-total')).toHaveText('None. The models included in this page need no storage.');

  // Each preset shows the size of its download and of the kept files.
  await page.getByTestId('preset-nemotron').check();
  await expect(page.getByTestId('offer-bytes')).toHaveText(/^\d+ MB$/);
  await expect(page.getByTestId('offer-kept')).toHaveText(/^\d+ MB for WebGPU, converted, or \d+ MB for WASM, converted\. After a conversion, the original \(\d+ MB\) can be deleted$/);
  await expect(page.getByTestId('offer-rates')).toContainText('model card');
  await expect(page.getByTestId('speed-fast')).toBeDisabled();
  await page.getByTestId('preset-community-1').check();
  const offer = page.getByTestId('offer-community-1');
  await expect(offer).toHaveText('Download 26.5 MB');
  await expect(page.getByTestId('offer-kept')).toHaveText('26.5 MB');
  await expect(page.getByTestId('offer-license').getByRole('link')).toHaveAttribute('href', /creativecommons/);
  await expect(page.getByTestId('offer-source').getByRole('link')).toHaveAttribute('href', /^https:\/\/huggingface\.co\/Wespeaker\/.*\/tree\/f0c48c/);
  await expect(page.getByTestId('offer-rates')).toHaveCount(0);
  await expect(page.getByTestId('speed-fast')).toBeEnabled();
  await page.getByTestId('to-offer').click();
  await expect(page.locator('.model-box')).toBeFocused();
  expect(asked).toEqual([]);

  // The hub does not answer, and the user stops.
  answers.push(() => new Promise(() => undefined));
  await offer.click();
  const stop = page.getByTestId('cancel-download');
  await expect(stop).toBeFocused();
  await expect(page.locator('.model-box')).toContainText('Downloading community-1');
  await expect.poll(() => asked.length).toBe(1);
  expect(asked[0]).toContain(`/resolve/${hub!.revision}/${name}`);
  await stop.click();
  await expect(offer).toBeFocused();

  // The file is gone.
  answers.push((route) => route.fulfill({ status: 404, headers }));
  await offer.click();
  const failure = page.getByTestId('model-failure');
  await expect(failure).toContainText('community-1 could not be downloaded');
  await expect(failure).toContainText('the server answered 404');
  await expect(failure).toContainText('model-missing');
  // A web page instead of the file, such as the sign-in page of a public network.
  answers.push((route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>', headers }));
  await page.getByTestId('retry-download').click();
  await expect(failure).toContainText('the server answered with a web page instead');
  await page.getByTestId('dismiss-model-failure').click();
  await expect(failure).toHaveCount(0);
  await expect(offer).toBeVisible();

  // A file of the user that is no model needs no request.
  await page.getByTestId('model-file-input').setInputFiles({ name: 'notes.onnx', mimeType: 'application/octet-stream', buffer: Buffer.from('not a model') });
  await expect(failure).toContainText('notes.onnx could not be used');
  await expect(page.getByTestId('stored-total')).toContainText('None.');
  expect(asked).toHaveLength(3);
});

test('stored models are listed and deleted after a question', async ({ page }) => {
  await page.goto('index.html');
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'empty');
  const resnetEntry = { id: RESNET, file: name, bytes, sha256, license, storedAt: Date.UTC(2026, 0, 2), trusted: false };
  // Its bytes are verified before its original is deleted. Of the other files, only the entry in the list matters.
  const converted = new Uint8Array(500_000).fill(7);
  const weights = { id: 'nemotron-3-diarization', license: null, storedAt: Date.UTC(2026, 0, 3), trusted: false };
  const form = formName('int8');
  const convertedKey = `${weights.id}/${'a'.repeat(64)}.${form}`;
  const entries: Record<string, object> = {
    [`${RESNET}/${sha256}`]: resnetEntry,
    [`${weights.id}/${'a'.repeat(64)}`]: { ...weights, file: 'model.safetensors', bytes: 4e8, sha256: 'a'.repeat(64) },
    [convertedKey]: { ...weights, file: 'model.int8.safetensors', bytes: converted.length, sha256: createHash('sha256').update(converted).digest('hex'), made: { from: 'a'.repeat(64), as: form } },
    // Of another release: ignored.
    other: { id: 'other' },
  };
  await page.evaluate(async (all) => {
    const opening = indexedDB.open('voxlane-models');
    opening.onupgradeneeded = () => opening.result.createObjectStore('files');
    await new Promise((resolve) => { opening.onsuccess = resolve; });
    const writing = opening.result.transaction('files', 'readwrite');
    for (const [key, entry] of Object.entries(all)) writing.objectStore('files').put(entry, key);
    await new Promise((resolve) => { writing.oncomplete = resolve; });
    opening.result.close();
  }, entries);
  await page.evaluate(async ([key, numBytes]) => {
    const headers = { 'content-length': String(numBytes) };
    await (await caches.open('voxlane-models')).put(`https://voxlane.invalid/${key}/0`, new Response(new Uint8Array(numBytes).fill(7), { headers }));
  }, [convertedKey, converted.length] as const);
  await openOptions(page);
  const total = page.getByTestId('stored-total');
  await expect(total).toHaveText('2 models, 427 MB in all');
  const nemotron = page.getByTestId(`stored-model-${weights.id}`);
  await expect(nemotron).toContainText('model.int8.safetensors (500 kB)');
  await expect(nemotron).toContainText('license unknown');

  // The converted file makes its original unnecessary.
  const drop = page.getByTestId(`drop-original-${weights.id}`);
  await expect(drop).toHaveText('Delete the original (400 MB)');
  await drop.click();
  await expect(drop).toHaveCount(0);
  await expect(total).toHaveText('2 models, 27 MB in all');
  await expect(nemotron).toContainText('model.int8.safetensors');

  // The confirmation takes the focus and returns it.
  const row = page.getByTestId(`stored-model-${RESNET}`);
  const remove = page.getByTestId(`delete-model-${RESNET}`);
  await expect(row).toContainText(name);
  await remove.click();
  await expect(page.getByTestId('confirm-delete')).toBeFocused();
  await expect(row).toContainText('download 26.5 MB again');
  await page.getByTestId('keep-model').click();
  await expect(remove).toBeFocused();
  await remove.click();
  await page.getByTestId('confirm-delete').click();
  await expect(row).toHaveCount(0);
  await expect(total).toHaveText('1 model, 500 kB in all');
  await page.reload();
  await page.locator('.options__summary').click();
  await expect(total).toHaveText('1 model, 500 kB in all');
});
