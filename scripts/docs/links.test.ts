import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deadFiles, deadLinks } from './links';
import { pages, readPage, ROOT } from './pages';

describe('links of a site', () => {
  const site = (html: string): Map<string, string> =>
    new Map([
      ['index.html', html],
      ['guide/one.html', '<h2 id="there">There</h2><a href="../index.html">back</a>'],
      ['sample.wav', ''],
    ]);

  it('resolves pages with and without ending, files and anchors', () => {
    const good = ['/guide/one', '/guide/one.html#there', 'guide/one', '/sample.wav', '#here', '/', 'https://example.org/x', 'mailto:a@example.org'];
    expect(deadLinks(site(`<h1 id="here">x</h1>${good.map((link) => `<a href="${link}">x</a>`).join('')}`))).toEqual([]);
  });

  it('reports missing pages, files and headings', () => {
    expect(deadLinks(site('<a href="/guide/two">x</a><a href="/guide/one#gone">x</a><img src="/picture.png"><a href="#gone">x</a>'))).toEqual([
      'index.html: #gone points to a missing heading',
      'index.html: /guide/one#gone points to a missing heading',
      'index.html: /guide/two does not exist',
      'index.html: /picture.png does not exist',
    ]);
  });

  it('resolves links relative to the base of the site', () => {
    const files = site('<a href="/docs/guide/one">x</a><a href="/guide/one">x</a>');
    expect(deadLinks(files, '/docs/')).toEqual(['index.html: /guide/one does not exist']);
  });
});

describe('links in the repository', () => {
  it('ignores code, anchors and addresses, and resolves files relative to the page', () => {
    const text = 'a [b](gone.md) [c](../src/index.ts#x) `[d](code.md)` [e](#f) [g](https://example.org)\n<<< @/../gone.ts\n```md\n[h](code.md)\n```\n';
    expect(deadFiles(text, 'docs/page.md', (path) => path === 'src/index.ts')).toEqual([
      'docs/page.md: gone.md does not exist',
      'docs/page.md: ../gone.ts does not exist',
    ]);
  });

  // The reference is generated.
  const exists = (path: string): boolean => path.startsWith('docs/api/') || existsSync(join(ROOT, path));
  it.each([...pages(), 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'bench/RESULTS.md', 'models/README.md', 'CHANGELOG.md', 'THIRD_PARTY.md'])('in %s are all valid', (page) => {
    expect(deadFiles(readPage(page), page, exists)).toEqual([]);
  });
});
