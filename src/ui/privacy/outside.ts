import type { WorkerMessage } from '../../sw/messages';
import type { Scope } from '../../util/scope';

/** What the browser let out to other origins since the page was opened, and what it refused. */
export interface OutsideRequests {
  /** Requests by origin, in the order of their first. */
  readonly sent: ReadonlyMap<string, number>;
  /** Violations of the policy: attempts that the browser stopped. */
  readonly refused: number;
}

/**
 * Counts the requests that leave for another origin.
 *
 * Those of the page are read from the browser's own list of resources, from the first one on. Those of its workers are
 * told by the service worker, once it is in charge of the page. The page hears of no others: a browser extension's, say.
 */
export function watchOutside(scope: Scope, changed: (requests: OutsideRequests) => void): void {
  const sent = new Map<string, number>();
  let refused = 0;

  const add = (address: string): boolean => {
    const { origin, protocol } = new URL(address, location.href);
    // What has no host (blob:, data:) is no request to one.
    if (origin === location.origin || !/^(https?|wss?):$/.test(protocol)) return false;
    sent.set(origin, (sent.get(origin) ?? 0) + 1);
    return true;
  };
  const report = (): void => {
    changed({ sent, refused });
  };

  const observer = new PerformanceObserver((list) => {
    const added = list.getEntries().map(({ name }) => add(name));
    if (added.includes(true)) report();
  });
  observer.observe({ type: 'resource', buffered: true });
  scope.add(() => {
    observer.disconnect();
  });

  scope.on(document, 'securitypolicyviolation', ({ disposition, originalPolicy }) => {
    // What breaks the header breaks the page's element too, and is one attempt.
    if (disposition !== 'enforce' || originalPolicy.includes('frame-ancestors')) return;
    refused++;
    report();
  });

  // Absent where the address is not secure (https).
  const { serviceWorker } = navigator as { readonly serviceWorker?: ServiceWorkerContainer };
  if (serviceWorker) {
    scope.on(serviceWorker, 'message', (event) => {
      const message = (event as MessageEvent<WorkerMessage>).data;
      if (message.type === 'outside' && add(message.address)) report();
    });
  }
  report();
}
