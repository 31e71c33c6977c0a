import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = ['src', 'workers', 'models', 'public', 'index.html', 'compare.html', 'engine.html', 'kernels.html', 'store.html', 'vite.config.ts', 'package-lock.json'];

/** The built app on a free local port. */
export interface Site {
  /** Address with a slash at its end. */
  readonly address: string;
  close(): Promise<void>;
}

/** Builds the app where `dist/` is missing or older than its sources, and serves it. */
export async function openSite(say: (line: string) => void): Promise<Site> {
  if (isStale()) {
    say('building the app …');
    await buildForProduction();
  }
  const server = await preview({ root: ROOT, logLevel: 'silent', preview: { port: 0, host: '127.0.0.1' } });
  const address = server.httpServer.address();
  if (typeof address !== 'object' || !address) throw new Error('the local server has no port');
  return {
    address: `http://127.0.0.1:${address.port}/`,
    close: () => server.close(),
  };
}

/** Vite keeps a `NODE_ENV` that is set, and Vitest sets "test": such a build would lack the service worker. */
async function buildForProduction(): Promise<void> {
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = 'production';
  try {
    await build({ root: ROOT, logLevel: 'error' });
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  }
}

function isStale(): boolean {
  const built = join(ROOT, 'dist/engine.html');
  if (!existsSync(built)) return true;
  const builtAt = statSync(built).mtimeMs;
  return SOURCES.some((source) => newest(join(ROOT, source)) > builtAt);
}

/** Latest change below `path`, in milliseconds since the epoch. */
function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}
