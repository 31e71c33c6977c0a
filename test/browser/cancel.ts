import type { Page } from '@playwright/test';
import type { DiarizeOptions, DiarizerOptions } from '../../src/index';

/** A stage and the time at which it is active for a cancellation. */
export interface CancelCase {
  readonly stage: 'decode' | 'segmentation' | 'embedding' | 'clustering';
  readonly recording: 'long' | 'sample';
  readonly options: DiarizeOptions;
  /** The stage is active after the first or the final progress report of this stage; null: from the start. */
  readonly after: { readonly stage: string; readonly isDone: boolean } | null;
}

/**
 * @param lastStartSeconds start of the last part of the long recording
 */
export function cancelCases(lastStartSeconds: number): readonly CancelCase[] {
  return [
    // Decoding scans the whole file for the start position.
    { stage: 'decode', recording: 'long', options: { startSeconds: lastStartSeconds }, after: null },
    { stage: 'segmentation', recording: 'sample', options: {}, after: { stage: 'decode', isDone: false } },
    { stage: 'embedding', recording: 'sample', options: { durationSeconds: 12 }, after: { stage: 'segmentation', isDone: true } },
    { stage: 'clustering', recording: 'sample', options: { durationSeconds: 12 }, after: { stage: 'clustering', isDone: false } },
  ];
}

/** Keeps clustering active until its worker is terminated. On a short recording, it would end immediately. */
export async function makeClusteringEndless(page: Page): Promise<void> {
  await page.route('**/clustering.worker-*.js', async (route) => {
    const response = await route.fetch();
    const wait = `addEventListener('message', ({ data }) => {
      if (data?.path?.[0] === 'assemble') for (;;);
    });`;
    await route.fulfill({ response, body: `${wait}\n${await response.text()}` });
  });
}

/** A run started in the page by {@link startUntilStage}. */
interface CancellableRun {
  readonly controller: AbortController;
  /** Error code at the end of the run, or `none`. */
  readonly ended: Promise<string>;
}

declare global {
  var cancellableRun: CancellableRun;
}

/** Starts a run of the selected file and waits until the stage is active. Returns the stages that are done or have reported progress. */
export function startUntilStage(
  page: Page,
  { options, after }: CancelCase,
  diarizerOptions: DiarizerOptions,
): Promise<{ reported: string[]; done: string[] }> {
  return page.evaluate(
    async ([runOptions, wanted, created]) => {
      const diarizer = await voxlane.Diarizer.create(created);
      const controller = new AbortController();
      const [reported, done] = [new Set<string>(), new Set<string>()];
      await new Promise<void>((resolve) => {
        const run = diarizer.diarize(voxlane.chosenFile(), {
          ...runOptions,
          signal: controller.signal,
          onProgress: ({ stage, completed, total }) => {
            reported.add(stage);
            if (completed >= total) done.add(stage);
            if (stage === wanted?.stage && (done.has(stage) || !wanted.isDone)) resolve();
          },
        });
        const ended = run.then(
          () => 'none',
          (error: unknown) => (error instanceof voxlane.VoxlaneError ? error.code : String(error)),
        );
        globalThis.cancellableRun = { controller, ended };
        // Stop waiting if the run fails earlier.
        void ended.then(() => { resolve(); });
        if (!wanted) resolve();
      });
      // Wait until the reported output reaches the requested stage.
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { reported: [...reported], done: [...done] };
    },
    [options, after, diarizerOptions] as const,
  );
}

/** Cancels the run and returns its error code, or `none`. */
export function cancelRun(page: Page): Promise<string> {
  return page.evaluate(() => {
    cancellableRun.controller.abort();
    return cancellableRun.ended;
  });
}
