import type { Page } from '@playwright/test';

/** Workers of a run and the method call during which they are terminated. */
export const WORKER_CALLS = {
  decode: 'next',
  segmentation: 'segment',
  embedding: 'embed',
  clustering: 'assemble',
} as const;

export type RunWorker = keyof typeof WORKER_CALLS;

export const RUN_WORKERS = Object.keys(WORKER_CALLS) as RunWorker[];

/** Runs a script before the script of the first worker of a kind. Later workers are unchanged. */
export async function injectOnce(page: Page, kind: RunWorker, script: string): Promise<void> {
  // Without `times: 1`, because after the last such route, Playwright continues requests that other routes still handle.
  let isTaken = false;
  await page.route(`**/${kind}.worker-*.js`, async (route) => {
    if (isTaken) return route.fallback();
    isTaken = true;
    const response = await route.fetch();
    await route.fulfill({ response, body: `${script}\n${await response.text()}` });
  });
}

/** Script that runs `statements` in a worker at the `count`th call of `method`, with the message as `event`. */
export function onCall(method: string, statements: string, count = 1): string {
  return `{ let calls = 0; addEventListener('message', (event) => {
    if (event.data?.path?.[0] !== '${method}' || ++calls !== ${count}) return;
    ${statements}
  }); }`;
}

/** Script that closes a worker at its call. It stops the event first, because the worker could still respond. */
export const closeOnCall = (kind: RunWorker): string => onCall(WORKER_CALLS[kind], 'event.stopImmediatePropagation(); close();');

declare global {
  var keptWorkers: { readonly name: string; readonly worker: Worker }[];
}

/** Records all workers started by the page, for {@link terminateWorkers}. */
export async function keepWorkers(page: Page): Promise<void> {
  await page.addInitScript(() => {
    globalThis.keptWorkers = [];
    const Native = Worker;
    globalThis.Worker = class extends Native {
      constructor(address: string | URL, options?: WorkerOptions) {
        super(address, options);
        keptWorkers.push({ name: options?.name ?? '', worker: this });
      }
    };
  });
}

/** Terminates workers directly, not through the library. */
export function terminateWorkers(page: Page, kind: RunWorker): Promise<void> {
  return page.evaluate((wanted) => {
    for (const { name, worker } of keptWorkers) if (name === wanted) worker.terminate();
  }, `voxlane ${kind}`);
}
