/** Download size before a recording can be dropped. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from '../test/browser/test';

const LIMIT_BYTES = 200_000;

/** Scripts required before the page runs: the entry and its static imports. */
function scriptsOf(page: string): string[] {
  const html = readFileSync(join('dist', page), 'utf8');
  const found = new Set<string>();
  const visit = (file: string): void => {
    if (found.has(file)) return;
    found.add(file);
    const script = readFileSync(join('dist', file), 'utf8');
    // Static imports in the form written by the bundler. Dynamic imports do not block.
    for (const [, path] of script.matchAll(/(?:\bfrom|\bimport)\s*["'](\.[^"']+\.js)["']/g)) visit(join(dirname(file), path!));
  };
  for (const [, file] of html.matchAll(/<script[^>]* src="\.\/([^"]+)"/g)) visit(file!);
  return [...found];
}

test('the script of the page is small', () => {
  for (const name of ['index.html', 'compare.html']) {
    const sizes = scriptsOf(name).map((file) => gzipSync(readFileSync(join('dist', file))).length);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    console.log(`${name}: ${(bytes / 1000).toFixed(1)} kB of script in ${sizes.length} files, compressed`);
    expect(sizes.length).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(LIMIT_BYTES);
  }
});

test('only one worker contains the demuxer', () => {
  const withDemuxer = readdirSync('dist/assets')
    .filter((file) => file.endsWith('.js.map'))
    .filter((file) => {
      const { sources } = JSON.parse(readFileSync(join('dist/assets', file), 'utf8')) as { sources: string[] };
      return sources.some((source) => source.includes('/node_modules/mediabunny/'));
    })
    .map((file) => file.replace(/-.{8}\.js\.map$/, ''));
  // The page loads `mediaInput` only to decode without a worker.
  expect(withDemuxer.sort()).toEqual(['decode.worker', 'mediaInput']);
});

test('the build contains the two product pages, but nothing used only by tests or tools', () => {
  const files = (readdirSync('dist', { recursive: true }) as string[]).map((path) => path.replaceAll('\\', '/'));
  const pages = ['compare.html', 'index.html'];
  expect(files.filter((path) => path.endsWith('.html')).sort()).toEqual(pages);
  const kept = [...readFileSync('dist/sw.js', 'utf8').matchAll(/path:\s*[`"']([^`"']+)[`"']/g)].map(([, path]) => path!);
  expect(kept.filter((path) => path.endsWith('.html')).sort()).toEqual(pages);
  expect(kept.filter((path) => !files.includes(path))).toEqual([]);
  const sources = files
    .filter((path) => path.endsWith('.js.map'))
    .flatMap((path) => (JSON.parse(readFileSync(join('dist', path), 'utf8')) as { sources: string[] }).sources);
  expect(sources.filter((source) => /(^|\/)src\/index\.ts$/.test(source) || /(^|\/)src\/app\/app\.ts$/.test(source)).length).toBeGreaterThan(0);
  expect(sources.filter((source) => !source.includes('node_modules') && /(^|\/)(test|e2e|cli|bench|scripts)\//.test(source))).toEqual([]);
});
