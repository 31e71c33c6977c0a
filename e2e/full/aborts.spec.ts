/** Runs that are aborted at fifty random moments leave a diarizer that works, and nothing behind. */
import { createDiarizer, expect, openEngine, test } from '../../test/browser/engine';

const NUM_ABORTS = 50;
const SEED = 20_261_128;

test(`${NUM_ABORTS} random aborts, each followed by a run; the last one gives what the first gave`, async ({ page }) => {
  test.setTimeout(600_000);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await openEngine(page);
  await createDiarizer(page, { backend: 'wasm' });
  const outcome = await page.evaluate(
    async ({ numAborts, seed }) => {
      const { testDiarizer } = globalThis as unknown as { testDiarizer: typeof voxlane.Diarizer.prototype };
      // Mulberry32: the same moments in every run of the test.
      let state = seed;
      const random = (): number => {
        state = (state + 0x6d2b79f5) | 0;
        let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
      };
      const sample = await (await fetch('sample.wav')).blob();
      // Two speakers, in eight windows.
      const part = { startSeconds: 5, durationSeconds: 12 };
      const turnsOf = async (options: object = {}): Promise<string> => JSON.stringify((await testDiarizer.diarize(sample, { ...part, ...options })).turns);
      /** Events of the hook and of the progress, which stand for the moments: they do not depend on how fast the machine is. */
      let numEvents = 0;
      const first = await turnsOf({ onProgress: () => numEvents++, hook: () => numEvents++ });
      const wrong: string[] = [];
      let numCancelled = 0;
      for (let i = 0; i < numAborts; i++) {
        const controller = new AbortController();
        const abortAt = Math.floor(random() * numEvents);
        const isLater = random() < 0.5;
        let seen = 0;
        const onEvent = (): void => {
          if (seen++ !== abortAt) return;
          // In the midst of the event, or between two.
          if (!isLater) controller.abort();
          else
            setTimeout(() => {
              controller.abort();
            }, 30 * random());
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
    { numAborts: NUM_ABORTS, seed: SEED },
  );
  expect(outcome.wrong).toEqual([]);
  expect(outcome.isSame).toBe(true);
  expect(JSON.parse(outcome.first)).not.toHaveLength(0);
  // An abort at the very end may come too late; most do not.
  expect(outcome.numCancelled).toBeGreaterThan(NUM_ABORTS / 2);
  await expect.poll(() => page.workers().length).toBe(0);
  expect(errors).toEqual([]);
});
