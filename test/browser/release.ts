import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { preview, type PreviewServer } from 'vite';
import { expect, type Page } from './test';

/** A copy of the built app on a server of its own, which can be changed and ended. */
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

  /** With a slash at its end. */
  get address(): string {
    const address = this.server.httpServer.address();
    if (typeof address !== 'object' || !address) throw new Error('the server has no port');
    return `http://127.0.0.1:${address.port}/`;
  }

  /** Puts up a release in which one file is another. */
  change(file: string, edit: (content: string) => string): void {
    const path = join(this.folder, file);
    const [before, after] = [readFileSync(path, 'utf8'), edit(readFileSync(path, 'utf8'))];
    const script = join(this.folder, 'sw.js');
    const listed = readFileSync(script, 'utf8');
    if (!listed.includes(hashOf(before))) throw new Error(`the release does not list ${file}`);
    writeFileSync(path, after);
    writeFileSync(script, listed.replaceAll(hashOf(before), hashOf(after)));
  }

  /** Puts up a file and leaves the list as it is. */
  add(file: string, content: string): void {
    writeFileSync(join(this.folder, file), content);
  }

  /** Nobody answers at the address any more. */
  async end(): Promise<void> {
    await this.server.close();
  }

  async remove(): Promise<void> {
    await this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** As the service worker lists it. */
const hashOf = (content: string): string => createHash('sha256').update(content).digest('base64');

/** The first visit to the page at `address`, until everything is kept. */
export async function keepRelease(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await expect(page.getByTestId('offline-state')).toHaveAttribute('data-kept', 'ready', { timeout: 60_000 });
}
