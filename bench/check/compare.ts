import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SHARED, SHARED_MISSING } from '../../test/shared';
import { untilState, withBrowser } from './browser';
import type { Group } from './figure';

const WINDOW = join(SHARED, 'goldens', 'seg_dev00.bad_sincnet_transposed.zip');
const CASES = [
  { name: 'compare-shipped', what: 'the shipped golden bundle of segmentation-3.0', file: 'public/goldens/segmentation-3.0.zip' },
  { name: 'compare-window', what: 'a whole 10 s window with a transposed stage', file: WINDOW },
];

/** Time of a comparison on WASM in the panel, from the click to the verdict. */
export const compare: Group = {
  name: 'compare',
  bounds: CASES.map(({ name, what }) => ({
    name,
    what: `comparison of ${what}`,
    unit: 's',
    limit: 5,
    side: 'at most',
    reason: 'a window took 1.4 s after load; short enough to repeat after every change of a port; absolute because a user waits for it',
  })),
  ...(!existsSync(WINDOW) && { unavailable: { 'compare-window': SHARED_MISSING } }),
  measure: (wanted, say) =>
    withBrowser(say, async ({ page }) => {
      const values: Record<string, number> = {};
      for (const { name, file } of CASES.filter((one) => wanted.has(one.name))) {
        await page.goto('compare.html');
        await untilState(page, 'empty');
        await page.getByTestId('file-input').setInputFiles(file);
        await untilState(page, 'opened');
        await page.getByTestId('backend-wasm').click();
        const start = performance.now();
        await page.getByTestId('run').click();
        await untilState(page, 'done');
        values[name] = (performance.now() - start) / 1000;
      }
      return values;
    }),
};
