/** Follows "Start in five minutes" of the documentation exactly, in empty folders, with a registry that has both packages. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readFences, type Fence } from '../../scripts/docs/fences';
import type { VoxlaneDiarizerElement } from '../../src/entries/widget';
import { sampleWav } from '../../test/audio/sampleWav';
import { serveRegistry, type Registry } from '../../test/packages/registry';
import { runIn, serveWith, type RunningServer } from '../../test/packages/runIn';
import { expect, test, type Page } from '../../test/browser/test';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use({ ...WITHOUT_GPU, allowedOrigins: /^http:\/\/(127\.0\.0\.1|localhost):\d+$/ });

const PAGE = 'docs/index.md';
/** One window with both speakers. */
const CLIP = { name: 'sample.wav', mimeType: 'audio/wav', buffer: sampleWav(7, 8) };
/** Server commands that run until they are stopped. */
const SERVES = /^npx (voxlane serve|vite( preview)?)$/;

let registry: Registry;
let folder: string;
/** Servers that keep running during the following steps. */
const servers: RunningServer[] = [];

test.beforeAll(async () => {
  test.setTimeout(300_000);
  registry = await serveRegistry();
});
test.afterAll(() => {
  registry.stop();
});
test.beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-start-'));
});
test.afterEach(() => {
  for (const server of servers.splice(0)) server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The blocks of a group in page order. */
function blocksOf(group: string): Fence[] {
  const blocks = readFences(readFileSync(PAGE, 'utf8'), PAGE).filter((fence) => fence.group === group);
  expect(blocks.length, `blocks of ${group}`).toBeGreaterThan(2);
  return blocks;
}

/**
 * Writes the files and runs the commands block by block. Calls `visit` after each server command.
 */
async function follow(group: string, visit: (address: string) => Promise<void>): Promise<void> {
  const environment = { npm_config_registry: registry.address, npm_config_cache: join(folder, '.npm'), NO_COLOR: '1' };
  for (const { language, path, code } of blocksOf(group)) {
    if (path !== null) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), `${code}\n`);
    }
    if (language !== 'sh') continue;
    for (const command of code.split('\n').filter(Boolean)) {
      const [program = '', ...args] = command.split(' ');
      if (!SERVES.test(command)) {
        await runIn(folder, program, args, environment);
        continue;
      }
      const server = await serveWith(folder, program, args, environment);
      servers.push(server);
      await visit(server.address);
    }
  }
}

/** Opens a recording on a page with a file input and expects turns as text. */
async function expectTurnsAsText(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await page.locator('input[type=file]').setInputFiles(CLIP);
  const shown = page.locator('pre');
  await expect(shown).toContainText('SPEAKER_00', { timeout: 60_000 });
  const lines = (await shown.innerText()).trim().split('\n');
  expect(lines.length).toBeGreaterThan(2);
  expect(new Set(lines.map((line) => line.slice(line.indexOf('SPEAKER'))))).toEqual(new Set(['SPEAKER_00', 'SPEAKER_01']));
}

test('with an element, and with one function', async ({ page }) => {
  test.setTimeout(240_000);
  await follow('page', async (address) => {
    await page.goto(address);
    await page.locator('voxlane-diarizer input[type=file]').setInputFiles(CLIP);
    const widget = page.locator('voxlane-diarizer');
    const speakers = (): Promise<number> => widget.evaluate((element) => (element as VoxlaneDiarizerElement).result?.speakers.length ?? 0);
    await expect.poll(speakers, { timeout: 60_000 }).toBe(2);
  });
  await expectTurnsAsText(page, `${servers[0]!.address}function.html`);
  expect(registry.forwarded.filter((path) => path.includes('voxlane'))).toEqual([]);
});

test('with Vite', async ({ page }) => {
  test.setTimeout(300_000);
  let numServed = 0;
  await follow('vite', async (address) => {
    numServed++;
    await expectTurnsAsText(page, address);
  });
  expect(numServed).toBeGreaterThan(0);
  expect(registry.forwarded).toContain('/vite');
});
