/** Three hours with 8,000 turns, zoomed: scrolling reaches every position without one element per turn. */
import { expect, test } from '../../test/browser/test';
// For the declaration of the global.
import type {} from '../../test/pages/tracksPage';

const RECORDING = { durationSeconds: 3 * 3600, numTurns: 8000 };
const STEPS = 20;
/** The recording fills a hundred windows, a thousand windows, or one window per second. */
const ZOOMS = [100, 1000, 10_800];

test('three hours scroll from start to end at every zoom level with a constant number of elements', async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto('test/tracks.html');
  await page.waitForFunction(() => 'voxlaneTracks' in globalThis);
  const elements = () => page.locator('#tracks *').count();
  await page.evaluate(() => {
    voxlaneTracks.mount({ durationSeconds: 60, numTurns: 30 });
  });
  const few = await elements();
  for (const zoom of ZOOMS) {
    await page.evaluate(
      ([recording, factor]) => {
        voxlaneTracks.mount(recording);
        voxlaneTracks.tracks!.zoom(factor);
      },
      [RECORDING, zoom] as const,
    );
    const reached = await page.locator('.tracks__scroller').evaluate(async (scroller, steps) => {
      for (let step = 1; step <= steps; step += 1) {
        scroller.scrollLeft = (step / steps) * scroller.scrollWidth;
        await new Promise(requestAnimationFrame);
      }
      return (scroller.scrollLeft + scroller.clientWidth) / scroller.scrollWidth;
    }, STEPS);
    expect(reached).toBeCloseTo(1, 3);
    expect(await elements()).toBe(few);
  }
});
