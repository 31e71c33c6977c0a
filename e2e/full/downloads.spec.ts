/** The table of downloads in docs/install.md: what a page with the widget fetches from the packages, by backend. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { installPackages, ROOT } from '../../test/packages/pack';
import { copyExample } from '../../test/packages/projects';
import { serveFolders } from '../../test/packages/servers';
import { expectTurns } from '../../test/packages/shownTurns';
import { expect, test } from '../../test/browser/test';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use({ ...WITHOUT_GPU, allowedOrigins: /^http:\/\/(127\.0\.0\.1|localhost):\d+$/ });

/** Rows of the table in docs/install.md: megabytes and gzipped megabytes by the first cell. */
function documented(): Map<string, readonly [number, number]> {
  const text = readFileSync(join(ROOT, 'docs/install.md'), 'utf8');
  const section = text.slice(text.indexOf('## What a visitor downloads'));
  const rows = section.matchAll(/^\| ([^|]+) \| ([\d.]+) MB \| ([\d.]+) MB \|/gm);
  return new Map([...rows].map(([, part, plain, packed]) => [part!.trim(), [Number(plain), Number(packed)] as const]));
}

/** Kind of a fetched file; null for files of the test page. */
function kindOf(path: string): string | null {
  if (!path.includes('/node_modules/')) return null;
  if (path.includes('/voxlane/ort/')) return 'ONNX Runtime';
  if (path.includes('/voxlane/goldens/')) return 'golden outputs';
  return path.includes('/voxlane/models/') ? 'models' : 'code and workers';
}

test('the table of downloads is that of the files which a page on WASM fetches', async ({ page }) => {
  test.setTimeout(300_000);
  const modules = join(await installPackages(), 'node_modules');
  const server = await serveFolders({ '/': await copyExample('html', 'html-downloads'), '/node_modules/': modules });
  try {
    await expectTurns(page, server.address);
    const paths = [...new Set(server.asked)].filter((path) => kindOf(path) !== null);
    const sums = new Map<string, [number, number]>();
    for (const path of paths) {
      const file = join(modules, path.replace('/node_modules/', ''));
      const sum = sums.get(kindOf(path)!) ?? [0, 0];
      sum[0] += statSync(file).size / 1e6;
      sum[1] += gzipSync(readFileSync(file)).length / 1e6;
      sums.set(kindOf(path)!, sum);
    }
    console.log([...sums].map(([kind, [plain, packed]]) => `${kind}: ${plain.toFixed(2)} MB, ${packed.toFixed(2)} MB gzipped`).join('\n'));
    const rows = documented();
    expect([...sums.keys()].sort()).toEqual(['code and workers', 'golden outputs', 'models']);
    for (const [kind, [plain, packed]] of sums) {
      const row = rows.get(kind);
      expect(row, `a row "${kind}" in docs/install.md`).toBeDefined();
      expect(Math.abs(row![0] - plain), `${kind}: ${plain.toFixed(2)} MB`).toBeLessThan(0.05 * plain + 0.01);
      expect(Math.abs(row![1] - packed), `${kind}: ${packed.toFixed(2)} MB gzipped`).toBeLessThan(0.05 * packed + 0.01);
    }
  } finally {
    server.stop();
  }
});

test('the size of ONNX Runtime in the table is that of its files', async () => {
  const folder = join(await installPackages(), 'node_modules/voxlane-assets/voxlane/ort');
  const rows = documented();
  for (const [row, names] of [
    ['ONNX Runtime for WASM', ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm']],
    ['ONNX Runtime for WebGPU', ['ort.webgpu.min.mjs', 'ort-wasm-simd-threaded.asyncify.mjs', 'ort-wasm-simd-threaded.asyncify.wasm']],
  ] as const) {
    const bytes = names.map((name) => readFileSync(join(folder, name)));
    const [plain, packed] = [bytes.reduce((sum, { length }) => sum + length, 0) / 1e6, bytes.reduce((sum, each) => sum + gzipSync(each).length, 0) / 1e6];
    console.log(`${row}: ${plain.toFixed(2)} MB, ${packed.toFixed(2)} MB gzipped`);
    expect(rows.get(row), row).toBeDefined();
    expect(Math.abs(rows.get(row)![0] - plain)).toBeLessThan(0.1);
    expect(Math.abs(rows.get(row)![1] - packed)).toBeLessThan(0.1);
  }
});
