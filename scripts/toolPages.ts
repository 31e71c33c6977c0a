import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { InlineConfig, Plugin } from 'vite';
import { coverage } from './coverage/plugin.ts';
import { kernels } from './kernelsPlugin.ts';
import { policy } from './policyPlugin.ts';
import { wasm } from './wasmPlugin.ts';

const ROOT = join(import.meta.dirname, '..');

/**
 * Pages that are not part of the product. Each folder is built separately and served under its own path next to the built
 * app. The pages use the app's models and runtime.
 *
 * - `cli`: the library on a page without a user interface, for the commands and the benchmarks.
 * - `test`: pages with single components, for the browser tests.
 */
export const TOOL_PAGES = {
  cli: { folder: join(ROOT, 'cli/page'), output: join(ROOT, 'dist-cli') },
  test: { folder: join(ROOT, 'test/pages'), output: join(ROOT, 'dist-test') },
} as const;

export type ToolPages = keyof typeof TOOL_PAGES;

/** Vite's configuration for one folder of pages. */
export function toolPagesConfig(name: ToolPages): InlineConfig {
  const { folder, output } = TOOL_PAGES[name];
  const pages = readdirSync(folder).filter((file) => file.endsWith('.html'));
  return {
    configFile: false,
    root: folder,
    base: `/${name}/`,
    publicDir: false,
    logLevel: 'error',
    plugins: [coverage(), kernels(), wasm(), policy()],
    worker: { format: 'es', plugins: () => [coverage(), kernels(), wasm()] },
    build: {
      target: 'es2022',
      outDir: output,
      emptyOutDir: true,
      assetsInlineLimit: 0,
      rolldownOptions: { input: pages.map((page) => join(folder, page)) },
    },
  };
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** Serves built tool pages in a preview server of the app with the app's headers. */
export function serveToolPages(names: readonly ToolPages[]): Plugin {
  return {
    name: 'voxlane-tool-pages',
    configurePreviewServer({ middlewares, config }) {
      middlewares.use((request, response, next) => {
        const { pathname } = new URL(request.url ?? '/', 'http://localhost');
        const name = names.find((each) => pathname.startsWith(`/${each}/`));
        if (!name) {
          next();
          return;
        }
        const path = pathname.slice(name.length + 1);
        const file = join(TOOL_PAGES[name].output, path);
        if (path.includes('..') || !existsSync(file) || !statSync(file).isFile()) {
          // Models, runtime, goldens and the sample come from the app.
          request.url = path;
          next();
          return;
        }
        response.writeHead(200, {
          ...(config.preview.headers as Record<string, string>),
          'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
        });
        createReadStream(file).pipe(response);
      });
    },
  };
}
