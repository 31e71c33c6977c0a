/** Workers or the renderer end during a run of the page. vanished.spec.ts covers the library and the GPU process. */
import { drop, exportAs, SAMPLE, SAMPLE_TURNS, shortenSample, textOf } from '../../test/browser/editor';
import { expect, test, type Page } from '../../test/browser/test';
import { closeOnCall, injectOnce } from '../../test/browser/vanish';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use(WITHOUT_GPU);

const RUN = { timeout: 90_000 };

const stateOf = (page: Page) => page.getByTestId('state');

/** Drops the sample, waits for the end of the run, and exports the turns. Null if the run failed. */
async function run(page: Page): Promise<string | null> {
  await expect(stateOf(page)).toHaveAttribute('data-state', 'empty');
  await drop(page, SAMPLE);
  await expect(stateOf(page)).toHaveAttribute('data-state', /done|error/, RUN);
  return (await stateOf(page).getAttribute('data-state')) === 'done' ? await textOf(await exportAs(page, 'rttm')) : null;
}

let expected: string | null = null;
test.beforeEach(async ({ page, context }) => {
  test.setTimeout(240_000);
  await shortenSample(context);
  if (expected !== null) return;
  await page.goto('index.html');
  expected = await run(page);
  expect(expected).not.toBeNull();
});

// A worker whose state is lost. vanished.spec.ts covers all kinds, including those that are restarted.
test('the decode worker closes itself: an error from which the page recovers', async ({ page }) => {
  await injectOnce(page, 'decode', closeOnCall('decode'));
  await page.goto('index.html');
  expect(await run(page)).toBeNull();
  await expect(page.getByTestId('error')).toContainText(/worker ended without an error.*worker-failed/);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(stateOf(page)).toHaveAttribute('data-state', 'done', RUN);
  expect(await textOf(await exportAs(page, 'rttm'))).toBe(expected);
});

test('the renderer crashes: the next page has the earlier work and can run again', async ({ page, context }) => {
  await page.goto('index.html');
  await drop(page, SAMPLE_TURNS);
  await expect(stateOf(page)).toHaveAttribute('data-state', 'done');
  await expect(stateOf(page)).toHaveAttribute('data-kept', 'true');
  await page.goto('index.html');
  await expect(stateOf(page)).toHaveAttribute('data-state', 'empty');
  await drop(page, SAMPLE);
  await expect(stateOf(page)).toHaveAttribute('data-state', 'running');
  const crashed = page.waitForEvent('crash');
  const session = await context.newCDPSession(page);
  // Never resolves, because the renderer is gone.
  session.send('Page.crash').catch(() => undefined);
  await crashed;
  const next = await context.newPage();
  await next.goto('index.html');
  await expect(next.getByRole('button', { name: 'Open sample', exact: true })).toBeVisible();
  expect(await run(next)).toBe(expected);
});
