import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';
import { serveToolPages, TOOL_PAGES, toolPagesConfig } from '../scripts/toolPages';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = ['src', 'workers', 'models', 'public', 'index.html', 'compare.html', 'cli/page', 'vite.config.ts', 'package-lock.json'];

/** The built app on a free local port. */
export interface Site {
  /** Address with a slash at its end. */
  readonly address: string;
  close(): Promise<void>;
}

/** Builds the app and the page of the commands if they are missing or older than their sources, and serves both. */
export async function openSite(say: (line: string) => void): Promise<Site> {
  if (isStale()) {
    say('building the app …');
    await build({ root: ROOT, logLevel: 'error' });
    await build(toolPagesConfig('cli'));
  }
  const server = await preview({
    root: ROOT,
    logLevel: 'silent',
    preview: { port: 0, host: '127.0.0.1' },
    plugins: [serveToolPages(['cli'])],
  });
  const address = server.httpServer.address();
  if (typeof address !== 'object' || !address) throw new Error('the local server has no port');
  return {
    address: `http://127.0.0.1:${address.port}/`,
    close: () => server.close(),
  };
}

function isStale(): boolean {
  const built = [join(ROOT, 'dist/index.html'), join(TOOL_PAGES.cli.output, 'engine.html')];
  if (!built.every((file) => existsSync(file))) return true;
  const builtAt = Math.min(...built.map((file) => statSync(file).mtimeMs));
  return SOURCES.some((source) => newest(join(ROOT, source)) > builtAt);
}

/** Latest change below `path`, in milliseconds since the epoch. */
function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}
