import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { preview, type Plugin, type PreviewServer } from 'vite';
import { serveToolPages } from '../../scripts/toolPages';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const POLICY_REPORTS = '/policy-report';

/** The built app on a free local port. */
export interface TestServer {
  /** With a slash at its end. */
  readonly address: string;
  /** What browsers have reported as breaking the Content-Security-Policy. */
  readonly violations: readonly string[];
  /** Stops the server. Later requests are refused. */
  end(): Promise<void>;
}

/**
 * Serves the app as `vite preview` does: isolated, and under the strict policy.
 *
 * @param files contents of further files, by path without a slash at its start
 */
export async function serveApp(files: Readonly<Record<string, Uint8Array>> = {}): Promise<TestServer> {
  // The build configuration adds this address to the policy.
  process.env.VOXLANE_POLICY_REPORTS = POLICY_REPORTS;
  const server = await preview({
    root: ROOT,
    logLevel: 'silent',
    preview: { port: 0, host: '127.0.0.1' },
    plugins: [serveToolPages(['cli', 'test']), serveFiles(files)],
  });
  const violations: string[] = [];
  server.httpServer.prependListener('request', (request: IncomingMessage) => {
    if (request.url !== POLICY_REPORTS) return;
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => violations.push(Buffer.concat(parts).toString()));
  });
  return { address: addressOf(server), violations, end: () => server.close() };
}

/** Serves the same files as a plain static server: without the headers that isolate the page. */
export async function serveWithoutHeaders(): Promise<TestServer> {
  const server = await preview({
    configFile: false,
    root: ROOT,
    appType: 'mpa',
    logLevel: 'silent',
    preview: { port: 0, host: '127.0.0.1' },
    plugins: [serveToolPages(['cli', 'test'])],
  });
  return { address: addressOf(server), violations: [], end: () => server.close() };
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
