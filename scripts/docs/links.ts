/** Finds dead links in the built site and in Markdown files of the repository. */
import { posix } from 'node:path';

const ANY_PROTOCOL = /^[a-z][a-z\d+.-]*:/i;

/**
 * Finds dead links and anchors of a built site. External links are not checked.
 *
 * @param files files of the site by path from its root, with `/`; text of HTML files, empty for others
 * @param base base path of the site, with a leading and a trailing slash
 * @returns one line per dead link, sorted, without duplicates
 */
export function deadLinks(files: ReadonlyMap<string, string>, base = '/'): string[] {
  const anchors = new Map(Array.from(files, ([path, html]) => [path, new Set(valuesOf(html, 'id'))]));
  const dead = new Set<string>();
  for (const [path, html] of files) {
    for (const link of [...valuesOf(html, 'href'), ...valuesOf(html, 'src')]) {
      if (ANY_PROTOCOL.test(link) || link.startsWith('//')) continue;
      const [address = '', anchor = ''] = decodeURI(link).split('#');
      const target = address === '' ? path : fileAt(files, address, path, base);
      if (target === null) dead.add(`${path}: ${link} does not exist`);
      else if (anchor !== '' && !anchors.get(target)?.has(anchor)) dead.add(`${path}: ${link} points to a missing heading`);
    }
  }
  return [...dead].sort();
}

function valuesOf(html: string, attribute: string): string[] {
  const marked = html.matchAll(new RegExp(`\\s${attribute}="([^"]*)"`, 'g'));
  return Array.from(marked, ([, value]) => value!.replaceAll('&amp;', '&').replaceAll('&#39;', "'"));
}

/** File that a static server returns for an address; null if there is none. */
function fileAt(files: ReadonlyMap<string, string>, address: string, from: string, base: string): string | null {
  const clean = address.replace(/\?.*$/, '');
  const path = clean.startsWith('/')
    ? clean.startsWith(base)
      ? clean.slice(base.length)
      : null
    : posix.join(posix.dirname(from), clean);
  if (path === null) return null;
  const candidates = [path, `${path}.html`, posix.join(path, 'index.html')];
  return candidates.find((candidate) => files.has(candidate)) ?? null;
}

/**
 * Finds links of a Markdown page to files missing from the repository. Anchors are not checked.
 *
 * @param page path from the root of the repository, with `/`
 * @param exists whether a path exists in the repository
 */
export function deadFiles(markdown: string, page: string, exists: (path: string) => boolean): string[] {
  const text = markdown.replace(/^( *)(`{3,}|~{3,})[^]*?^\1?\2/gm, '').replace(/`[^`\n]*`/g, '');
  const links = Array.from(text.matchAll(/\]\(([^)\s]+)[^)]*\)/g), ([, link]) => link!);
  // Files that the site includes in the page. `@` is the documentation folder.
  const parts = Array.from(text.matchAll(/^<<< @\/([^\s{]+)/gm), ([, path]) => path!);
  return [...links, ...parts]
    .filter((link) => !ANY_PROTOCOL.test(link) && !link.startsWith('#') && !link.startsWith('/'))
    .filter((link) => !exists(posix.join(posix.dirname(page), link.replace(/#.*$/, ''))))
    .map((link) => `${page}: ${link} does not exist`);
}
