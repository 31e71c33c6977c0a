/** Requirements for the packages built by `npm run package`. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkApi } from '../../scripts/package/apiReport';
import { findDocFaults } from '../../scripts/package/checkDocs';
import { ASSETS_PACKAGE, CODE_PACKAGE, ENTRIES, ROOT } from '../../scripts/package/entries';
import { bundleText, measureSizes, sizeReport } from '../../scripts/package/sizes';

/** Copies of the packages without the content of large files, because both tools pack a package, and models compress slowly. */
const copies = mkdtempSync(join(tmpdir(), 'voxlane-packages-'));
const LARGE_BYTES = 1e6;
const PACKAGES = [
  { name: 'voxlane', source: CODE_PACKAGE },
  { name: 'voxlane-assets', source: ASSETS_PACKAGE },
].map((each) => ({ ...each, folder: join(copies, each.name) }));

const dist = (name: keyof typeof ENTRIES): string => JSON.stringify(join(CODE_PACKAGE, `dist/${name}.js`));

beforeAll(() => {
  const missing = Object.keys(ENTRIES).filter((name) => !existsSync(join(CODE_PACKAGE, `dist/${name}.js`)));
  if (missing.length > 0) throw new Error(`not built: ${missing.join(', ')}; run npm run package`);
  for (const { source, folder } of PACKAGES) cpSync(source, folder, { recursive: true });
  for (const name of readdirSync(copies, { recursive: true }) as string[]) {
    const path = join(copies, name);
    if (statSync(path).isFile() && statSync(path).size > LARGE_BYTES) truncateSync(path);
  }
});
afterAll(() => { rmSync(copies, { recursive: true }); });

describe.each(PACKAGES)('$name', ({ folder }) => {
  test('publint reports nothing', async () => {
    const { messages, pkg } = await publint({ pkgDir: folder, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  }, 120_000);

  test('the types are correct for every module resolution that supports ESM', () => {
    const arguments_ = ['attw', '--pack', folder, '--profile', 'esm-only', '--no-color'];
    const { status, stdout, stderr } = spawnSync('npx', ['--no-install', ...arguments_], { cwd: ROOT, encoding: 'utf8' });
    expect(status, stdout + stderr).toBe(0);
  }, 120_000);
});

test('every export has a doc comment', () => {
  expect(findDocFaults(Object.values(ENTRIES))).toEqual([]);
}, 120_000);

test('the public API matches the reports in packages/voxlane/api', () => {
  expect(checkApi(false)).toEqual([]);
}, 120_000);

test('a removed and a changed export are detected', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-types-'));
  try {
    cpSync(join(CODE_PACKAGE, 'dist'), folder, { recursive: true, filter: (path) => !path.includes('workers') });
    const change = (file: string, from: string | RegExp, to: string): void => {
      const text = readFileSync(join(folder, file), 'utf8');
      expect(text).toMatch(from);
      writeFileSync(join(folder, file), text.replace(from, to));
    };
    change('formats.d.ts', /, toRttm(?=[,\s])/, '');
    change('index.d.ts', 'declare function diarize(source: DiarizationSource', 'declare function diarize(source: Blob');
    const entries = checkApi(false, folder).map(({ entry }) => entry);
    expect(new Set(entries)).toEqual(new Set(['formats', 'index']));
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 120_000);

test('no part exceeds its size limit', async () => {
  const sizes = await measureSizes();
  console.log(sizeReport(sizes));
  expect(sizes.filter(({ gzipBytes, limitBytes }) => gzipBytes > limitBytes)).toEqual([]);
}, 60_000);

describe('bundlers remove unused code', () => {
  /** Occurs only in code that runs models or renders. */
  const RUNTIME = /new Worker|voxlane-assets|onnx|InferenceSession|HTMLElement|postMessage/i;

  test.each(['formats', 'score'] as const)('voxlane/%s contains no runtime, worker or element', async (name) => {
    const text = await bundleText(`export * from ${dist(name)};`);
    expect(RUNTIME.exec(text)?.[0]).toBeUndefined();
  });

  test('the same pattern matches entries that contain them', async () => {
    expect(await bundleText(`export * from ${dist('index')};`)).toMatch(RUNTIME);
    expect(await bundleText(`import ${dist('widget')};`)).toMatch(RUNTIME);
  });

  test('one format is a small part of all formats', async () => {
    const one = await bundleText(`import { toRttm } from ${dist('formats')}; console.log(toRttm);`);
    const all = await bundleText(`export * from ${dist('formats')};`);
    expect(one.length).toBeLessThan(all.length / 2);
    expect(one).not.toMatch(/TextGrid|ANNOTATION_DOCUMENT/);
  });

  test('unused imports are removed, except for the element', async () => {
    for (const name of ['index', 'formats', 'score', 'compare'] as const) {
      expect([name, (await bundleText(`import ${dist(name)};`)).trim()]).toEqual([name, '']);
    }
    expect(await bundleText(`import ${dist('widget')};`)).toContain('voxlane-diarizer');
  });
});
