import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { preview, type PreviewServer } from 'vite';
import { expect, type Page } from './test';

/** A separate server with a copy of the built app that tests can change and stop. */
export class ReleaseServer {
  private constructor(
    private readonly server: PreviewServer,
    private readonly folder: string,
  ) {}

  static async open(): Promise<ReleaseServer> {
    const folder = mkdtempSync(join(tmpdir(), 'voxlane-release-'));
    cpSync('dist', folder, { recursive: true, filter: (path) => !path.endsWith('.map') });
    const server = await preview({ logLevel: 'silent', build: { outDir: folder }, preview: { port: 0, host: '127.0.0.1' } });
    return new ReleaseServer(server, folder);
  }

  /** Address with a trailing slash. */
  get address(): string {
    const address = this.server.httpServer.address();
    if (typeof address !== 'object' || !address) throw new Error('the server has no port');
    return `http://127.0.0.1:${address.port}/`;
  }

  /** Publishes a release with one changed file. */
  change(file: string, edit: (content: string) => string): void {
    const path = join(this.folder, file);
    const [before, after] = [readFileSync(path, 'utf8'), edit(readFileSync(path, 'utf8'))];
    const script = join(this.folder, 'sw.js');
    const listed = readFileSync(script, 'utf8');
    if (!listed.includes(hashOf(before))) throw new Error(`the release does not list ${file}`);
    writeFileSync(path, after);
    writeFileSync(script, listed.replaceAll(hashOf(before), hashOf(after)));
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

/** Hash in the format of the service worker's list. */
const hashOf = (content: string): string => createHash('sha256').update(content).digest('base64');

/** Visits the page at `address` and waits until all files are cached. */
export async function keepRelease(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await expect(page.getByTestId('offline-state')).toHaveAttribute('data-kept', 'ready', { timeout: 60_000 });
}
