import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { preview, type PreviewServer } from 'vite';
import { PUBLIC_HUB } from '../../src/store/sources';
import { POLICY_HEADER } from '../../src/ui-kit/privacy/policy';
import { expect, type Page } from './test';

/** A separate server with a copy of the built app that tests can change and stop. */
export class ReleaseServer {
  private constructor(
    private readonly server: PreviewServer,
    private readonly folder: string,
  ) {}

  /** @param hub origin in place of that of the public hub, in scripts, pages and policies */
  static async open(hub?: string): Promise<ReleaseServer> {
    const folder = mkdtempSync(join(tmpdir(), 'voxlane-release-'));
    cpSync('dist', folder, { recursive: true, filter: (path) => !path.endsWith('.map') });
    const headers = hub === undefined ? {} : { headers: { 'Content-Security-Policy': POLICY_HEADER.replace(PUBLIC_ORIGIN, hub) } };
    const server = await preview({ logLevel: 'silent', build: { outDir: folder }, preview: { port: 0, host: '127.0.0.1', ...headers } });
    const release = new ReleaseServer(server, folder);
    if (hub !== undefined) release.replaceInCode(PUBLIC_ORIGIN, hub);
    return release;
  }

  /** Address with a trailing slash. */
  get address(): string {
    const address = this.server.httpServer.address();
    if (typeof address !== 'object' || !address) throw new Error('the server has no port');
    return `http://127.0.0.1:${address.port}/`;
  }

  /** Publishes a release with one changed file. */
  change(file: string, edit: (content: string) => string): void {
    this.replace(file, Buffer.from(edit(readFileSync(join(this.folder, file), 'utf8'))));
  }

  /** Publishes a release with other content of one file. */
  replace(file: string, after: Uint8Array): void {
    const path = join(this.folder, file);
    const before = readFileSync(path);
    const script = join(this.folder, 'sw.js');
    const listed = readFileSync(script, 'utf8');
    if (!listed.includes(hashOf(before))) throw new Error(`the release does not list ${file}`);
    writeFileSync(path, after);
    writeFileSync(script, listed.replaceAll(hashOf(before), hashOf(after)));
  }

  /** Publishes a release with `after` in place of `before` in scripts, pages and the service worker. */
  private replaceInCode(before: string, after: string): void {
    const paths = readdirSync(this.folder, { recursive: true, encoding: 'utf8' }).filter((path) => /\.(js|html)$/.test(path) && path !== 'sw.js');
    for (const path of paths) {
      if (readFileSync(join(this.folder, path), 'utf8').includes(before)) this.change(path, (content) => content.replaceAll(before, after));
    }
    const script = join(this.folder, 'sw.js');
    writeFileSync(script, readFileSync(script, 'utf8').replaceAll(before, after));
  }

  /** Adds a file without changing the list. */
  add(file: string, content: string): void {
    writeFileSync(join(this.folder, file), content);
  }

  /** Stops the server. */
  async end(): Promise<void> {
    await this.server.close();
  }

  async remove(): Promise<void> {
    await this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const PUBLIC_ORIGIN = new URL(PUBLIC_HUB).origin;

/** Hash in the format of the service worker's list. */
const hashOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('base64');

/** Visits the page at `address` and waits until all files are cached. */
export async function keepRelease(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await expect(page.getByTestId('offline-state')).toHaveAttribute('data-kept', 'ready', { timeout: 60_000 });
}
