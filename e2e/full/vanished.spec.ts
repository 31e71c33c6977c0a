/** Workers, the renderer or the GPU process end during a run: the result is the same, or a typed error occurs and the next run works. */
import { chromiumArguments, findChromium } from '../../cli/chromium';
import { type DiarizationJson, expect, openEngine, test } from '../../test/browser/engine';
import type { Page } from '../../test/browser/test';
import { closeOnCall, injectOnce, keepWorkers, onCall, RUN_WORKERS, terminateWorkers, WORKER_CALLS } from '../../test/browser/vanish';
import type { DiarizeOptions, DiarizerOptions } from '../../src/index';

/** Host for a page without a secure context, which Chromium resolves to the test server. */
const INSECURE_HOST = '10.255.255.1';
test.use({
  launchOptions: { executablePath: findChromium(), args: [...chromiumArguments('software'), `--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`] },
  allowedOrigins: /^http:\/\/10\.255\.255\.1:/,
});

/** One window with speech. */
const SEGMENT: DiarizeOptions = { startSeconds: 9, durationSeconds: 3 };

/** Creates a diarizer for the runs of a test. Returns an error code, or null. */
const create = (page: Page, options: DiarizerOptions = { backend: 'wasm' }): Promise<string | null> =>
  page.evaluate(async (given) => {
    try {
      Object.assign(globalThis, { testDiarizer: await voxlane.Diarizer.create(given) });
      return null;
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  }, options);

/** Runs the sample. Returns its document without durations, or its error code. */
const run = (page: Page, options = SEGMENT): Promise<string> =>
  page.evaluate(async (given) => {
    const { testDiarizer } = globalThis as unknown as { testDiarizer: typeof voxlane.Diarizer.prototype };
    try {
      const result = await testDiarizer.diarize(await (await fetch('sample.wav')).blob(), given);
      const selfCheck = result.backend.selfCheck?.map((check) => ({ ...check, seconds: 0 })) ?? null;
      return voxlane.toJson('x', { ...result, backend: { ...result.backend, selfCheck }, timings: {} });
    } catch (error) {
      return (error as { code: string }).code;
    }
  }, options);

/** Expects runs to work again. Detection of a vanished worker takes a second or two, and a run that starts earlier fails. */
const expectNextRun = (page: Page): Promise<void> => expect.poll(() => run(page), { timeout: 60_000 }).toBe(expected);

/** The document of an undisturbed run, computed once per Playwright worker. */
let expected = '';
test.beforeEach(async ({ page }) => {
  await openEngine(page);
  if (expected !== '') return;
  await create(page);
  expected = await run(page);
  expect((JSON.parse(expected) as DiarizationJson).turns.length).toBeGreaterThan(0);
});

for (const kind of RUN_WORKERS) {
  test(`the ${kind} worker closes itself during a run`, async ({ page }) => {
    await injectOnce(page, kind, closeOnCall(kind));
    await openEngine(page);
    await create(page);
    const outcome = await run(page);
    // Models can be reloaded, but the state of decoding and clustering is lost.
    expect(outcome).toBe(kind === 'decode' || kind === 'clustering' ? 'worker-failed' : expected);
    expect(await run(page)).toBe(expected);
  });

}

// One worker whose state is lost, and one that is restarted.
for (const kind of ['decode', 'embedding'] as const) {
  test(`the ${kind} worker closes itself before it can be called`, async ({ page }) => {
    await injectOnce(page, kind, 'close();');
    await openEngine(page);
    const code = await create(page);
    if (code !== null) {
      expect(code).toBe('worker-failed');
      await create(page);
    }
    expect([expected, 'worker-failed']).toContain(await run(page));
    await expectNextRun(page);
  });
}

test('other code of the page terminates workers during a run and between runs', async ({ page }) => {
  await keepWorkers(page);
  await openEngine(page);
  await create(page);
  for (const kind of RUN_WORKERS) {
    await terminateWorkers(page, kind);
    await expectNextRun(page);
  }
  const running = run(page);
  await page.waitForTimeout(300);
  for (const kind of RUN_WORKERS) await terminateWorkers(page, kind);
  // The run may end before its lost workers are detected, and with one of them before the others are.
  expect([expected, 'worker-failed']).toContain(await running);
  await expectNextRun(page);
});

test('a worker that computes for seconds in one call is not reported as vanished', async ({ page }) => {
  const spin = 'const start = Date.now(); while (Date.now() - start < 3000);';
  for (const kind of RUN_WORKERS) await injectOnce(page, kind, onCall(WORKER_CALLS[kind], spin));
  await openEngine(page);
  await create(page);
  expect(await run(page)).toBe(expected);
});

test('vanished workers are detected without a secure context, where locks are unavailable', async ({ page }) => {
  const address = new URL(page.url());
  address.hostname = INSECURE_HOST;
  await keepWorkers(page);
  await page.goto(address.href);
  await page.waitForFunction(() => 'voxlane' in globalThis);
  expect(await page.evaluate(() => ({ isSecureContext, hasLocks: 'locks' in navigator }))).toEqual({ isSecureContext: false, hasLocks: false });
  expect(await create(page)).toBeNull();
  // Compare only turns, because the reason for the backend differs without isolation.
  const turnsOf = (text: string): unknown => (text.startsWith('{') ? (JSON.parse(text) as DiarizationJson).turns : text);
  for (const kind of RUN_WORKERS) {
    const running = run(page);
    await page.waitForTimeout(200);
    await terminateWorkers(page, kind);
    expect([turnsOf(expected), 'worker-failed']).toContainEqual(turnsOf(await running));
    await expect.poll(async () => turnsOf(await run(page)), { timeout: 60_000 }).toEqual(turnsOf(expected));
  }
  // Terminated workers leave no database behind.
  const left = (): Promise<number> =>
    page.evaluate(async () => (await indexedDB.databases()).filter(({ name }) => name?.startsWith('voxlane worker')).length);
  expect(await left()).toBeGreaterThan(0);
  await page.evaluate(() => {
    const { testDiarizer } = globalThis as unknown as { testDiarizer: typeof voxlane.Diarizer.prototype };
    testDiarizer.dispose();
  });
  await expect.poll(left).toBe(0);
});

test('the renderer crashes during a run: the next page works', async ({ page, context }) => {
  await create(page);
  const crashed = page.waitForEvent('crash');
  run(page).catch(() => undefined);
  await page.waitForTimeout(300);
  const session = await context.newCDPSession(page);
  // Never resolves, because the renderer is gone.
  session.send('Page.crash').catch(() => undefined);
  await crashed;
  const next = await context.newPage();
  await openEngine(next);
  await create(next);
  expect(await run(next)).toBe(expected);
});

test('the GPU process crashes during a run: WASM is not affected', async ({ page, browser }) => {
  await create(page);
  const running = run(page);
  await page.waitForTimeout(300);
  await (await browser.newBrowserCDPSession()).send('Browser.crashGpuProcess' as never).catch(() => undefined);
  expect(await running).toBe(expected);
});

test('the GPU process crashes during a run on WebGPU: the same turns, or a typed error', async ({ page, browser }) => {
  // Slow on a software adapter, and slower after a crash.
  test.setTimeout(600_000);
  const segment = { startSeconds: 12, durationSeconds: 1 };
  const turnsOf = (text: string): unknown => (JSON.parse(text) as DiarizationJson).turns;
  await create(page);
  const wanted = turnsOf(await run(page, segment));
  expect(wanted).not.toHaveLength(0);
  await openEngine(page);
  expect(await create(page, { backend: 'webgpu', trustGpu: true })).toBeNull();
  const running = run(page, segment);
  await page.waitForTimeout(500);
  await (await browser.newBrowserCDPSession()).send('Browser.crashGpuProcess' as never).catch(() => undefined);
  const outcome = await running;
  if (outcome.startsWith('{')) expect(turnsOf(outcome)).toEqual(wanted);
  else expect(outcome).toMatch(/^(gpu|backend|worker)-/);
  expect(turnsOf(await run(page, segment))).toEqual(wanted);
});
