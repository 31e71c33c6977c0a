/** The widget in other pages: strict policy, no isolation, same-origin and cross-origin frames. */
import { expect, test, type Page } from '../../test/browser/test';
import { shortenSample } from '../../test/browser/editor';
import { widgetScript } from '../../test/browser/widget';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

// The host name makes the server another origin.
test.use({ ...WITHOUT_GPU, allowedOrigins: /^http:\/\/localhost:/ });

/**
 * Policy required for a page with the widget, with reasons. Workers use the policy of their scripts. A policy sent with every
 * file needs `'wasm-unsafe-eval'`, which only allows compiling WebAssembly.
 */
const POLICY: Readonly<Record<string, string>> = {
  'default-src': "'none'",
  'script-src': "'self' 'wasm-unsafe-eval'",
  'worker-src': "'self'",
  // The models, and the recording of `src`.
  'connect-src': "'self'",
  // Recordings are played from blobs.
  'media-src': 'blob:',
};

/** Serves an external page with only the widget, and a short recording. */
async function serve(page: Page, path: string, policy: Readonly<Record<string, string>>, body: string): Promise<void> {
  await shortenSample(page.context());
  const script = `<script type="module" src="${widgetScript()}"></script>`;
  await page.context().route(`**/${path}`, (route) =>
    route.fulfill({
      contentType: 'text/html',
      headers: { 'Content-Security-Policy': Object.entries(policy).map((directive) => directive.join(' ')).join('; ') },
      body: `<!doctype html><html lang="en"><head><title>Embedded</title>${script}</head><body>${body}</body></html>`,
    }),
  );
}

const WIDGET = '<voxlane-diarizer src="sample.wav" backend="wasm" speed="fast"></voxlane-diarizer>';

test('under a strict policy, without cross-origin isolation', async ({ page, watch }) => {
  await serve(page, 'strict.html', POLICY, WIDGET);
  await page.goto('strict.html');
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
  await expect(page.locator('[part=tracks]')).toBeVisible({ timeout: 60_000 });
  await expect(page.locator('[part=speaker]')).toHaveCount(2);
  // Styles work without style-src, because scripts create them.
  expect(await page.locator('[part=play-button]').evaluate((button) => getComputedStyle(button).borderRadius)).toBe('50%');
  await page.getByRole('button', { name: 'Play' }).click();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  expect(watch.take()).toEqual([]);

  // Without media-src, the result appears with a note that it cannot be played.
  await serve(page, 'silent.html', { ...POLICY, 'media-src': "'none'" }, WIDGET);
  await page.goto('silent.html');
  await expect(page.getByText('cannot be played here')).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole('button', { name: 'Play' })).toBeDisabled();
  expect(watch.take().join()).toContain('media-src');
});

test('in same-origin and cross-origin frames', async ({ page, baseURL }) => {
  await serve(page, 'inner.html', { 'default-src': "'self'", 'script-src': "'self' 'wasm-unsafe-eval'", 'media-src': 'blob:' }, WIDGET);
  const other = baseURL!.replace('127.0.0.1', 'localhost');
  const frames = `<iframe title="own" src="inner.html" width="600" height="700"></iframe><iframe title="other" src="${other}inner.html" width="600" height="700"></iframe>`;
  await serve(page, 'outer.html', { 'default-src': `'self' ${new URL(other).origin}`, 'script-src': "'self'" }, frames);
  await page.goto('outer.html');
  for (const title of ['own', 'other']) {
    const frame = page.frameLocator(`iframe[title=${title}]`);
    await expect(frame.locator('[part=speaker]')).toHaveCount(2, { timeout: 90_000 });
  }
});
