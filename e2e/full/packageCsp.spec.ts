/**
 * The packages under a strict Content-Security-Policy: they work with the documented sources, and removing any source breaks
 * something.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages } from '../../test/packages/pack';
import { crossOriginPolicy, LIBRARY_POLICY, serialized, weakened, WIDGET_POLICY, type Policy } from '../../test/packages/policies';
import { copyExample } from '../../test/packages/projects';
import { runIn } from '../../test/packages/runIn';
import { serveFolders, type StaticServer } from '../../test/packages/servers';
import { expectTurns } from '../../test/packages/shownTurns';
import { expect, POLICY_REPORTS, test, type Page } from '../../test/browser/test';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use({ ...WITHOUT_GPU, allowedOrigins: /^http:\/\/127\.0\.0\.1:\d+$/ });

/** Servers for the page and optionally its packages. */
let servers: StaticServer[] = [];

test.beforeAll(async () => {
  test.setTimeout(300_000);
  await installPackages();
});
test.afterEach(() => {
  for (const server of servers.splice(0)) server.stop();
});

/** Sends a policy with every file, because workers use the policy of their script. */
function send(policy: Policy): void {
  servers[0]!.headers = { 'Content-Security-Policy': `${serialized(policy)}; report-uri ${POLICY_REPORTS}` };
}

/** Opens the page with each weakened policy until the browser blocks something or the widget fails. */
async function expectAllNeeded(page: Page, path: string, policy: Policy, taken: () => string[]): Promise<void> {
  for (const { without, policy: weaker } of weakened(policy)) {
    send(weaker);
    const found: string[] = [];
    await page.goto(`${servers[0]!.address}${path}`);
    const breaks = async (): Promise<boolean> => found.push(...taken()) > 0 || (await page.getByRole('alert').isVisible());
    await expect.poll(breaks, { message: `nothing breaks without ${without}`, timeout: 60_000 }).toBe(true);
    // Pending requests belong to the previous policy.
    await page.goto('about:blank');
    taken();
  }
}

test('the widget on a plain page', async ({ page, watch }) => {
  test.setTimeout(240_000);
  const packages = join(await installPackages(), 'node_modules');
  servers = [await serveFolders({ '/': await copyExample('html', 'csp-html'), '/node_modules/': packages })];
  send(WIDGET_POLICY);
  await expectTurns(page, servers[0]!.address);
  await expectToPlay(page);
  expect(watch.take()).toEqual([]);
  await expectAllNeeded(page, '', WIDGET_POLICY, () => watch.take());
});

test('the library in a Vite build', async ({ page, watch }) => {
  test.setTimeout(240_000);
  const folder = await copyExample('vite', 'csp-vite');
  await runIn(folder, 'npm', ['run', 'build']);
  servers = [await serveFolders({ '/': join(folder, 'dist') })];
  send(LIBRARY_POLICY);
  await expectTurns(page, servers[0]!.address);
  expect(watch.take()).toEqual([]);
  await expectAllNeeded(page, '', LIBRARY_POLICY, () => watch.take());
});

test('the widget from another origin', async ({ page, watch }) => {
  test.setTimeout(240_000);
  const packages = join(await installPackages(), 'node_modules');
  const folder = await copyExample('cdn', 'csp-cdn');
  const folders = { '/voxlane@0.2.0/': join(packages, 'voxlane'), '/voxlane-assets@0.2.0/': join(packages, 'voxlane-assets') };
  const cdn = await serveFolders(folders, { 'Access-Control-Allow-Origin': '*' });
  servers = [await serveFolders({ '/': folder }), cdn];
  const path = join(folder, 'script-tag.html');
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll('https://cdn.example/', cdn.address));
  const policy = crossOriginPolicy(cdn.origin);
  send(policy);
  await expectTurns(page, `${servers[0]!.address}script-tag.html`);
  await expectToPlay(page);
  expect(watch.take()).toEqual([]);
  await expectAllNeeded(page, 'script-tag.html', policy, () => watch.take());
});

for (const path of ['docs/widget.md', 'packages/voxlane/README.md']) {
  test(`${path} lists exactly these sources`, () => {
    const [, shown] = /^Content-Security-Policy: (.*)$/m.exec(readFileSync(path, 'utf8')) ?? [];
    expect(shown).toBe(serialized(WIDGET_POLICY));
  });
}

/** Expects that the recording can be played, which uses a blob: address. */
async function expectToPlay(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Pause', exact: true })).toBeVisible();
}
