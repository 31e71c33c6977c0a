import type { Page } from '@playwright/test';
import type { DiarizeOptions, DiarizerOptions } from '../../src/index';

/** A stage by when it is at work, as far as a cancel is concerned. */
export interface CancelCase {
  readonly stage: 'decode' | 'segmentation' | 'embedding' | 'clustering';
  readonly recording: 'long' | 'sample';
  readonly options: DiarizeOptions;
  /** The stage is at work after the first report of this one, or after the one that it is done; null: from the start. */
  readonly after: { readonly stage: string; readonly isDone: boolean } | null;
}

/**
 * @param lastStartSeconds where the last part of the long recording starts
 */
export function cancelCases(lastStartSeconds: number): readonly CancelCase[] {
  return [
    // The whole file is looked through for the place to start at.
    { stage: 'decode', recording: 'long', options: { startSeconds: lastStartSeconds }, after: null },
    { stage: 'segmentation', recording: 'sample', options: {}, after: { stage: 'decode', isDone: false } },
    { stage: 'embedding', recording: 'sample', options: { durationSeconds: 12 }, after: { stage: 'segmentation', isDone: true } },
    { stage: 'clustering', recording: 'sample', options: { durationSeconds: 12 }, after: { stage: 'clustering', isDone: false } },
  ];
}

/** Keeps the clustering, which on a short recording is over at once, at work until its worker is ended. */
export async function makeClusteringEndless(page: Page): Promise<void> {
  await page.route('**/clustering.worker-*.js', async (route) => {
    const response = await route.fetch();
    const wait = `addEventListener('message', ({ data }) => {
      if (data?.path?.[0] === 'assemble') for (;;);
    });`;
    await route.fulfill({ response, body: `${wait}\n${await response.text()}` });
  });
}

/** A run that {@link startUntilStage} has left in the page. */
interface CancellableRun {
  readonly controller: AbortController;
  /** Code of the error that it ended with, or `none`. */
  readonly ended: Promise<string>;
}

declare global {
  var cancellableRun: CancellableRun;
}

/** Starts a run of the chosen file and waits until the stage is at work. Gives the stages that were done, or had reported anything, by then. */
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
        // One that fails on its way is not waited for.
        void ended.then(() => { resolve(); });
        if (!wanted) resolve();
      });
      // What was reported is handed on to the stage that is meant.
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { reported: [...reported], done: [...done] };
    },
    [options, after, diarizerOptions] as const,
  );
}

/** Cancels the run; gives the code of the error that it ended with, or `none`. */
export function cancelRun(page: Page): Promise<string> {
  return page.evaluate(() => {
    cancellableRun.controller.abort();
    return cancellableRun.ended;
  });
}
