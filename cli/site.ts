import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveToolPages, TOOL_PAGES, toolPagesConfig, type ToolPages } from '../scripts/toolPages';
import { withBuildLock } from './buildLock';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = ['src', 'workers', 'cli/engine', 'models', 'public', 'index.html', 'compare.html', 'vite.config.ts', 'package-lock.json'];

/** The built app, served on a local port. */
export interface Site {
  /** Address with a trailing slash. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Builds the app and the tool pages if they are missing or older than their sources, and serves them.
 *
 * @param tools the page of the commands and, for benchmarks, the test pages
 * @param port the preferred port; the next free one if it is taken; by default any
 */
export async function openSite(say: (line: string) => void, tools: readonly ToolPages[] = ['cli'], port = 0): Promise<Site> {
  await buildIfStale(say, tools);
  // Imported on demand, because it takes longer to load than many commands run.
  const { preview } = await import('vite');
  const before = new Set(process.listeners('SIGTERM'));
  const server = await preview({
    root: ROOT,
    logLevel: 'silent',
    preview: { port, host: '127.0.0.1' },
    plugins: [serveToolPages(tools)],
  });
  // Vite's listener would exit before the browser has closed. endings.ts handles the signal instead.
  for (const listener of process.listeners('SIGTERM')) if (!before.has(listener)) process.off('SIGTERM', listener);
  const address = server.httpServer.address();
  if (typeof address !== 'object' || !address) throw new Error('the local server has no port');
  return {
    address: `http://127.0.0.1:${address.port}/`,
    close: () => server.close(),
  };
}

/**
 * Builds the app and the tool pages if they are missing or older than their sources. Only one process builds at a time,
 * because an incomplete build must not be served, and two processes must not write the same files.
 */
export async function buildIfStale(say: (line: string) => void, tools: readonly ToolPages[] = ['cli']): Promise<void> {
  const wait = (): void => { say('waiting for another command to finish building the app …'); };
  await withBuildLock(ROOT, wait, async () => {
    if (!isStale(tools)) return;
    say('building the app …');
    await buildForProduction(tools);
  });
}

function isStale(tools: readonly ToolPages[]): boolean {
  const built = [join(ROOT, 'dist/index.html'), ...tools.flatMap(builtPages)];
  if (!built.every((file) => existsSync(file))) return true;
  const builtAt = Math.min(...built.map((file) => statSync(file).mtimeMs));
  const sources = [...SOURCES.map((source) => join(ROOT, source)), ...tools.map((name) => TOOL_PAGES[name].folder)];
  return sources.some((source) => newest(source) > builtAt);
}

/** Output paths of the pages in a folder. */
function builtPages(name: ToolPages): string[] {
  const { folder, output } = TOOL_PAGES[name];
  return readdirSync(folder).filter((file) => file.endsWith('.html')).map((file) => join(output, file));
}

/** Vite keeps an existing `NODE_ENV`. Vitest sets it to "test", which would omit the service worker from the build. */
async function buildForProduction(tools: readonly ToolPages[]): Promise<void> {
  const { build } = await import('vite');
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = 'production';
  try {
    await build({ root: ROOT, logLevel: 'error' });
    for (const name of tools) await build(toolPagesConfig(name));
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  }
}

/** Latest modification time below `path`, in milliseconds since the epoch. */
function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}
