/**
 * What a part of the release is kept for.
 *
 * - `page`: what it takes to open every page. Kept before the service worker counts as installed.
 * - `work`: models, golden outputs, the sample and the CPU runtime. Kept once the page has opened and is idle.
 * - `gpu`: the runtime for WebGPU. Kept only where there is an adapter.
 */
export type Group = 'page' | 'work' | 'gpu';

/** A file of the release. */
export interface ReleaseFile {
  /** Relative to the service worker, without a slash at its start. */
  readonly path: string;
  /** SHA-256 of the content in base64, as subresource integrity writes it. */
  readonly sha256: string;
  readonly group: Group;
}

/** Everything that a release is, as the build lists it in the service worker. */
export interface Release {
  readonly files: readonly ReleaseFile[];
  /** Headers that a kept file is answered with where the server sent none of that name. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The group of a file in the build's folder; null if it is not kept: source maps, the schema, the service worker. */
export function groupOf(path: string): Group | null {
  if (/\.map$|\.schema\.json$|^sw\.js$/.test(path)) return null;
  if (/^ort\/.*(asyncify|webgpu)/.test(path)) return 'gpu';
  return /^(ort|models|goldens)\/|^sample\./.test(path) ? 'work' : 'page';
}

/** What the page asks the service worker for. */
export type PageMessage =
  /** Fetch and keep these; answered with `kept`. */
  | { readonly type: 'keep'; readonly groups: readonly Group[] }
  /** A new release that waits shall take the place of the old one now. */
  | { readonly type: 'take-over' };

/** What the service worker tells the pages. */
export type WorkerMessage =
  /** Whether all that was asked for is here. */
  | { readonly type: 'kept'; readonly complete: boolean }
  /** A worker of a page asked another origin, which the page itself cannot see. */
  | { readonly type: 'outside'; readonly address: string };
