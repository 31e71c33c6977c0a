/** The model store in Chromium with a server that simulates faults. It never returns an incomplete or wrong model. */
import { createHash } from 'node:crypto';
import { expect, test, type BrowserContext, type Page } from '../../test/browser/test';
import type { Got, StoreRequest } from '../../test/pages/storePage';
import type { Sources } from '../../src/store/sources';
import {
  cutAfter,
  ModelServer,
  noiseBytes,
  stallAfter,
  status,
  webPageAs,
  whole,
} from '../../test/store/modelServer';
import type { ErrorParts } from '../../src/util/errors';

const PIECE_BYTES = 1 << 20;
/** Not a multiple of the piece size. */
const BYTES = noiseBytes(3_500_000, 1);
const SHA256 = createHash('sha256').update(BYTES).digest('hex');
const SOURCES: Sources = [
  {
    name: 'model.onnx',
    bytes: BYTES.length,
    sha256: SHA256,
    license: 'CC-BY-4.0',
    hub: { repository: 'owner/model', revision: 'e'.repeat(40), file: 'model.onnx' },
  },
];

test.use({ allowedOrigins: /^http:\/\/127\.0\.0\.1:\d+$/ });

let server: ModelServer;
let context: BrowserContext;
let page: Page;
const pageErrors: string[] = [];

test.beforeAll(async () => {
  server = await ModelServer.open({ bytes: BYTES, tag: '"one"' });
});

test.beforeEach(async ({ browser, baseURL }) => {
  server.reset();
  server.served = { bytes: BYTES, tag: '"one"' };
  // Each test has an empty profile.
  // Bypass the policy, which allows only the public hub.
  context = await browser.newContext({ baseURL: baseURL!, bypassCSP: true });
  page = await openPage();
});

test.afterEach(async () => {
  await context.close();
  // Unawaited promises can fail long after the call.
  expect(pageErrors).toEqual([]);
});
test.afterAll(() => server.close());

async function openPage(): Promise<Page> {
  const opened = await context.newPage();
  opened.on('pageerror', (error) => pageErrors.push(error.message));
  await opened.goto('test/store.html');
  await ready(opened);
  return opened;
}

const ready = (opened: Page): Promise<unknown> => opened.waitForFunction(() => 'voxlaneStore' in globalThis);

const visitAgain = async (): Promise<void> => {
  await page.reload();
  await ready(page);
};

const get = (changes: Partial<StoreRequest> = {}, tab = page): Promise<Got | ErrorParts> =>
  tab.evaluate((request) => voxlaneStore.get(request), { id: 'm', sources: SOURCES, hub: server.address, ...changes });

/** Requirements for every returned model. */
const SOUND = { numBytes: BYTES.length, sha256: SHA256, trueSha256: SHA256, unknown: false };

/** Expects that no model is stored and the next visit downloads a valid one. */
async function expectNothingKept(): Promise<void> {
  await visitAgain();
  expect(await page.evaluate(() => voxlaneStore.list())).toEqual([]);
  expect(await get()).toMatchObject({ ...SOUND, origin: 'network' });
}

test('resumes after a broken connection, stores the model, and deletes it', async () => {
  server.script.push(cutAfter(1_200_000));
  expect(await get()).toMatchObject({ ...SOUND, origin: 'network', stored: true, note: null });
  expect(server.asked).toHaveLength(2);
  // The browser may have delivered less than was sent before the connection broke.
  expect(server.asked[1]).toBeGreaterThan(0);
  expect(server.asked[1]).toBeLessThanOrEqual(1_200_000);
  const progress = await page.evaluate(() => voxlaneStore.progress);
  expect(progress.at(-1)).toEqual({ receivedBytes: BYTES.length, totalBytes: BYTES.length });

  await visitAgain();
  expect(await get()).toMatchObject({ ...SOUND, origin: 'cache', stored: true, license: 'CC-BY-4.0' });
  expect(server.asked).toHaveLength(2);
  expect(await page.evaluate(() => voxlaneStore.usage())).toMatchObject({ storedBytes: BYTES.length, unfinishedBytes: 0 });

  expect(await page.evaluate(() => voxlaneStore.delete('m'))).toBe(true);
  expect(await page.evaluate(() => voxlaneStore.usage())).toMatchObject({ storedBytes: 0, unfinishedBytes: 0 });
  await expectNothingKept();
});

test('cancel, then reload: no stored model, but the download resumes with the stored pieces', async () => {
  server.script.push(stallAfter(2_500_000));
  expect(await get({ cancelAtBytes: 2_500_000 })).toMatchObject({ code: 'cancelled' });
  await expectNothingKept();
  expect(server.asked).toEqual([0, 2 * PIECE_BYTES]);
});

/** Disables accelerated waits, because stalled transfers must not time out here. */
const withoutHaste = (): Promise<void> =>
  page.evaluate(() => {
    voxlaneStore.haste = 1;
  });

test('a page closed during a download leaves no model, and the next page resumes', async () => {
  await withoutHaste();
  server.script.push(stallAfter(1_500_000));
  void get().catch(() => undefined);
  await expect
    .poll(() => page.evaluate(() => voxlaneStore.usage().then(({ unfinishedBytes }) => unfinishedBytes)))
    .toBe(PIECE_BYTES);
  await page.close();
  page = await openPage();
  await expectNothingKept();
  expect(server.asked).toEqual([0, PIECE_BYTES]);
});

test('a file with a wrong hash is rejected and not stored', async () => {
  server.served = { bytes: noiseBytes(BYTES.length, 2), tag: '"one"' };
  expect(await get()).toMatchObject({ code: 'model-altered' });
  expect(server.asked).toEqual([0]);
  expect(await page.evaluate(() => voxlaneStore.usage())).toMatchObject({ storedBytes: 0, unfinishedBytes: 0 });
  server.served = { bytes: BYTES, tag: '"one"' };
  await expectNothingKept();
  expect(server.asked).toEqual([0, 0]);
});

test('a web page with status 200 and a 404 are rejected immediately', async () => {
  for (const answer of [webPageAs('text/html'), webPageAs('application/octet-stream'), status(404)]) {
    server.reset();
    server.script.push(answer);
    expect(await get()).toMatchObject({ code: 'model-missing' });
    expect(server.asked).toHaveLength(1);
  }
  await expectNothingKept();
});

test('503 twice, then success', async () => {
  server.script.push(status(503), status(503, { 'Retry-After': '3' }));
  expect(await get()).toMatchObject({ ...SOUND, origin: 'network' });
  expect(server.asked).toEqual([0, 0, 0]);
});

test('a stalled transfer is aborted and resumed', async () => {
  server.script.push(stallAfter(-1), stallAfter(2_000_000));
  expect(await get()).toMatchObject({ ...SOUND, origin: 'network' });
  expect(server.asked).toEqual([0, 0, 2_000_000]);
});

test('a full quota: the model works, is not stored, and the user is informed', async ({ baseURL }) => {
  const devtools = await context.newCDPSession(page);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin: new URL(baseURL!).origin, quotaSize: 2_000_000 });
  const got = await get();
  expect(got).toMatchObject({ ...SOUND, origin: 'network', stored: false });
  expect(got).toHaveProperty('note', expect.stringContaining('storage of this browser is full'));
  expect(await page.evaluate(() => voxlaneStore.usage())).toMatchObject({ storedBytes: 0, unfinishedBytes: 0 });
  await devtools.send('Storage.overrideQuotaForOrigin', { origin: new URL(baseURL!).origin });
  await expectNothingKept();
});

test('a model damaged between visits is downloaded and stored again', async () => {
  await get();
  await page.evaluate(() => voxlaneStore.damage(1));
  await visitAgain();
  const got = await get();
  expect(got).toMatchObject({ ...SOUND, origin: 'network', stored: true });
  expect(got).toHaveProperty('note', expect.stringContaining('was damaged'));
  expect(server.asked).toEqual([0, 0]);
  expect(await get()).toMatchObject({ ...SOUND, origin: 'cache', note: null });
});

test('two simultaneous tabs download it once', async () => {
  const second = await openPage();
  server.script.push((request, response, served) => {
    // Long enough for the request of the other tab.
    setTimeout(() => {
      whole(request, response, served);
    }, 300);
  });
  const got = await Promise.all([get(), get({}, second)]);
  for (const each of got) expect(each).toMatchObject({ ...SOUND, stored: true });
  expect(got.map((each) => 'origin' in each && each.origin).sort()).toEqual(['cache', 'network']);
  expect(server.asked).toEqual([0]);
});

test('two simultaneous tabs: if the downloading tab is closed, the other one continues', async () => {
  const second = await openPage();
  await withoutHaste();
  server.script.push(stallAfter(1_500_000));
  void get().catch(() => undefined);
  await expect.poll(() => server.asked.length).toBe(1);
  const waiting = get({}, second);
  await expect
    .poll(() => second.evaluate(() => voxlaneStore.usage().then(({ unfinishedBytes }) => unfinishedBytes)))
    .toBe(PIECE_BYTES);
  await page.close();
  expect(await waiting).toMatchObject({ ...SOUND, origin: 'network' });
  expect(server.asked).toEqual([0, PIECE_BYTES]);
});
