import { type Group, groupOf, type Release, type ReleaseFile } from './contract';

/** What {@link KeptFiles} needs of the browser, so that it can be tested without one. */
export interface Shelf {
  readonly open: () => Promise<Pick<Cache, 'match' | 'put' | 'keys' | 'delete'>>;
  readonly fetch: (request: Request) => Promise<Response>;
}

/** The query that names the content. No file of the release is asked for with one of this name. */
const HASH = 'sha256';

/** What the kept file is not sent with: it is kept decoded, and whole. */
const TRANSFER_HEADERS = ['content-encoding', 'content-length', 'transfer-encoding', 'vary', 'set-cookie'];

/**
 * The files of a release that lie in the browser, each under its path and the hash of its content.
 *
 * A file that two releases share is kept once and fetched once; those of an older release lie beside the new ones until
 * {@link sweep}. Nothing is kept whose hash is not the listed one, so a server in mid-upload cannot mix two releases.
 */
export class KeptFiles {
  private readonly byPath: ReadonlyMap<string, ReleaseFile>;

  /** @param base address that the paths of the release are relative to, with a slash at its end */
  constructor(
    private readonly release: Release,
    private readonly base: string,
    private readonly shelf: Shelf,
  ) {
    this.byPath = new Map(release.files.map((file) => [file.path, file]));
  }

  /** The kept file that `address` asks for; null where it is none of the release, or has not arrived yet. */
  async match(address: string): Promise<Response | null> {
    const file = this.fileAt(address);
    return file ? ((await (await this.shelf.open()).match(this.keyOf(file))) ?? null) : null;
  }

  /** Whether `address` asks for a file of the release. */
  has(address: string): boolean {
    return this.fileAt(address) !== null;
  }

  /**
   * Fetches those files of the groups that are not here yet, one after another: they share the line with the page.
   *
   * @throws TypeError at the first file that cannot be had or is not the listed one; those before it stay
   */
  async fetch(groups: readonly Group[]): Promise<void> {
    const cache = await this.shelf.open();
    const kept = new Set((await cache.keys()).map(({ url }) => url));
    for (const file of this.release.files) {
      const key = this.keyOf(file);
      if (!groups.includes(file.group) || kept.has(key)) continue;
      const request = new Request(new URL(file.path, this.base), {
        // What the browser has is asked about, not fetched again.
        cache: 'no-cache',
        integrity: `sha256-${file.sha256}`,
      });
      const response = await this.shelf.fetch(request);
      if (!response.ok) throw new TypeError(`${file.path} answered with status ${response.status}`);
      await cache.put(key, this.keptResponse(response));
    }
  }

  /** Groups of which any file, of whichever release, is here: a new release brings these along before it takes over. */
  async groups(): Promise<Group[]> {
    const cache = await this.shelf.open();
    const groups = new Set<Group>(['page']);
    for (const { url } of await cache.keys()) {
      const group = groupOf(new URL(url).href.slice(this.base.length).replace(/\?.*$/, ''));
      if (group) groups.add(group);
    }
    return [...groups];
  }

  /** Deletes what is of other releases. */
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
   * With the headers of the server, and those that it lacks of the release's: a page that was kept from a plain static
   * host is isolated too, and its workers obey the policy.
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
