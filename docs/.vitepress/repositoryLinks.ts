import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { MarkdownRenderer } from 'vitepress';

/**
 * Links that lead out of the documentation's folder go to a file of the repository. They work where the page is read
 * in the repository; the site does not hold these files, and names them.
 *
 * @param root the documentation's folder
 * @throws Error for a file that the repository does not have, which ends the build
 */
export function repositoryLinks(markdown: MarkdownRenderer, root: string): void {
  markdown.core.ruler.push('repository-links', ({ tokens, env }) => {
    const page = (env as { readonly path: string }).path;
    for (const token of tokens) {
      let depth = 0;
      for (const child of token.children ?? []) {
        if (child.type === 'link_open') {
          const href = child.attrGet('href') ?? '';
          if (!/^\.{1,2}\//.test(href)) continue;
          const target = resolve(dirname(page), href.replace(/#.*$/, ''));
          const path = relative(root, target);
          if (!path.startsWith('..')) continue;
          if (!existsSync(target)) throw new Error(`${page} links to ${href}, which the repository does not have`);
          depth++;
          Object.assign(child, { type: 'repository_open', tag: 'span', attrs: null });
          child.attrSet('class', 'repository');
          child.attrSet('title', `In the repository: ${path.replace(/^(\.\.\/)+/, '')}`);
        } else if (child.type === 'link_close' && depth > 0) {
          depth--;
          Object.assign(child, { type: 'repository_close', tag: 'span' });
        }
      }
    }
  });
}
