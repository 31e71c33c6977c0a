/**
 * Command line: serves a folder on localhost.
 *
 *     npx voxlane serve [FOLDER] [PORT]
 */
import { createReadStream, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join, normalize, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream';
import { MIME_TYPES } from './mimeTypes';
import { print } from './output';
import { commandOf } from './script';
import { parsed, parseFlags } from './usage';

export const HELP = `Usage: voxlane serve [FOLDER] [PORT]

Serves FOLDER (default: this folder) on localhost, for testing a page. The default PORT is 8000, or the next one that is free.

  --help   print this text
`;

const DEFAULT_PORT = 8000;
const MAX_PORT = 65_535;

async function main(args: readonly string[]): Promise<number> {
  const request = parsed(() => {
    const { values, positionals } = parseFlags({ args: [...args], allowPositionals: true, options: { help: { type: 'boolean', short: 'h' } } });
    const [folder = '.', port, ...others] = positionals;
    if (others.length > 0) throw new Error('expected at most a folder and a port. Try --help');
    return values.help ? null : { folder, port: portOf(port) };
  });
  if (request === null) {
    await print(HELP);
    return 0;
  }
  const root = resolve(request.folder);
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`there is no folder ${root}`);
  return serve(root, request.port);
}

/** @throws Error if it is not a port */
function portOf(text: string | undefined): number | undefined {
  const port = text === undefined ? undefined : Number(text);
  if (port === undefined || (text !== '' && Number.isInteger(port) && port >= 0 && port <= MAX_PORT)) return port;
  throw new Error(`the port is ${text}. Expected a whole number from 0 to ${MAX_PORT}`);
}

/** Serves until the process ends. @throws Error if the port cannot be opened */
function serve(root: string, asked: number | undefined): Promise<number> {
  return new Promise((_, reject) => {
    let port = asked ?? DEFAULT_PORT;
    const server = createServer((request, response) => { answer(root, request, response); });
    // Only on localhost: WebGPU requires a secure context, which other machines would not have over http.
    const listen = () => server.listen(port, '127.0.0.1');
    server.on('listening', () => {
      const address = server.address();
      if (typeof address === 'object' && address) void print(`http://localhost:${address.port}/\n`).catch(() => undefined);
    });
    server.on('error', (error: NodeJS.ErrnoException) => {
      // The port is only the default.
      if (error.code === 'EADDRINUSE' && asked === undefined && port < MAX_PORT) {
        port++;
        listen();
      } else reject(error);
    });
    listen();
  });
}

function answer(root: string, request: IncomingMessage, response: ServerResponse): void {
  const found = fileAt(root, request.url ?? '/');
  if (!found) {
    response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found\n');
    return;
  }
  const { file, size } = found;
  const type = MIME_TYPES[extname(file)] ?? 'application/octet-stream';
  const headers = { 'Content-Type': type, 'Accept-Ranges': 'bytes', 'Cache-Control': 'no-cache' };
  const range = rangeOf(request.headers.range, size);
  if (range) {
    const { start, end } = range;
    response.writeHead(206, { ...headers, 'Content-Length': end - start + 1, 'Content-Range': `bytes ${start}-${end}/${size}` });
  } else response.writeHead(200, { ...headers, 'Content-Length': size });
  if (request.method === 'HEAD' || size === 0) response.end();
  // Also closes the file if a player requests another range before this response ends.
  else pipeline(createReadStream(file, range ?? {}), response, () => undefined);
}

/** The file of a URL and its size in bytes; null if there is none or it is outside the folder. */
export function fileAt(root: string, url: string): { readonly file: string; readonly size: number } | null {
  let path;
  try {
    path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
  } catch {
    return null;
  }
  const file = normalize(join(root, path.endsWith('/') ? `${path}index.html` : path));
  if (!file.startsWith(root.endsWith(sep) ? root : root + sep)) return null;
  try {
    const stats = statSync(file);
    return stats.isFile() ? { file, size: stats.size } : null;
  } catch {
    return null;
  }
}

/** Players request byte ranges when they seek. */
function rangeOf(header: string | undefined, size: number): { readonly start: number; readonly end: number } | null {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === undefined) return null;
  const start = Number(first);
  const end = last === undefined || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start <= end ? { start, end } : null;
}

export const run = commandOf('serve', 1, main);
