import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the repository. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Paths of the hand-written pages, relative to the root of the repository. */
export function pages(): string[] {
  const written = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', ...written.sort().map((name) => `docs/${name}`)];
}

/** @param page a path from {@link pages}, or any other path relative to the root */
export const readPage = (page: string): string => readFileSync(join(ROOT, page), 'utf8');
