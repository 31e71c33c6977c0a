import type { PageMessage, WorkerMessage } from '../../sw/messages';
import type { Group } from '../../sw/release';
import type { Scope } from '../../util/scope';

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
