/** The Content-Security-Policy of the built pages, and the detection of violations in all specs. */
import { expect, test } from '../test/browser/test';

for (const name of ['index.html', 'compare.html']) {
  test(`${name} has the policy as an element and as a header`, async ({ page }) => {
    const response = await page.goto(name);
    const header = (await response?.headerValue('content-security-policy')) ?? '';
    const element = await page.locator('meta[http-equiv="Content-Security-Policy"]').first().getAttribute('content');
    for (const policy of [header, element]) {
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
      expect(policy).not.toMatch(/'unsafe-(inline|eval)'/);
    }
    expect(header).toContain("frame-ancestors 'none'");
    expect(element).toContain("require-trusted-types-for 'script'");
  });
}

test('requests to other origins, including those of workers, are blocked and detected', async ({ page, watch }) => {
  await page.goto('index.html');
  await expect(page.getByTestId('outside-count')).toContainText(/: 0$/);
  const ask = () => fetch('https://example.org/').then(() => 'answered', (error: unknown) => String(error));
  expect(await page.evaluate(ask)).toContain('Failed to fetch');
  expect(watch.take()).toContainEqual(expect.stringContaining('violates the following Content Security Policy directive: "connect-src'));
  await page.getByTestId('outside-count').click();
  await expect(page.getByTestId('outside-refused')).toHaveText('1 attempt.');
  await expect(page.getByTestId('outside-count')).toContainText(/: 0$/);

  await page.route('**/probe.js', async (route) => {
    // Use the headers of a real file, because a worker has the policy of its script.
    const response = await route.fetch({ url: new URL('favicon.svg', page.url()).href });
    const headers = { ...response.headers(), 'content-type': 'text/javascript' };
    await route.fulfill({ headers, body: `fetch('https://example.org/').catch((error) => postMessage(String(error)))` });
  });
  const answer = await page.evaluate(
    () =>
      new Promise((resolve) => {
        new Worker('probe.js', { type: 'module' }).onmessage = ({ data }) => {
          resolve(data);
        };
      }),
  );
  expect(answer).toContain('Failed to fetch');
  const seen: string[] = [];
  await expect.poll(() => seen.push(...watch.take()) && seen).toContainEqual(expect.stringContaining('connect-src'));
});

test('markup, inline scripts and scripts of other origins are blocked', async ({ page, watch }) => {
  await page.goto('index.html');
  const refusals = await page.evaluate(() => {
    const refused = (action: () => unknown): boolean => {
      try {
        action();
        return false;
      } catch (error) {
        return error instanceof TypeError;
      }
    };
    const script = document.createElement('script');
    return {
      markup: refused(() => (document.body.innerHTML = '<p>injected</p>')),
      inline: refused(() => (script.text = 'globalThis.injected = true')),
      worker: refused(() => new Worker('https://example.org/worker.js')),
    };
  });
  expect(refusals).toEqual({ markup: true, inline: true, worker: true });
  expect(watch.take()).not.toEqual([]);
});

test('a model download requested by the user is detected with its origin', async ({ page, watch }) => {
  await page.route('https://huggingface.co/**', (route) => route.fulfill({ status: 404 }));
  await page.goto('index.html');
  await page.evaluate(() => fetch('https://huggingface.co/model').catch(() => undefined));
  await expect(page.getByTestId('outside-count')).toContainText(/: 1$/);
  await page.getByTestId('outside-count').click();
  await expect(page.getByTestId('outside-sent')).toHaveText('https://huggingface.co: 1');
  expect(watch.take()).toEqual(['request to https://huggingface.co/model']);
});
