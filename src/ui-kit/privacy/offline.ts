import type { Group, PageMessage, WorkerMessage } from '../../sw/contract';
import type { Scope } from '../scope';

/** Whether the page works offline. */
interface OfflineState {
  /**
   * - `unknown`: not tried yet.
   * - `never`: this browser or this origin does not support service workers.
   * - `keeping`: files are being fetched.
   * - `ready`: all files needed for a recording are stored.
   * - `partly`: some files could not be stored; retried at the next visit.
   */
  readonly kept: 'unknown' | 'never' | 'keeping' | 'ready' | 'partly';
  /** Reloads the page with a newer version that is completely stored; null if there is none. */
  readonly update: (() => void) | null;
}

/** Delay after page load: storing files for a later visit must not slow down the first view. */
const IDLE_MILLISECONDS = 2000;

/** Registers the service worker once the page is idle, and stores the files that a recording needs. */
export function keepOffline(scope: Scope, changed: (state: OfflineState) => void): void {
  let state: OfflineState = { kept: 'unknown', update: null };
  const set = (changes: Partial<OfflineState>): void => {
    state = { ...state, ...changes };
    changed(state);
  };
  // Undefined in insecure contexts (without https). In development, cached files would hide changes.
  const { serviceWorker } = navigator as { readonly serviceWorker?: ServiceWorkerContainer };
  if (!serviceWorker || !import.meta.env.PROD) {
    set({ kept: 'never' });
    return;
  }
  set({});

  const start = async (): Promise<void> => {
    try {
      const registration = await serviceWorker.register(new URL('sw.js', document.baseURI), { updateViaCache: 'none' });
      if (scope.disposed) return;
      watchForUpdate(scope, serviceWorker, registration, (update) => {
        set({ update });
      });
      const { active } = await serviceWorker.ready;
      set({ kept: 'keeping' });
      post(active, { type: 'keep', groups: await neededGroups() });
    } catch {
      set({ kept: 'never' });
    }
  };
  scope.on(serviceWorker, 'message', (event) => {
    const message = (event as MessageEvent<WorkerMessage>).data;
    if (message.type === 'kept') set({ kept: message.complete ? 'ready' : 'partly' });
  });
  // Messages are queued until the document is parsed; start them in case it already is.
  serviceWorker.startMessages();

  let timer = 0;
  const startWhenIdle = (): void => {
    timer = window.setTimeout(() => void start(), IDLE_MILLISECONDS);
  };
  scope.add(() => {
    clearTimeout(timer);
  });
  if (document.readyState === 'complete') startWhenIdle();
  else scope.on(window, 'load', startWhenIdle, { once: true });
}

/** The WebGPU runtime is half of all bytes: store it only on machines that can use it. */
async function neededGroups(): Promise<Group[]> {
  const { gpu } = navigator as { readonly gpu?: GPU };
  const adapter = await gpu?.requestAdapter().catch(() => null);
  return adapter ? ['page', 'work', 'gpu'] : ['page', 'work'];
}

/**
 * Offers a newer version once it is completely stored. The current page may still fetch parts of its own version, so
 * the new one takes over only on request: reloading would end work in progress.
 */
function watchForUpdate(
  scope: Scope,
  serviceWorker: ServiceWorkerContainer,
  registration: ServiceWorkerRegistration,
  offer: (update: () => void) => void,
): void {
  const reload = (): void => {
    location.reload();
  };
  const take = (): void => {
    scope.on(serviceWorker, 'controllerchange', reload, { once: true });
    post(registration.waiting, { type: 'take-over' });
  };
  const look = (): void => {
    // Without a controller, this is the first version, not a newer one.
    if (registration.waiting && serviceWorker.controller) offer(take);
  };
  const follow = (): void => {
    if (registration.installing) scope.on(registration.installing, 'statechange', look);
  };
  const isFirst = serviceWorker.controller === null;
  scope.on(serviceWorker, 'controllerchange', () => {
    // Another tab activated the newer version: the files of this page's version are gone.
    if (!isFirst) offer(reload);
  });
  scope.on(registration, 'updatefound', follow);
  follow();
  look();
}

function post(worker: ServiceWorker | null, message: PageMessage): void {
  worker?.postMessage(message);
}

/** Requests to other origins since the page was opened, sent and blocked. */
interface OutsideRequests {
  /** Requests by origin, in order of the first request. */
  readonly sent: ReadonlyMap<string, number>;
  /** Policy violations: attempts that the browser blocked. */
  readonly refused: number;
}

/**
 * Counts the requests to other origins.
 *
 * Requests of the page come from the browser's list of resources. Requests of its workers are reported by the service
 * worker once it controls the page. Others, such as those of browser extensions, are not visible.
 */
export function watchOutside(scope: Scope, changed: (requests: OutsideRequests) => void): void {
  const sent = new Map<string, number>();
  let refused = 0;

  const add = (address: string): boolean => {
    const { origin, protocol } = new URL(address, location.href);
    // URLs without a host (blob:, data:) are not network requests.
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
    // A violation of the header also violates the page's meta element, but is one attempt.
    if (disposition !== 'enforce' || originalPolicy.includes('frame-ancestors')) return;
    refused++;
    report();
  });

  // Undefined in insecure contexts (without https).
  const { serviceWorker } = navigator as { readonly serviceWorker?: ServiceWorkerContainer };
  if (serviceWorker) {
    scope.on(serviceWorker, 'message', (event) => {
      const message = (event as MessageEvent<WorkerMessage>).data;
      if (message.type === 'outside' && add(message.address)) report();
    });
  }
  report();
}
