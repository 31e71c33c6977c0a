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

  it('finds a page, with and without its ending, a file and an anchor', () => {
    const good = ['/guide/one', '/guide/one.html#there', 'guide/one', '/sample.wav', '#here', '/', 'https://example.org/x', 'mailto:a@example.org'];
    expect(deadLinks(site(`<h1 id="here">x</h1>${good.map((link) => `<a href="${link}">x</a>`).join('')}`))).toEqual([]);
  });

  it('tells of pages, files and headings that are not there', () => {
    expect(deadLinks(site('<a href="/guide/two">x</a><a href="/guide/one#gone">x</a><img src="/picture.png"><a href="#gone">x</a>'))).toEqual([
      'index.html: #gone has no such heading',
      'index.html: /guide/one#gone has no such heading',
      'index.html: /guide/two is not there',
      'index.html: /picture.png is not there',
    ]);
  });

  it('goes by the base of the site', () => {
    const files = site('<a href="/docs/guide/one">x</a><a href="/guide/one">x</a>');
    expect(deadLinks(files, '/docs/')).toEqual(['index.html: /guide/one is not there']);
  });
});

describe('links in the repository', () => {
  it('leaves code, anchors and addresses alone, and finds files from the page on', () => {
    const text = 'a [b](gone.md) [c](../src/index.ts#x) `[d](code.md)` [e](#f) [g](https://example.org)\n<<< @/../gone.ts\n```md\n[h](code.md)\n```\n';
    expect(deadFiles(text, 'docs/page.md', (path) => path === 'src/index.ts')).toEqual([
      'docs/page.md: gone.md is not there',
      'docs/page.md: ../gone.ts is not there',
    ]);
  });

  // The reference is generated.
  const exists = (path: string): boolean => path.startsWith('docs/api/') || existsSync(join(ROOT, path));
  it.each([...pages(), 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'bench/RESULTS.md', 'models/README.md', 'CHANGELOG.md', 'THIRD_PARTY.md'])('all of %s lead somewhere', (page) => {
    expect(deadFiles(readPage(page), page, exists)).toEqual([]);
  });
});
