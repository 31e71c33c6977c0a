import type { CDPSession } from 'playwright-core';
import { putClip, useWidgets } from '../../test/browser/widget';
import { withBrowser } from './browser';
import type { Group } from './figure';

/** Until then the heap grows by code that the browser compiles better and better: 0.2 MB from the fifth widget to the tenth. */
const WARM_UP = 10;
/** With those of the warm-up. One after another, and then as many again in groups. */
const ONE_BY_ONE = 25;
const GROUPS = 5;
const GROUP = 5;

/** The JavaScript heap of a page that makes and removes widgets. The number of objects that stay is a test: widgetLeaks.spec.ts. */
export const widgets: Group = {
  name: 'widgets',
  bounds: [
    {
      name: 'widget-heap',
      what: `JavaScript heap after ${ONE_BY_ONE + GROUPS * GROUP} widgets over that after ${WARM_UP}`,
      unit: '',
      limit: 1.1,
      side: 'at most',
      reason: 'measured at 1.08: code that the browser compiles takes memory too; objects that stay are counted in a test',
    },
  ],
  measure: (_wanted, say) =>
    withBrowser(say, async ({ context, page }) => {
      await page.goto('test/widget.html');
      await putClip(page);
      const devtools = await context.newCDPSession(page);
      for (let index = 0; index < WARM_UP; index++) await useWidgets(page, 1);
      const warm = await heapBytes(devtools);
      for (let index = WARM_UP; index < ONE_BY_ONE; index++) await useWidgets(page, 1);
      for (let index = 0; index < GROUPS; index++) await useWidgets(page, GROUP);
      return { 'widget-heap': (await heapBytes(devtools)) / warm };
    }),
};

async function heapBytes(devtools: CDPSession): Promise<number> {
  // What the first round frees can free more.
  for (let round = 0; round < 3; round++) await devtools.send('HeapProfiler.collectGarbage');
  return (await devtools.send('Runtime.getHeapUsage')).usedSize;
}
