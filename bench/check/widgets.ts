import type { CDPSession } from 'playwright-core';
import { putClip, useWidgets } from '../../test/browser/widget';
import { withBrowser } from './browser';
import type { Group } from './figure';

/** The heap grows during warm-up because the browser optimizes code: 0.2 MB from the fifth widget to the tenth. */
const WARM_UP = 10;
/** Widgets created one by one, including the warm-up. The same number is then created in groups. */
const ONE_BY_ONE = 25;
const GROUPS = 5;
const GROUP = 5;

/** The JavaScript heap of a page that creates and removes widgets. widgetLeaks.spec.ts counts leaked objects. */
export const widgets: Group = {
  name: 'widgets',
  bounds: [
    {
      name: 'widget-heap',
      what: `JavaScript heap after ${ONE_BY_ONE + GROUPS * GROUP} widgets, divided by that after ${WARM_UP}`,
      unit: '',
      limit: 1.1,
      side: 'at most',
      reason: 'measured as 1.08: compiled code also takes memory; a test counts leaked objects',
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
  // Objects freed in one round can make further objects collectable.
  for (let round = 0; round < 3; round++) await devtools.send('HeapProfiler.collectGarbage');
  return (await devtools.send('Runtime.getHeapUsage')).usedSize;
}
