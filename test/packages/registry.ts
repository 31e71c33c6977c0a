import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { packPackages, ROOT } from './pack';
import { runIn } from './runIn';
import { listen } from './servers';

/** A local registry. */
export interface Registry {
  /** Address with a trailing slash, for npm's option `registry`. */
  readonly address: string;
  /** Requested paths that were forwarded to the upstream registry. */
  readonly forwarded: readonly string[];
  stop(): void;
}

/** Package metadata requested by npm. */
interface Packument {
  readonly name: string;
  readonly 'dist-tags': { readonly latest: string };
  readonly versions: Readonly<Record<string, unknown>>;
}

/**
 * Serves both packages as if they were published. Other requests are forwarded to npm's configured registry.
 */
export async function serveRegistry(): Promise<Registry> {
  const { stdout } = await runIn(ROOT, 'npm', ['config', 'get', 'registry']);
  const upstream = stdout.trim();
  const folder = await packPackages();
  const tarballs = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
  const packuments = new Map<string, Packument>();
  const forwarded: string[] = [];
  const server = createServer(({ url = '/', headers }, response) => {
    const path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    const packument = packuments.get(path.slice(1));
    const tarball = tarballs.find((file) => path.endsWith(`/-/${file}`));
    if (packument) response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(packument));
    else if (tarball !== undefined) response.writeHead(200, { 'Content-Type': 'application/octet-stream' }).end(readFileSync(join(folder, tarball)));
    else {
      forwarded.push(path);
      void forward(new URL(url.slice(1), upstream), headers.accept ?? '*/*', response);
    }
  });
  const address = `${await listen(server)}/`;
  for (const file of tarballs) {
    const packument = await packumentOf(join(folder, file), file, address);
    packuments.set(packument.name, packument);
  }
  return { address, forwarded, stop: () => void server.close() };
}

async function packumentOf(path: string, file: string, address: string): Promise<Packument> {
  const { stdout } = await runIn(ROOT, 'tar', ['-xzOf', path, 'package/package.json']);
  const manifest = JSON.parse(stdout) as { readonly name: string; readonly version: string };
  const { name, version } = manifest;
  const integrity = `sha512-${createHash('sha512').update(readFileSync(path)).digest('base64')}`;
  const dist = { tarball: `${address}${name}/-/${file}`, integrity };
  return { name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist } } };
}

async function forward(address: URL, accept: string, response: ServerResponse): Promise<void> {
  try {
    const answer = await fetch(address, { headers: { accept } });
    const type = answer.headers.get('content-type') ?? 'application/octet-stream';
    response.writeHead(answer.status, { 'Content-Type': type }).end(new Uint8Array(await answer.arrayBuffer()));
  } catch (error) {
    response.writeHead(502, { 'Content-Type': 'text/plain' }).end(String(error));
  }
}
