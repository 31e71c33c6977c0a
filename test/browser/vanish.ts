import type { Page } from '@playwright/test';

/** The workers of a run, with the call during which they are ended. */
export const WORKER_CALLS = {
  decode: 'next',
  segmentation: 'segment',
  embedding: 'embed',
  clustering: 'assemble',
} as const;

export type RunWorker = keyof typeof WORKER_CALLS;

export const RUN_WORKERS = Object.keys(WORKER_CALLS) as RunWorker[];

/** Runs a script before that of the first worker of a kind. Later workers are not changed. */
export async function injectOnce(page: Page, kind: RunWorker, script: string): Promise<void> {
  // Not `times: 1`: once the last such route is taken, Playwright lets go of every request that another still handles.
  let isTaken = false;
  await page.route(`**/${kind}.worker-*.js`, async (route) => {
    if (isTaken) return route.fallback();
    isTaken = true;
    const response = await route.fetch();
    await route.fulfill({ response, body: `${script}\n${await response.text()}` });
  });
}

/** Runs `statements` in a worker, with the message as `event`, when `method` is called for the `count`th time. */
export function onCall(method: string, statements: string, count = 1): string {
  return `{ let calls = 0; addEventListener('message', (event) => {
    if (event.data?.path?.[0] !== '${method}' || ++calls !== ${count}) return;
    ${statements}
  }); }`;
}

/** Closes the worker of a kind when it gets its call. The event is stopped first, or the worker could still answer. */
export const closeOnCall = (kind: RunWorker): string => onCall(WORKER_CALLS[kind], 'event.stopImmediatePropagation(); close();');

declare global {
  var keptWorkers: { readonly name: string; readonly worker: Worker }[];
}

/** Records every worker that the page starts, for {@link terminateWorkers}. */
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

/** Terminates workers without a call of the library. */
export function terminateWorkers(page: Page, kind: RunWorker): Promise<void> {
  return page.evaluate((wanted) => {
    for (const { name, worker } of keptWorkers) if (name === wanted) worker.terminate();
  }, `voxlane ${kind}`);
}
