import type { PageMessage, Release, WorkerMessage } from './contract';
import { KeptFiles } from './keptFiles';

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

/**
 * Answers the requests for files of the release with what is kept, so that the page works without a network, and lets
 * every other request pass as it is: ranges of media, the model hub's answers (the model store keeps models by itself).
 *
 * The build compiles this into one classic script, `sw.js`, which contains the list of the release: another release is
 * another script, and the browser notices by itself.
 */

/** Put in by scripts/offlinePlugin.ts. */
declare const RELEASE: Release;

const worker = globalThis as unknown as ServiceWorkerScope;
const { origin } = worker.location;

const kept = new KeptFiles(RELEASE, worker.registration.scope, {
  open: () => caches.open('voxlane-release'),
  fetch: (request) => fetch(request),
});

worker.addEventListener('install', (event) => {
  // All that the release before had, so that nobody who could work without a network suddenly cannot.
  event.waitUntil(kept.groups().then((groups) => kept.fetch(groups)));
});

worker.addEventListener('activate', (event) => {
  // Here nobody uses the release before any more.
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
      // Storage that fails makes nothing else fail.
      .catch(() => null)
      .then((response) => response ?? fetch(request)),
  );
});

/** Pages see their own requests; only those of their workers are told. */
async function reportOutside(address: string, clientId: string): Promise<void> {
  const client = await worker.clients.get(clientId);
  if (client?.type === 'window') return;
  for (const page of await worker.clients.matchAll({ type: 'window' })) page.postMessage({ type: 'outside', address });
}
