import type { Group } from './release';

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
