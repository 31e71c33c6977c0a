import type { PageMessage, Release, WorkerMessage } from './contract';
import { KeptFiles } from './keptFiles';

/** The used part of a service worker's global scope. TypeScript declares it only without the types of pages. */
interface ServiceWorkerScope {
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

/** A page or one of its workers. */
interface ClientOfWorker {
  readonly type: 'window' | 'worker' | 'sharedworker' | 'all';
  postMessage(message: WorkerMessage): void;
}

interface LifeEvent {
  /** Keeps the service worker alive until the promise settles. */
  waitUntil(promise: Promise<unknown>): void;
}

interface FetchEvent extends LifeEvent {
  readonly request: Request;
  /** The requesting client; empty for a page that is being opened. */
  readonly clientId: string;
  respondWith(response: Promise<Response>): void;
}

interface MessageFromPage {
  readonly data: unknown;
  readonly source: ClientOfWorker | null;
}

/**
 * Answers requests for files of the release from storage, so the page works offline. All other requests pass
 * unchanged: range requests for media, and requests to the model hub, because the model store caches models itself.
 *
 * The build compiles this file into one classic script, `sw.js`, that contains the file list of the release. Each
 * release is a different script, so the browser detects updates.
 */

/** Inserted by scripts/offlinePlugin.ts. */
declare const RELEASE: Release;

const worker = globalThis as unknown as ServiceWorkerScope;
const { origin } = worker.location;

const kept = new KeptFiles(RELEASE, worker.registration.scope, {
  open: () => caches.open('voxlane-release'),
  fetch: (request) => fetch(request),
});

worker.addEventListener('install', (event) => {
  // Fetches all groups of the previous release, so a page that worked offline still does.
  event.waitUntil(kept.groups().then((groups) => kept.fetch(groups)));
});

worker.addEventListener('activate', (event) => {
  // No page uses the previous release at this point.
  event.waitUntil(kept.sweep().then(() => worker.clients.claim()));
});

worker.addEventListener('message', (event) => {
  const message = event.data as PageMessage;
  if (message.type === 'take-over') {
    event.waitUntil(worker.skipWaiting());
    return;
  }
  const answer = (complete: boolean): void => {
    event.source?.postMessage({ type: 'kept', complete });
  };
  event.waitUntil(
    kept.fetch(message.groups).then(
      () => {
        answer(true);
      },
      () => {
        answer(false);
      },
    ),
  );
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  if (new URL(request.url).origin !== origin) {
    event.waitUntil(reportOutside(request.url, event.clientId));
    return;
  }
  if (request.method !== 'GET' || request.headers.has('range') || !kept.has(request.url)) return;
  event.respondWith(
    kept
      .match(request.url)
      // A storage failure falls back to the network.
      .catch(() => null)
      .then((response) => response ?? fetch(request)),
  );
});

/** Reports requests of workers only, because pages see their own requests. */
async function reportOutside(address: string, clientId: string): Promise<void> {
  const client = await worker.clients.get(clientId);
  if (client?.type === 'window') return;
  for (const page of await worker.clients.matchAll({ type: 'window' })) page.postMessage({ type: 'outside', address });
}
