import { sampleTwice } from '../../test/audio/sampleWav';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { median } from '../figures';
import { untilState, withBrowser } from './browser';
import type { Group } from './figure';
import { longestTask } from './trace';

/** Browsers report tasks over this duration as long tasks. */
const LONG_TASK_MS = 50;
/** Minimum number of tasks in a run. A trace with fewer tasks does not cover the run. */
const FEWEST_TASKS = 100;
const VISITS = 3;

/** The page of the app, used like a user with a recording. */
export const page: Group = {
  name: 'page',
  bounds: [
    {
      name: 'page-ready',
      what: 'time until a recording can be dropped, with the CPU slowed down four times, median of three visits',
      unit: 'ms',
      limit: 1500,
      side: 'at most',
      reason: 'longest load time that feels immediate; absolute because a user waits for it',
    },
    ...(['exact', 'fast'] as const).map((mode) => ({
      name: `page-task-${mode}`,
      what: `CPU time of the longest main-thread task during a run of ${mode}`,
      unit: 'ms',
      limit: LONG_TASK_MS,
      side: 'at most' as const,
      reason: 'tasks over 50 ms (long tasks) noticeably delay input, so the limit is absolute',
    })),
  ],
  measure: (wanted, say) =>
    withBrowser(say, async ({ browser, context }) => ({
      'page-ready': wanted.has('page-ready') ? await readyMs(context) : NaN,
      'page-task-exact': wanted.has('page-task-exact') ? await longestTaskOf(browser, context, 'exact') : NaN,
      'page-task-fast': wanted.has('page-task-fast') ? await longestTaskOf(browser, context, 'fast') : NaN,
    })),
};

async function readyMs(context: BrowserContext): Promise<number> {
  const times: number[] = [];
  for (let visit = 0; visit < VISITS; visit++) {
    const opened = await context.newPage();
    const devtools = await context.newCDPSession(opened);
    await devtools.send('Network.setCacheDisabled', { cacheDisabled: true });
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    // Dispatch a dragover event in every frame from the first one, as if a user dragged a file over the page.
    await opened.addInitScript(() => {
      const ask = (): void => {
        const zone = document.querySelector('[data-testid="drop-zone"]');
        const drag = new DragEvent('dragover', { bubbles: true, cancelable: true, dataTransfer: new DataTransfer() });
        drag.dataTransfer?.items.add(new File(['x'], 'meeting.wav', { type: 'audio/wav' }));
        // The page cancels the event when it accepts drops.
        if (zone && !zone.dispatchEvent(drag)) Object.assign(globalThis, { readyAt: performance.now() });
        else requestAnimationFrame(ask);
      };
      requestAnimationFrame(ask);
    });
    await opened.goto('index.html');
    const time = await opened.waitForFunction(() => (globalThis as { readyAt?: number }).readyAt);
    times.push((await time.jsonValue())!);
    await opened.close();
  }
  return median(times);
}

/** `exact` uses the sample, `fast` a one-minute recording, long enough to show turns before the end. */
async function longestTaskOf(browser: Browser, context: BrowserContext, mode: 'exact' | 'fast'): Promise<number> {
  const opened = await context.newPage();
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  try {
    const recording = join(folder, 'recording.wav');
    writeFileSync(recording, mode === 'exact' ? readFileSync('public/sample.wav') : sampleTwice());
    await opened.goto('index.html');
    await untilState(opened, 'empty');
    await choose(opened, mode);
    // Page load is excluded; rendering the result is included.
    await browser.startTracing(opened, { categories: ['disabled-by-default-devtools.timeline'] });
    // Load from disk, because bytes sent by the driver take time on the main thread.
    await opened.getByTestId('file-input').setInputFiles(recording);
    await untilState(opened, 'done');
    return longestTask(await browser.stopTracing(), FEWEST_TASKS);
  } finally {
    await opened.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function choose(opened: Page, mode: 'exact' | 'fast'): Promise<void> {
  await opened.locator('.options__summary').click();
  await opened.getByTestId(`speed-${mode}`).check();
}
