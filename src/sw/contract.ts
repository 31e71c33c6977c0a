/**
 * Purpose of a release file.
 *
 * - `page`: required to open every page. Stored before the service worker counts as installed.
 * - `work`: models, golden outputs, the sample and the CPU runtime. Stored once the page has opened and is idle.
 * - `gpu`: the runtime for WebGPU. Stored only if there is an adapter.
 */
export type Group = 'page' | 'work' | 'gpu';

/** A file of the release. */
export interface ReleaseFile {
  /** Relative to the service worker, without a leading slash. */
  readonly path: string;
  /** SHA-256 of the content in base64, as in subresource integrity. */
  readonly sha256: string;
  readonly group: Group;
}

/** All files of a release, as the build lists them in the service worker. */
export interface Release {
  readonly files: readonly ReleaseFile[];
  /** Default headers for stored files that the server sent without them. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The group of a file in the build folder; null if it is not stored: source maps, the schema, the service worker. */
export function groupOf(path: string): Group | null {
  if (/\.map$|\.schema\.json$|^sw\.js$/.test(path)) return null;
  if (/^ort\/.*(asyncify|webgpu)/.test(path)) return 'gpu';
  return /^(ort|models|goldens)\/|^sample\./.test(path) ? 'work' : 'page';
}

/** Messages of the page to the service worker. */
export type PageMessage =
  /** Fetch and store these groups; answered with `kept`. */
  | { readonly type: 'keep'; readonly groups: readonly Group[] }
  /** Activate the waiting release now. */
  | { readonly type: 'take-over' };

/** Messages of the service worker to the pages. */
export type WorkerMessage =
  /** Whether all requested files are stored. */
  | { readonly type: 'kept'; readonly complete: boolean }
  /** A worker of a page sent a request to another origin. The page cannot observe such requests. */
  | { readonly type: 'outside'; readonly address: string };
