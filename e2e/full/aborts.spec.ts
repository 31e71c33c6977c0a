/** Runs aborted at random moments, one in each fifth of a run: the diarizer still works, and nothing is left behind. */
import { seeded } from '../../test/editing/synthetic';
import { createDiarizer, expect, openEngine, test } from '../../test/browser/engine';

const NUM_ABORTS = 5;
const SEED = 20_261_128;

test(`after ${NUM_ABORTS} random aborts, a run gives the same turns as before`, async ({ page }) => {
  test.setTimeout(600_000);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await openEngine(page);
  await createDiarizer(page, { backend: 'wasm' });
  const random = seeded(SEED);
  // 0 to 1: when a run is aborted, whether within an event or after it, and how long after it.
  const aborts = Array.from({ length: NUM_ABORTS }, (_, index) => ({ moment: (index + random()) / NUM_ABORTS, isLater: random() < 0.5, delay: random() }));
  const outcome = await page.evaluate(
    async (planned) => {
      const { testDiarizer } = globalThis as unknown as { testDiarizer: typeof voxlane.Diarizer.prototype };
      const sample = await (await fetch('sample.wav')).blob();
      // Two windows.
      const part = { startSeconds: 5, durationSeconds: 11 };
      const turnsOf = async (options: object = {}): Promise<string> => JSON.stringify((await testDiarizer.diarize(sample, { ...part, ...options })).turns);
      /** Events of the hook and of the progress. Moments are counted in them, so that the speed of the machine does not matter. */
      let numEvents = 0;
      const first = await turnsOf({ onProgress: () => numEvents++, hook: () => numEvents++ });
      const wrong: string[] = [];
      let numCancelled = 0;
      for (const [i, { moment, isLater, delay }] of planned.entries()) {
        const controller = new AbortController();
        const abortAt = Math.floor(moment * numEvents);
        let seen = 0;
        const onEvent = (): void => {
          if (seen++ !== abortAt) return;
          if (!isLater) controller.abort();
          else
            setTimeout(() => {
              controller.abort();
            }, 30 * delay);
        };
        try {
          const turns = await turnsOf({ signal: controller.signal, onProgress: onEvent, hook: onEvent });
          // The abort came after the end.
          if (turns !== first) wrong.push(`run ${i} was not aborted and gave other turns`);
        } catch (error) {
          const { code } = error as { code?: string };
          if (code === 'cancelled') numCancelled++;
          else wrong.push(`run ${i}: ${String(error)}`);
        }
      }
      const last = await turnsOf();
      testDiarizer.dispose();
      return { isSame: last === first, first, wrong, numCancelled };
    },
    aborts,
  );
  expect(outcome.wrong).toEqual([]);
  expect(outcome.isSame).toBe(true);
  expect(JSON.parse(outcome.first)).not.toHaveLength(0);
  // An abort at the very end may come too late; most do not.
  expect(outcome.numCancelled).toBeGreaterThan(NUM_ABORTS / 2);
  await expect.poll(() => page.workers().length).toBe(0);
  expect(errors).toEqual([]);
});
