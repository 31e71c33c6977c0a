/**
 * Answers the requests for files of the release with what is kept, so that the page works without a network, and lets
 * every other request pass as it is: ranges of media, the model hub's answers (the model store keeps models by itself).
 *
 * The build compiles this into one classic script, `sw.js`, which contains the list of the release: another release is
 * another script, and the browser notices by itself.
 */
import { KeptFiles } from './keptFiles';
import type { PageMessage } from './messages';
import type { Release } from './release';
import type { ServiceWorkerScope } from './scope';

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
