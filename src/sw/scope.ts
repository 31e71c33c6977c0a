import type { WorkerMessage } from './messages';

/** The part of a service worker's global scope that is used here; TypeScript has it only without the types of pages. */
export interface ServiceWorkerScope {
  readonly registration: { readonly scope: string };
  readonly location: Location;
  readonly clients: {
    claim(): Promise<void>;
    get(id: string): Promise<ClientOfWorker | undefined>;
    matchAll(options: { readonly type: 'window' }): Promise<readonly ClientOfWorker[]>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: LifeEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
  addEventListener(type: 'message', listener: (event: LifeEvent & MessageFromPage) => void): void;
}

/** A page or a worker of one. */
export interface ClientOfWorker {
  readonly type: 'window' | 'worker' | 'sharedworker' | 'all';
  postMessage(message: WorkerMessage): void;
}

interface LifeEvent {
  /** Keeps the service worker alive until then. */
  waitUntil(promise: Promise<unknown>): void;
}

interface FetchEvent extends LifeEvent {
  readonly request: Request;
  /** Who asks; empty for a page that is being opened. */
  readonly clientId: string;
  respondWith(response: Promise<Response>): void;
}

interface MessageFromPage {
  readonly data: unknown;
  readonly source: ClientOfWorker | null;
}
