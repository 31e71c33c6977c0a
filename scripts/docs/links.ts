/** Links that lead nowhere: in the built site, and in Markdown that is read in the repository. */
import { posix } from 'node:path';

const ANY_PROTOCOL = /^[a-z][a-z\d+.-]*:/i;

/**
 * Links and anchors of a built site that it does not hold. Addresses of other sites are not asked.
 *
 * @param files of the site: paths from its root, with `/`; text of those that are HTML, empty of others
 * @param base of the site, with a slash at both ends
 * @returns one line for each, sorted, none twice
 */
export function deadLinks(files: ReadonlyMap<string, string>, base = '/'): string[] {
  const anchors = new Map(Array.from(files, ([path, html]) => [path, new Set(valuesOf(html, 'id'))]));
  const dead = new Set<string>();
  for (const [path, html] of files) {
    for (const link of [...valuesOf(html, 'href'), ...valuesOf(html, 'src')]) {
      if (ANY_PROTOCOL.test(link) || link.startsWith('//')) continue;
      const [address = '', anchor = ''] = decodeURI(link).split('#');
      const target = address === '' ? path : fileAt(files, address, path, base);
      if (target === null) dead.add(`${path}: ${link} is not there`);
      else if (anchor !== '' && !anchors.get(target)?.has(anchor)) dead.add(`${path}: ${link} has no such heading`);
    }
  }
  return [...dead].sort();
}

function valuesOf(html: string, attribute: string): string[] {
  const marked = html.matchAll(new RegExp(`\\s${attribute}="([^"]*)"`, 'g'));
  return Array.from(marked, ([, value]) => value!.replaceAll('&amp;', '&').replaceAll('&#39;', "'"));
}

/** What a static server gives for an address; null for nothing. */
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
 * Links of a Markdown page to files that the repository does not have. Anchors are not looked at.
 *
 * @param page path from the root of the repository, with `/`
 * @param exists whether the repository has a path
 */
export function deadFiles(markdown: string, page: string, exists: (path: string) => boolean): string[] {
  const text = markdown.replace(/^( *)(`{3,}|~{3,})[^]*?^\1?\2/gm, '').replace(/`[^`\n]*`/g, '');
  const links = Array.from(text.matchAll(/\]\(([^)\s]+)[^)]*\)/g), ([, link]) => link!);
  // Files whose text the site sets into the page; `@` is the folder of the documentation.
  const parts = Array.from(text.matchAll(/^<<< @\/([^\s{]+)/gm), ([, path]) => path!);
  return [...links, ...parts]
    .filter((link) => !ANY_PROTOCOL.test(link) && !link.startsWith('#') && !link.startsWith('/'))
    .filter((link) => !exists(posix.join(posix.dirname(page), link.replace(/#.*$/, ''))))
    .map((link) => `${page}: ${link} is not there`);
}
