/** Weights in Chromium: download, conversion, storage and deletion, with a server that simulates faults. */
import { createHash } from 'node:crypto';
import { expect, test, type BrowserContext, type Page } from '../../test/browser/test';
import type { Prepared, WeightsRequest } from '../../test/pages/storePage';
import { cutAfter, ModelServer, stallAfter } from '../../test/store/modelServer';
import { countingSource } from '../../test/weights/countingSource';
import { networkFile, seededTensors } from '../../test/weights/network';
import { BlobSink } from '../../src/store/byteSink';
import { blobSource } from '../../src/store/byteSource';
import type { ErrorParts } from '../../src/util/errors';
import { bindWeights, loadWeights } from '../../src/weights/bind';
import { convertedBytes, convertedTensors, convertWeights, type WeightsForm } from '../../src/weights/convert';
import type { ExpectedTensor } from '../../src/weights/expected';
import { openSafetensors } from '../../src/weights/safetensors';

/** Several pieces of the store; the matrices are larger than one. */
const EXPECTED: readonly ExpectedTensor[] = [
  { name: 'fc1.weight', type: 'float32', shape: [900, 500], channelAxis: 0 },
  { name: 'fc1.bias', type: 'float32', shape: [900], channelAxis: null },
  { name: 'fc2.weight', type: 'float32', shape: [500, 900], channelAxis: 0 },
  { name: 'norm.weight', type: 'float32', shape: [501], channelAxis: null },
];
const FILE = networkFile(seededTensors(EXPECTED));
const SHA256 = createHash('sha256').update(FILE).digest('hex');
const FLOAT16 = 'model.float16.safetensors';

test.use({ allowedOrigins: /^http:\/\/127\.0\.0\.1:\d+$/ });

let server: ModelServer;
let context: BrowserContext;
let page: Page;

test.beforeAll(async () => {
  server = await ModelServer.open({ bytes: FILE, tag: '"one"' });
});
test.beforeEach(async ({ browser, baseURL }) => {
  server.reset();
  // Each test has an empty profile. Bypass the policy, which allows only the public hub.
  context = await browser.newContext({ baseURL: baseURL!, bypassCSP: true });
  page = await openPage();
});
test.afterEach(() => context.close());
test.afterAll(() => server.close());

async function openPage(): Promise<Page> {
  const opened = await context.newPage();
  await opened.goto('test/store.html');
  await opened.waitForFunction(() => 'voxlaneStore' in globalThis);
  return opened;
}

const prepare = (changes: Partial<WeightsRequest> = {}): Promise<Prepared | ErrorParts> =>
  page.evaluate((request) => voxlaneStore.prepare(request), {
    id: 'm',
    sources: [{ name: 'model.safetensors', bytes: FILE.length, sha256: SHA256, license: 'OpenMDW-1.1', hub: { repository: 'owner/model', revision: 'e'.repeat(40), file: 'model.safetensors' } }],
    hub: server.address,
    expected: EXPECTED,
    form: 'float16',
    ...changes,
  } satisfies WeightsRequest);

const files = async (): Promise<string[]> => (await page.evaluate(() => voxlaneStore.list())).map(({ file }) => file).toSorted();

async function visitAgain(): Promise<void> {
  await page.close();
  page = await openPage();
}

/** Hash of all values, converted in Node. */
async function valuesIn(form: WeightsForm): Promise<string> {
  const sink = new BlobSink();
  await convertWeights(bindWeights(await openSafetensors(countingSource(FILE)), EXPECTED), form, SHA256, sink);
  const converted = await openSafetensors(blobSource(sink.file!, 'converted'));
  const weights = await loadWeights(bindWeights(converted, convertedTensors(EXPECTED, form)));
  return createHash('sha256').update(Buffer.concat([...weights.values()])).digest('hex');
}

test('are downloaded with an interruption, converted like in Node, reused after a reload, and deleted', async () => {
  server.script.push(cutAfter(1_200_000));
  const valuesSha256 = await valuesIn('float16');
  const formBytes = convertedBytes(EXPECTED, 'float16');
  expect(await prepare()).toEqual({ sha256: SHA256, license: 'OpenMDW-1.1', origin: 'network', unknown: false, stored: true, note: null, originalBytes: FILE.length, formBytes, valuesSha256 });
  expect(server.asked).toHaveLength(2);
  await visitAgain();
  expect(await prepare()).toMatchObject({ origin: 'cache', originalBytes: null, formBytes, valuesSha256 });
  expect(await prepare({ form: 'int8', dropOriginal: true })).toMatchObject({ origin: 'cache', originalBytes: FILE.length, valuesSha256: await valuesIn('int8') });
  expect(await files()).toEqual([FLOAT16, 'model.int8.safetensors']);
  expect(await page.evaluate(() => voxlaneStore.usage())).toMatchObject({ storedBytes: formBytes + convertedBytes(EXPECTED, 'int8'), unfinishedBytes: 0 });
  expect(server.asked).toHaveLength(2);
  expect(await page.evaluate(() => voxlaneStore.delete('m'))).toBe(true);
  expect(await page.evaluate(() => voxlaneStore.usage())).toMatchObject({ storedBytes: 0, unfinishedBytes: 0 });
});

test('resume after a canceled download, and leave no form after a canceled conversion', async () => {
  server.script.push(stallAfter(2_500_000));
  expect(await prepare({ cancelAt: { step: 'download', doneBytes: 2_500_000 } })).toMatchObject({ code: 'cancelled' });
  expect(await files()).toEqual([]);
  await visitAgain();
  expect(await prepare({ cancelAt: { step: 'convert', doneBytes: FILE.length } })).toMatchObject({ code: 'cancelled' });
  expect(server.asked).toEqual([0, 2 << 20]);
  expect(await files()).toEqual(['model.safetensors']);
  expect(await page.evaluate(() => voxlaneStore.usage())).toMatchObject({ storedBytes: FILE.length, unfinishedBytes: 0 });
  await visitAgain();
  expect(await prepare()).toMatchObject({ origin: 'cache', stored: true });
  expect(server.asked).toHaveLength(2);
});

test('are converted again if a stored piece is damaged', async () => {
  expect(await prepare({ dropOriginal: true })).toMatchObject({ stored: true });
  await page.evaluate(() => voxlaneStore.damage(0));
  await visitAgain();
  expect(await prepare()).toMatchObject({ origin: 'network', stored: true, note: `The stored file ${FLOAT16} was damaged or of another release, and has been deleted`, valuesSha256: await valuesIn('float16') });
  await visitAgain();
  expect(await prepare()).toMatchObject({ origin: 'cache', note: null });
});

/** Limits the storage of the origin as long as the page is open. */
async function setQuota(quotaSize: number): Promise<void> {
  const devtools = await context.newCDPSession(page);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin: new URL(page.url()).origin, quotaSize });
}
const usage = (): ReturnType<typeof voxlaneStore.usage> => page.evaluate(() => voxlaneStore.usage());
const MIB = 1 << 20;

test('are received once if the storage is full during the download, and the converted file is stored in place of the original', async () => {
  const valuesSha256 = await valuesIn('float16');
  // Room for two pieces or for the converted file, and for the overhead of the browser.
  await setQuota(2.5 * MIB);
  expect(await prepare()).toMatchObject({ origin: 'network', stored: true, note: null, valuesSha256 });
  expect(server.asked).toHaveLength(2);
  expect(server.asked[1]).toBeGreaterThan(0);
  expect(server.asked[1]! % MIB).toBe(0);
  expect(await files()).toEqual([FLOAT16]);
  expect(await usage()).toMatchObject({ unfinishedBytes: 0 });
  await visitAgain();
  expect(await prepare()).toMatchObject({ origin: 'cache', note: null, valuesSha256 });
  expect(server.asked).toHaveLength(2);
});

test('are used if the storage is full during the conversion, and nothing that was stored is lost', async () => {
  const formBytes = convertedBytes(EXPECTED, 'float16');
  expect(await prepare({ form: 'int8' })).toMatchObject({ stored: true });
  const before = await usage();
  await setQuota((await page.evaluate(() => navigator.storage.estimate())).usage! + formBytes / 2);
  const size = (formBytes / 1e6).toFixed(1);
  expect(await prepare()).toMatchObject({
    stored: false,
    note: expect.stringMatching(new RegExp(`^The file ${FLOAT16} could not be stored, because the storage of this browser is full: it needs ${size} MB, and there is room for .*(bytes|MB)$`)) as unknown as string,
    valuesSha256: await valuesIn('float16'),
  });
  expect(await files()).toEqual(['model.int8.safetensors', 'model.safetensors']);
  expect(await usage()).toMatchObject({ storedBytes: before.storedBytes, unfinishedBytes: 0 });

  // A deletion needs no room, and makes it.
  await setQuota((await page.evaluate(() => navigator.storage.estimate())).usage!);
  await page.evaluate(() => voxlaneStore.dropOriginal('m'));
  expect(await files()).toEqual(['model.int8.safetensors']);
  await visitAgain();
  expect(await prepare({ form: 'int8' })).toMatchObject({ origin: 'cache', note: null, valuesSha256: await valuesIn('int8') });
  expect(await prepare()).toMatchObject({ origin: 'network', stored: true, note: null });
  expect(server.asked).toEqual([0, 0]);
});
