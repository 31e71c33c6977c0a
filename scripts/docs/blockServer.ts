/** Serves the code blocks of the documentation and their dependencies. */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { MIME_TYPES } from '../../cli/mimeTypes';
import { ROOT } from './pages';

/** A file added by a test. */
export interface Put {
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface BlockServer {
  /** Address with a trailing slash. */
  readonly address: string;
  /** @param path without a leading slash */
  put(path: string, file: Put): void;
  close(): Promise<void>;
}

/** Matches package addresses by name, with or without a version, relative to any page. */
const PACKAGE = /^.*?\/(?:node_modules\/)?(voxlane(?:-assets)?)(?:@[^/]*)?\/(.*)$/;

/** @param headers sent with every file, such as those of a CDN */
export async function startBlockServer(headers: Readonly<Record<string, string>> = {}): Promise<BlockServer> {
  const files = new Map<string, Put>();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const put = files.get(pathname.slice(1));
    const type = { 'Content-Type': MIME_TYPES[extname(pathname)] ?? 'application/octet-stream' };
    if (put) {
      response.writeHead(200, { ...type, ...headers, ...put.headers }).end(put.body);
      return;
    }
    // A worker uses the headers of its script, so every file gets the headers of the folder's page.
    const page = files.get(join(pathname.slice(1).replace(/\/(?:node_modules)\/.*$/, ''), 'index.html'));
    sendPackaged(pathname, { ...type, ...headers, ...page?.headers }, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    put: (path, file) => void files.set(path, file),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

function sendPackaged(pathname: string, headers: Readonly<Record<string, string>>, response: ServerResponse): void {
  const [, name, path] = PACKAGE.exec(pathname) ?? [];
  const file = name !== undefined && path !== undefined ? join(ROOT, 'packages', name, path) : null;
  if (file === null || file.includes('..') || !existsSync(file) || !statSync(file).isFile()) {
    response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found\n');
    return;
  }
  response.writeHead(200, { ...headers, 'Content-Length': statSync(file).size });
  createReadStream(file).pipe(response);
}
