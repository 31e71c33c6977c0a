/** Aborts runs at random times, one in each third of a run. The diarizer still works, and no resources remain. */
import { seeded } from '../../test/editing/synthetic';
import { createDiarizer, expect, openEngine, test } from '../../test/browser/engine';

const NUM_ABORTS = 3;
const SEED = 20_261_128;

test(`after ${NUM_ABORTS} random aborts, a run produces the same turns as before`, async ({ page }) => {
  test.setTimeout(600_000);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await openEngine(page);
  await createDiarizer(page, { backend: 'wasm' });
  const random = seeded(SEED);
  // Time of the abort as a fraction of the run, whether it is within an event or after it, and the delay.
  const aborts = Array.from({ length: NUM_ABORTS }, (_, index) => ({ moment: (index + random()) / NUM_ABORTS, isLater: random() < 0.5, delay: random() }));
  const outcome = await page.evaluate(
    async (planned) => {
      const { testDiarizer } = globalThis as unknown as { testDiarizer: typeof voxlane.Diarizer.prototype };
      const sample = await (await fetch('sample.wav')).blob();
      // Two windows.
      const part = { startSeconds: 5, durationSeconds: 11 };
      const turnsOf = async (options: object = {}): Promise<string> => JSON.stringify((await testDiarizer.diarize(sample, { ...part, ...options })).turns);
      /** Number of hook and progress events. Abort times are counted in events to be independent of machine speed. */
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
          // The abort happened after the end.
          if (turns !== first) wrong.push(`run ${i} was not aborted and produced different turns`);
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
  // An abort at the very end can be too late, but most are not.
  expect(outcome.numCancelled).toBeGreaterThan(NUM_ABORTS / 2);
  await expect.poll(() => page.workers().length).toBe(0);
  expect(errors).toEqual([]);
});
