import type { Browser, Page } from 'playwright-core';
// For the declaration of the global.
import type {} from '../../test/pages/tracksPage';
import { median } from '../figures';
import { withBrowser } from './browser';
import type { Group } from './figure';
import { longestTask } from './trace';

const RECORDING = { durationSeconds: 3 * 3600, numTurns: 8000 };
const FRAMES = 200;
const SCROLLS = 3;
/** The recording fills a hundred windows, a thousand windows, or one window per second. */
const ZOOMS = [100, 1000, 10_800];

/** Scrolls through three hours with 8,000 turns. The figures are the maximum of three zoom levels. */
export const scroll: Group = {
  name: 'scroll',
  bounds: [
    {
      name: 'scroll-frame',
      what: 'longest of 200 frames while scrolling three hours with 8,000 turns, divided by the longest frame at rest, median of three',
      unit: '',
      limit: 3,
      side: 'at most',
      reason: 'three frames (50 ms at 60 Hz); longer frames are visible as stutter',
    },
    {
      name: 'scroll-task',
      what: 'CPU time of the longest main-thread task while scrolling',
      unit: 'ms',
      limit: 25,
      side: 'at most',
      reason: 'half of three frames at 60 Hz leaves time for the rest of the page; absolute because the refresh rate is fixed',
    },
  ],
  measure: (_wanted, say) =>
    withBrowser(say, async ({ browser, page }) => {
      await page.setViewportSize({ width: 1440, height: 900 });
      await page.goto('test/tracks.html');
      await page.waitForFunction(() => 'voxlaneTracks' in globalThis);
      const zooms: { frame: number; task: number }[] = [];
      for (const zoom of ZOOMS) zooms.push(await scrollAt(browser, page, zoom));
      return {
        'scroll-frame': Math.max(...zooms.map(({ frame }) => frame)),
        'scroll-task': Math.max(...zooms.map(({ task }) => task)),
      };
    }),
};

async function scrollAt(browser: Browser, page: Page, zoom: number): Promise<{ frame: number; task: number }> {
  await page.evaluate(
    ([recording, factor]) => {
      voxlaneTracks.mount(recording);
      voxlaneTracks.tracks!.zoom(factor);
    },
    [RECORDING, zoom] as const,
  );
  const ratios: number[] = [];
  // Alternate, so that other load on the machine affects both.
  for (let index = 0; index < SCROLLS; index++) {
    const resting = await longestFrame(page, false);
    ratios.push((await longestFrame(page, true)) / resting);
  }
  await browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline'] });
  await longestFrame(page, true);
  return { frame: median(ratios), task: longestTask(await browser.stopTracing(), FRAMES) };
}

/** Longest frame in milliseconds while the tracks scroll from start to end, or rest. */
async function longestFrame(page: Page, isScrolling: boolean): Promise<number> {
  const { deltas, reached } = await page.evaluate(async ([count, scrolls]) => {
    const scroller = document.querySelector('.tracks__scroller')!;
    const lengths: number[] = [];
    let before = await new Promise<number>(requestAnimationFrame);
    for (let step = 0; step < count; step += 1) {
      // Scroll by a third of a window, with occasional jumps through the recording.
      if (scrolls) scroller.scrollLeft = step % 20 === 0 ? (step / count) * scroller.scrollWidth : scroller.scrollLeft + scroller.clientWidth / 3;
      const now = await new Promise<number>(requestAnimationFrame);
      lengths.push(now - before);
      before = now;
    }
    return { deltas: lengths, reached: scroller.scrollLeft / scroller.scrollWidth };
  }, [FRAMES, isScrolling] as const);
  if (isScrolling && reached <= 0.8) throw new Error(`The tracks scrolled only to ${reached.toFixed(2)} of their width.`);
  // Frame times have a resolution of a thousandth of a millisecond, so three frames can take 50.001 ms or 49.999 ms.
  return Math.round(Math.max(...deltas));
}
