import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { preview, type Plugin, type PreviewServer } from 'vite';
import { serveToolPages } from '../../scripts/toolPages';
import { uncompressedModels } from '../../scripts/uncompressedModelsPlugin';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const POLICY_REPORTS = '/policy-report';

/** The built app on a free local port. */
export interface TestServer {
  /** Address with a trailing slash. */
  readonly address: string;
  /** Violations of the Content-Security-Policy reported by browsers. */
  readonly violations: readonly string[];
  /** Stops the server. Later requests fail. */
  end(): Promise<void>;
}

/** A server that can modify worker scripts. */
export interface AppServer extends TestServer {
  /** Prepends a script to the next worker of these kinds, or to all from now on. Replaces earlier injections. */
  inject(kinds: string | readonly string[], script: string, workers: 'next' | 'all'): void;
}

/**
 * Serves the app like `vite preview`: isolated and with the strict policy.
 *
 * @param files contents of additional files, by path without a leading slash
 */
export async function serveApp(files: Readonly<Record<string, Uint8Array>> = {}): Promise<AppServer> {
  // The build configuration adds this address to the policy.
  process.env.VOXLANE_POLICY_REPORTS = POLICY_REPORTS;
  const injector = new Injector();
  const server = await preview({
    root: ROOT,
    logLevel: 'silent',
    preview: { port: 0, host: '127.0.0.1' },
    plugins: [injector.plugin, serveToolPages(['cli', 'test']), serveFiles(files)],
  });
  const violations: string[] = [];
  server.httpServer.prependListener('request', (request: IncomingMessage) => {
    if (request.url !== POLICY_REPORTS) return;
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => violations.push(Buffer.concat(parts).toString()));
  });
  return {
    address: addressOf(server),
    violations,
    inject: (...injection) => {
      injector.set(...injection);
    },
    end: () => server.close(),
  };
}

/** Serves the same files like a plain static server, without isolation headers. */
export async function serveWithoutHeaders(): Promise<TestServer> {
  const server = await preview({
    configFile: false,
    root: ROOT,
    appType: 'mpa',
    logLevel: 'silent',
    preview: { port: 0, host: '127.0.0.1' },
    plugins: [uncompressedModels(), serveToolPages(['cli', 'test'])],
  });
  return { address: addressOf(server), violations: [], end: () => server.close() };
}

/** Header that requests the unmodified script from this server. */
const PLAIN = 'x-plain';

/** Prepends a script to a worker script on the server, because not every browser lets tests intercept requests. */
class Injector {
  private current: { readonly kinds: readonly string[]; readonly script: string; readonly workers: 'next' | 'all' } | null = null;

  set(kinds: string | readonly string[], script: string, workers: 'next' | 'all'): void {
    this.current = { kinds: [kinds].flat(), script, workers };
  }

  readonly plugin: Plugin = {
    name: 'scripts of a test',
    configurePreviewServer: ({ middlewares }) => {
      middlewares.use((request, response, next) => {
        const { current } = this;
        const isWanted = current?.kinds.some((kind) => request.url?.includes(`/${kind}.worker-`)) && request.url?.endsWith('.js');
        if (!current || !isWanted || request.headers[PLAIN]) {
          next();
          return;
        }
        if (current.workers === 'next') this.current = null;
        void fetch(`http://${request.headers.host}${request.url}`, { headers: { [PLAIN]: '1' } }).then(async (plain) => {
          const body = Buffer.from(`${current.script}\n${await plain.text()}`);
          const length = { 'content-length': String(body.length), 'cache-control': 'no-store' };
          const kept = [...plain.headers].filter(([name]) => !['content-encoding', 'transfer-encoding', 'etag'].includes(name));
          response.writeHead(plain.status, { ...Object.fromEntries(kept), ...length }).end(body);
        }, next);
      });
    },
  };
}

const serveFiles = (files: Readonly<Record<string, Uint8Array>>): Plugin => ({
  name: 'files of a test',
  configurePreviewServer({ middlewares }) {
    middlewares.use((request, response, next) => {
      const body = files[request.url?.slice(1) ?? ''];
      if (body) response.end(body);
      else next();
    });
  },
});

function addressOf(server: PreviewServer): string {
  return `http://127.0.0.1:${(server.httpServer.address() as AddressInfo).port}/`;
}
