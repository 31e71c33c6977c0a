import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of the repository. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Paths of the pages that people write, from the root of the repository; without what is generated. */
export function pages(): string[] {
  const written = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', ...written.sort().map((name) => `docs/${name}`)];
}

/** @param page as {@link pages} names it, or any other path from the root */
export const readPage = (page: string): string => readFileSync(join(ROOT, page), 'utf8');
