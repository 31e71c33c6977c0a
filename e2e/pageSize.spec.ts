/** How much has to arrive before a recording can be dropped. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from '../test/browser/test';

const LIMIT_BYTES = 200_000;

/** Scripts that the browser has to have before the first line of the page runs: the entry and all that it imports. */
function scriptsOf(page: string): string[] {
  const html = readFileSync(join('dist', page), 'utf8');
  const found = new Set<string>();
  const visit = (file: string): void => {
    if (found.has(file)) return;
    found.add(file);
    const script = readFileSync(join('dist', file), 'utf8');
    // As the bundler writes them; an `import(…)` is not waited for.
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
