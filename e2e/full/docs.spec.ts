/** Runs every code block of the documentation and the README with the built packages. test/full/docsCommands.test.ts checks other commands. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from '@playwright/test';
import { unzipSync, zipSync } from 'fflate';
import { runInClone } from '../../scripts/docs/blockCommands';
import { runFolder } from '../../scripts/docs/blockFolders';
import { compile, outputsOf, typeErrors } from '../../scripts/docs/blockPrograms';
import { startBlockServer, type BlockServer } from '../../scripts/docs/blockServer';
import { prints, readFences, runsOf, type Fence, type Run } from '../../scripts/docs/fences';
import { packagesAreBuilt } from '../../scripts/docs/packages';
import { pages, readPage, ROOT } from '../../scripts/docs/pages';
import { readBundle } from '../../src/compare/files/bundle';
import { sampleWav } from '../../test/audio/sampleWav';
import { seededResnet34 } from '../../test/seededModel';
import { expect, test, type Page } from '../../test/browser/test';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

// Allow separate servers, including one that simulates a CDN.
test.use({ ...WITHOUT_GPU, allowedOrigins: /^http:\/\/(127\.0\.0\.1|localhost):\d+$/ });

/** Console messages about a missing favicon are harmless. */
const HARMLESS = 'favicon.ico';
/** One window with both speakers of the sample. */
const CLIP = sampleWav(7, 8);

const runs = pages().map((page) => [page, runsOf(readFences(readPage(page), page))] as const);
const named = (name: Run['name']): Run[] => runs.flatMap(([, all]) => all.filter((run) => run.name === name));
const placeOf = ({ fences: [first] }: Run): string => `${first!.page}:${first!.line}${first!.group === null ? '' : ` #${first!.group}`}`;

let server: BlockServer;
let cdn: BlockServer;

test.beforeAll(async () => {
  expect(packagesAreBuilt(), 'both packages are built (npm run package)').toBe(true);
  server = await startBlockServer();
  cdn = await startBlockServer({ 'Access-Control-Allow-Origin': '*' });
  server.put('given/sample.wav', { body: sampleWav(0) });
  server.put('given/clip.wav', { body: CLIP });
  server.put('given/sample.rttm', { body: readFileSync(join(ROOT, 'public/sample.rttm')) });
  server.put('given/bundle.zip', { body: readFileSync(join(ROOT, 'public/goldens/segmentation-3.0.zip')) });
  server.put('given/model.onnx', { body: seededResnet34('wespeaker') });
});
test.afterAll(async () => {
  await server.close();
  await cdn.close();
});

test('TypeScript blocks have no type errors', () => {
  expect(typeErrors(named('program'))).toEqual([]);
});

/** Programs of one page share its engine, like the blocks of one program. */
for (const [page, all] of runs) {
  const programs = all.filter(({ name }) => name === 'program');
  if (programs.length === 0) continue;
  test(`programs of ${page}`, async ({ page: tab }) => {
    test.setTimeout(60_000 * programs.length);
    const errors = watchErrors(tab);
    server.put('program.html', { body: PROGRAM_PAGE });
    await tab.goto(`${server.address}program.html`);
    for (const run of programs) {
      const path = `blocks/${page.replace(/\W/g, '-')}-${run.fences[0]!.line}.js`;
      server.put(path, { body: await compile(run) });
      const printed = await tab.evaluate((address) => (globalThis as unknown as Bench).runBlock(address), `/${path}`);
      outputsOf(run).forEach((output, index) => {
        expect.soft(prints(output.code, printed[index] ?? ''), `${page}:${output.line} prints\n${printed[index] ?? 'nothing'}`).toBe(true);
      });
    }
    expect(errors()).toEqual([]);
  });
}

for (const run of named('page')) {
  test(`page ${placeOf(run)}`, async ({ page }) => {
    const errors = watchErrors(page);
    const key = placeOf(run).replace(/\W/g, '-');
    const html = documentOf(run.fences);
    server.put(`${key}/index.html`, { body: html.replaceAll('"cdn/', `"${cdn.address}`), headers: headersOf(run.fences) });
    server.put(`${key}/sample.wav`, { body: CLIP });
    server.put(`${key}/frame.html`, { body: documentOf([]) });
    await page.goto(`${server.address}${key}/index.html`);
    for (const fence of run.fences) if (fence.language === 'css') await expectApplied(page, fence.code);
    await usePage(page);
    expect(errors()).toEqual([]);
  });
}

/** fiveMinutes.spec.ts follows the folders of this page exactly. */
const FOLLOWED = 'docs/index.md';

for (const run of named('folder').filter(({ fences: [first] }) => first!.page !== FOLLOWED)) {
  test(`folder ${placeOf(run)}`, async ({ page }) => {
    test.setTimeout(180_000);
    const errors = watchErrors(page);
    const folder = await runFolder(run, { 'sample.wav': CLIP });
    try {
      const hasPages = run.fences.some(({ language }) => language === 'html');
      expect(folder.served.length > 0, 'something serves the pages').toBe(hasPages);
      for (const { address, pages: written } of folder.served) {
        for (const { path } of written) {
          await page.goto(`${address}${path!.split('/').at(-1)!}`);
          await usePage(page);
        }
      }
    } finally {
      folder.close();
    }
    expect(errors()).toEqual([]);
  });
}

test('commands in a clone print the output shown in the pages', () => {
  test.setTimeout(180_000);
  const printing = named('repository').filter(({ fences }) => fences[0]!.group !== null);
  expect(printing.length).toBeGreaterThan(1);
  for (const run of printing) {
    const printed = runInClone(run).map(({ stdout }) => stdout).join('');
    for (const output of outputsOf(run)) expect.soft(prints(output.code, printed), `${placeOf(run)} prints\n${printed}`).toBe(true);
  }
});

test('a golden bundle with the shown manifest can be read', () => {
  const [run] = named('bundle');
  const manifest = run!.fences[0]!.code;
  const files = unzipSync(readFileSync(join(ROOT, 'public/goldens/segmentation-3.0.zip')));
  const shown = zipSync({ ...files, 'manifest.json': new TextEncoder().encode(manifest) });
  const names = (JSON.parse(manifest) as { stages: { name: string }[] }).stages.map(({ name }) => name);
  expect(readBundle(shown).stages.map(({ name }) => name)).toEqual(names);
});

/** Interface of {@link PROGRAM_PAGE} for the test. */
interface Bench {
  /** Loads a block and returns the output before each of its output blocks. */
  runBlock(address: string): Promise<string[]>;
}

const PROGRAM_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Blocks</title>
<script type="importmap">
  { "imports": {
    "voxlane": "/node_modules/voxlane/dist/index.js",
    "voxlane/widget": "/node_modules/voxlane/dist/widget.js",
    "voxlane/formats": "/node_modules/voxlane/dist/formats.js",
    "voxlane/score": "/node_modules/voxlane/dist/score.js",
    "voxlane/compare": "/node_modules/voxlane/dist/compare.js",
    "voxlane-assets": "/node_modules/voxlane-assets/index.js"
  } }
</script>
<script>
  let parts = [];
  let lines = [];
  console.log = (...values) => lines.push(values.map(String).join(' '));
  globalThis.printed = () => parts.push(lines.splice(0).join('\\n'));
  globalThis.samplesOf = (wav) => {
    const bytes = new Uint8Array(wav);
    const start = bytes.findIndex((_, at) => String.fromCharCode(...bytes.subarray(at, at + 4)) === 'data') + 8;
    return Float32Array.from(new Int16Array(wav, start), (value) => value / 32768);
  };
  globalThis.runBlock = async (address) => {
    parts = [];
    lines = [];
    await import(address);
    return parts;
  };
</script>`;

/** The document of a block. Fragments are wrapped in a document. */
function documentOf(fences: readonly Fence[]): string {
  const html = fences.filter(({ language }) => language === 'html').map(({ code }) => code).join('\n');
  const css = fences.filter(({ language }) => language === 'css').map(({ code }) => code).join('\n');
  if (html.startsWith('<!doctype')) return html;
  const body = html || '<script type="module" src="node_modules/voxlane/dist/widget.js"></script>\n<voxlane-diarizer></voxlane-diarizer>';
  return `<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Block</title>\n<style>${css}</style>\n${body}`;
}

/** @throws Error for a line that is not a header */
function headersOf(fences: readonly Fence[]): Record<string, string> {
  const lines = fences.filter(({ language }) => language === 'http').flatMap(({ code }) => code.split('\n'));
  return Object.fromEntries(lines.map((line) => /^([\w-]+): (.+)$/.exec(line)!.slice(1) as [string, string]));
}

/** Collects the errors of a tab. */
function watchErrors(page: Page): () => string[] {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.location().url.includes(HARMLESS)) errors.push(message.text());
  });
  return () => errors;
}

/** Opens a recording in the page like a user and waits for two speakers. */
async function usePage(page: Page): Promise<void> {
  const frame = (await page.locator('iframe').count()) > 0 ? page.frames()[1]! : page.mainFrame();
  const recording = { name: 'sample.wav', mimeType: 'audio/wav', buffer: CLIP };
  const widget = frame.locator('voxlane-diarizer');
  if ((await widget.count()) > 0) {
    const isGiven = (await widget.getAttribute('src')) !== null;
    if (!isGiven) await widget.locator('input[type=file]').first().setInputFiles(recording);
    await expect.poll(() => speakersOf(frame), { timeout: 60_000 }).toBe(2);
  } else {
    await frame.locator('input[type=file]').setInputFiles(recording);
    await expect(frame.locator('pre')).toContainText('SPEAKER_01', { timeout: 60_000 });
    await expect(frame.locator('pre')).not.toContainText('SPEAKER_02');
  }
}

const speakersOf = (frame: Frame): Promise<number | undefined> =>
  frame.evaluate(() => (document.querySelector('voxlane-diarizer') as { result?: { speakers: readonly unknown[] } } | null)?.result?.speakers.length);

/** Expects that every CSS rule is valid and matches an element, and that custom properties apply. */
async function expectApplied(page: Page, css: string): Promise<void> {
  await page.evaluate(() => customElements.whenDefined('voxlane-diarizer'));
  const applied = await page.evaluate((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return Array.from(sheet.cssRules, (rule) => {
      const { selectorText, style } = rule as CSSStyleRule;
      const element = document.querySelector(selectorText.replace(/::part\(.*\)/, ''));
      const custom = Array.from(style).filter((name) => name.startsWith('--'));
      const computed = element && getComputedStyle(element);
      const part = /::part\(([\w-]+)\)/.exec(selectorText)?.[1];
      const inside = part === undefined ? element : element?.shadowRoot?.querySelector(`[part~="${part}"]`);
      return {
        selectorText,
        found: Boolean(inside),
        numProperties: style.length,
        missing: custom.filter((name) => computed?.getPropertyValue(name).trim() !== style.getPropertyValue(name).trim()),
      };
    });
  }, css);
  expect(applied.length).toBe(css.split('}').length - 1);
  for (const rule of applied) {
    expect(rule).toMatchObject({ found: true, missing: [] });
    expect(rule.numProperties).toBeGreaterThan(0);
  }
}
