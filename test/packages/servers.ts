import { createReadStream, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize, resolve, sep } from 'node:path';
import { MIME_TYPES } from '../../cli/mimeTypes';

/** A generic static file server. */
export interface StaticServer {
  /** Address with a trailing slash. */
  readonly address: string;
  readonly origin: string;
  /** Requested paths, in order. */
  readonly asked: readonly string[];
  /** Headers sent with every file in addition to its type. Can be changed between requests. */
  headers: Readonly<Record<string, string>>;
  stop(): void;
}

/**
 * Serves folders locally on a free port.
 *
 * @param folders folders by server path, `/` or `/name/`; the longest matching path wins
 */
export async function serveFolders(
  folders: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<StaticServer> {
  const asked: string[] = [];
  const server = createServer(({ url = '/' }, response) => {
    const path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    asked.push(path);
    const file = fileAt(folders, path.endsWith('/') ? `${path}index.html` : path);
    if (!file) {
      response.writeHead(404, served.headers).end();
      return;
    }
    const type = MIME_TYPES[extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, { ...served.headers, 'Content-Type': type, 'Content-Length': statSync(file).size });
    createReadStream(file).pipe(response);
  });
  const origin = await listen(server);
  const served: StaticServer = { address: `${origin}/`, origin, asked, headers, stop: () => void server.close() };
  return served;
}

/** Starts the server locally on a free port. @returns its origin */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function fileAt(folders: Readonly<Record<string, string>>, path: string): string | null {
  const [prefix] = Object.keys(folders).filter((each) => path.startsWith(each)).sort((a, b) => b.length - a.length);
  if (prefix === undefined) return null;
  const root = resolve(folders[prefix]!);
  const file = normalize(join(root, path.slice(prefix.length)));
  return file.startsWith(root + sep) && statSync(file, { throwIfNoEntry: false })?.isFile() ? file : null;
}
