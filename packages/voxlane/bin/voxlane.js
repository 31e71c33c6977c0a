#!/usr/bin/env node
/**
 * Helpers for embedding the library:
 *
 *   voxlane copy <folder>           copies workers, models and runtime to <folder>/voxlane, for bundlers that copy no files
 *   voxlane serve [folder] [port]   serves a folder on localhost, for testing a page
 */
import { copyFileSync, createReadStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, extname, join, normalize, relative, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream';
import { fileURLToPath } from 'node:url';

const USAGE = `usage: voxlane copy <folder>
       voxlane serve [folder, default: this folder] [port, default: 8000 or the next free port]`;

/** Browsers reject modules and WASM with other types. */
const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.mp3': 'audio/mpeg',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.wav': 'audio/wav',
};

// A pipe that closes early, as with `| head`, must not cause a stack trace.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

const [command, ...rest] = process.argv.slice(2);
if (command === 'copy' && rest.length === 1) copy(rest[0]);
else if (command === 'serve' && rest.length <= 2) serve(rest[0] ?? '.', rest[1]);
else if (command === '--help' || command === '-h') console.log(USAGE);
else fail(USAGE);

/** The library looks for its files next to the bundled script. */
function copy(folder) {
  const code = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'voxlane');
  const assets = join(assetsPackage(), 'voxlane');
  const target = resolve(folder, 'voxlane');
  const missing = [code, assets].find((source) => !existsSync(source));
  if (missing) fail(`${missing} is missing: install voxlane and voxlane-assets again, in one version`);
  for (const source of [code, assets]) copyFolder(source, target);
  console.log(`workers, models and runtime are in ${target}`);
}

/** Each file appears complete or not at all, so that a running server never sends a part of one. */
function copyFolder(source, target) {
  const files = readdirSync(source, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const entry of files) {
    const from = join(entry.parentPath ?? entry.path, entry.name);
    const to = join(target, relative(source, from));
    const temporary = join(dirname(to), `.voxlane-${process.pid}.tmp`);
    try {
      mkdirSync(dirname(to), { recursive: true });
    } catch (error) {
      fail(`${to} cannot be written: ${error.message}`);
    }
    try {
      copyFileSync(from, temporary);
      renameSync(temporary, to);
    } catch (error) {
      rmSync(temporary, { force: true });
      fail(`${to} cannot be written: ${error.message}`);
    }
  }
}

function assetsPackage() {
  try {
    return dirname(createRequire(import.meta.url).resolve('voxlane-assets'));
  } catch {
    return fail('the package voxlane-assets is missing: install voxlane and voxlane-assets again, in one version');
  }
}

function serve(folder, asked) {
  let port = Number(asked ?? 8000);
  if (!Number.isInteger(port) || port < 0 || port > 65535) fail(`the port is ${asked}, not a whole number from 0 to 65535`);
  const root = resolve(folder);
  if (!existsSync(root) || !statSync(root).isDirectory()) fail(`there is no folder ${root}`);
  const server = createServer((request, response) => {
    const found = fileAt(root, request.url ?? '/');
    if (!found) {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found\n');
      return;
    }
    const { file, size } = found;
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    const headers = { 'Content-Type': type, 'Accept-Ranges': 'bytes', 'Cache-Control': 'no-cache' };
    const range = rangeOf(request.headers.range, size);
    if (range) {
      const { start, end } = range;
      response.writeHead(206, { ...headers, 'Content-Length': end - start + 1, 'Content-Range': `bytes ${start}-${end}/${size}` });
    } else response.writeHead(200, { ...headers, 'Content-Length': size });
    if (request.method === 'HEAD' || size === 0) response.end();
    // Also closes the file if a player requests another range before this response ends.
    else pipeline(createReadStream(file, range ?? {}), response, () => undefined);
  });
  // Only on localhost: WebGPU requires a secure context, which other machines would not have over http.
  const listen = () => server.listen(port, '127.0.0.1');
  server.on('listening', () => console.log(`http://localhost:${server.address().port}/`));
  server.on('error', (error) => {
    // The port is only the default.
    if (error.code === 'EADDRINUSE' && asked === undefined && port < 65535) {
      port++;
      listen();
    } else fail(error.message);
  });
  listen();
}

/** The file of a URL and its size in bytes; null if there is none or it is outside the folder. */
function fileAt(root, url) {
  let path;
  try {
    path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
  } catch {
    return null;
  }
  const file = normalize(join(root, path.endsWith('/') ? `${path}index.html` : path));
  if (!file.startsWith(root + sep)) return null;
  try {
    const stats = statSync(file);
    return stats.isFile() ? { file, size: stats.size } : null;
  } catch {
    return null;
  }
}

/** Players request byte ranges when they seek. */
function rangeOf(header, size) {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === undefined) return null;
  const start = Number(first);
  const end = last ? Math.min(Number(last), size - 1) : size - 1;
  return start <= end ? { start, end } : null;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
