import { type Group, groupOf, type Release, type ReleaseFile } from './contract';

/** Browser functions that {@link KeptFiles} uses. Tests replace them. */
interface Shelf {
  readonly open: () => Promise<Pick<Cache, 'match' | 'put' | 'keys' | 'delete'>>;
  readonly fetch: (request: Request) => Promise<Response>;
}

/** Query parameter for the content hash. No file of the release uses a parameter of this name. */
const HASH = 'sha256';

/** Headers that stored files are served without, because the stored content is decoded and complete. */
const TRANSFER_HEADERS = ['content-encoding', 'content-length', 'transfer-encoding', 'vary', 'set-cookie'];

/**
 * The stored files of a release, keyed by path and content hash.
 *
 * A file that two releases share is fetched and stored once. Files of an older release remain until {@link sweep}.
 * Only files with the listed hash are stored, so a server in the middle of an upload cannot mix two releases.
 */
export class KeptFiles {
  private readonly byPath: ReadonlyMap<string, ReleaseFile>;

  /** @param base base address of the release's paths, with a slash at its end */
  constructor(
    private readonly release: Release,
    private readonly base: string,
    private readonly shelf: Shelf,
  ) {
    this.byPath = new Map(release.files.map((file) => [file.path, file]));
  }

  /** The stored file for `address`; null if it is not part of the release or not stored yet. */
  async match(address: string): Promise<Response | null> {
    const file = this.fileAt(address);
    return file ? ((await (await this.shelf.open()).match(this.keyOf(file))) ?? null) : null;
  }

  /** Whether `address` is a file of the release. */
  has(address: string): boolean {
    return this.fileAt(address) !== null;
  }

  /**
   * Fetches the missing files of the groups one at a time, because they share the connection with the page.
   *
   * @throws TypeError at the first file that cannot be fetched or has another hash; files before it stay stored
   */
  async fetch(groups: readonly Group[]): Promise<void> {
    const cache = await this.shelf.open();
    const kept = new Set((await cache.keys()).map(({ url }) => url));
    for (const file of this.release.files) {
      const key = this.keyOf(file);
      if (!groups.includes(file.group) || kept.has(key)) continue;
      const request = new Request(new URL(file.path, this.base), {
        // Revalidates files in the browser's cache instead of fetching them again.
        cache: 'no-cache',
        integrity: `sha256-${file.sha256}`,
      });
      const response = await this.shelf.fetch(request);
      if (!response.ok) throw new TypeError(`${file.path} answered with status ${response.status}`);
      await cache.put(key, this.keptResponse(response));
    }
  }

  /**
   * Groups with at least one stored file of any release. A new release fetches these groups before it is activated.
   */
  async groups(): Promise<Group[]> {
    const cache = await this.shelf.open();
    const groups = new Set<Group>(['page']);
    for (const { url } of await cache.keys()) {
      const group = groupOf(new URL(url).href.slice(this.base.length).replace(/\?.*$/, ''));
      if (group) groups.add(group);
    }
    return [...groups];
  }

  /** Deletes the files of other releases. */
  async sweep(): Promise<void> {
    const cache = await this.shelf.open();
    const keys = new Set(this.release.files.map((file) => this.keyOf(file)));
    for (const request of await cache.keys()) {
      if (!keys.has(request.url)) await cache.delete(request);
    }
  }

  private fileAt(address: string): ReleaseFile | null {
    const url = new URL(address);
    url.search = '';
    url.hash = '';
    if (!url.href.startsWith(this.base)) return null;
    return this.byPath.get(decodeURI(url.href.slice(this.base.length)) || 'index.html') ?? null;
  }

  private keyOf({ path, sha256 }: ReleaseFile): string {
    const key = new URL(path, this.base);
    key.searchParams.set(HASH, sha256);
    return key.href;
  }

  /**
   * Combines the server's headers with the release's default headers. This way, a page stored from a plain static
   * host is also isolated, and its workers follow the policy.
   */
  private keptResponse(response: Response): Response {
    const headers = new Headers(response.headers);
    for (const name of TRANSFER_HEADERS) headers.delete(name);
    for (const [name, value] of Object.entries(this.release.headers)) {
      if (!headers.has(name)) headers.set(name, value);
    }
    return new Response(response.body, { headers });
  }
}
