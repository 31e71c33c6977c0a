import type { Group, PageMessage, WorkerMessage } from '../../sw/contract';
import type { Scope } from '../scope';

/** How far the page can do without a network. */
export interface OfflineState {
  /**
   * - `unknown`: not tried yet.
   * - `never`: this browser, or this address, has no service workers.
   * - `keeping`: files are being fetched.
   * - `ready`: everything that a recording takes is here.
   * - `partly`: some files could not be kept; tried again at the next visit.
   */
  readonly kept: 'unknown' | 'never' | 'keeping' | 'ready' | 'partly';
  /** Loads the page anew in a newer version, which is here and whole; null while there is none. */
  readonly update: (() => void) | null;
}

/** After the page has loaded: nobody's first look waits for what only a later visit needs. */
const IDLE_MILLISECONDS = 2000;

/** Registers the service worker once the page is idle, and has it keep what a recording takes. */
export function keepOffline(scope: Scope, changed: (state: OfflineState) => void): void {
  let state: OfflineState = { kept: 'unknown', update: null };
  const set = (changes: Partial<OfflineState>): void => {
    state = { ...state, ...changes };
    changed(state);
  };
  // Absent where the address is not secure (https). While developing, kept files would hide the changed ones.
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
  // Without this they wait until the document has been read; by then it has.
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

/** The runtime for WebGPU is half of all bytes: only for machines that can use it. */
async function neededGroups(): Promise<Group[]> {
  const { gpu } = navigator as { readonly gpu?: GPU };
  const adapter = await gpu?.requestAdapter().catch(() => null);
  return adapter ? ['page', 'work', 'gpu'] : ['page', 'work'];
}

/**
 * Offers a newer version once it is whole. It waits until then, because the page that is open may still fetch parts of
 * its own version; and it takes over only when asked, because to load the page anew ends what is in progress.
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
    // Without a controller this is the first version, not a newer one.
    if (registration.waiting && serviceWorker.controller) offer(take);
  };
  const follow = (): void => {
    if (registration.installing) scope.on(registration.installing, 'statechange', look);
  };
  const isFirst = serviceWorker.controller === null;
  scope.on(serviceWorker, 'controllerchange', () => {
    // Another tab took the newer version: this one is the older one's, whose files are gone.
    if (!isFirst) offer(reload);
  });
  scope.on(registration, 'updatefound', follow);
  follow();
  look();
}

function post(worker: ServiceWorker | null, message: PageMessage): void {
  worker?.postMessage(message);
}

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
