import { sampleTwice } from '../../test/audio/sampleWav';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { median } from '../figures';
import { untilState, withBrowser } from './browser';
import type { Group } from './figure';
import { longestTask } from './trace';

/** The longest task that does not count as a long one: the browser reports those over it. */
const LONG_TASK_MS = 50;
/** Of a run in the page. With fewer, the trace is of something else. */
const FEWEST_TASKS = 100;
const VISITS = 3;

/** The page of the app, as a person with a recording uses it. */
export const page: Group = {
  name: 'page',
  bounds: [
    {
      name: 'page-ready',
      what: 'until a recording can be dropped, with a CPU slowed four times, median of three visits',
      unit: 'ms',
      limit: 1500,
      side: 'at most',
      reason: 'longest load time that still feels immediate; absolute because a user waits for it',
    },
    ...(['exact', 'fast'] as const).map((mode) => ({
      name: `page-task-${mode}`,
      what: `computing time of the longest task of the page's thread during a run of ${mode}`,
      unit: 'ms',
      limit: LONG_TASK_MS,
      side: 'at most' as const,
      reason: 'the browser calls a task over 50 ms a long one, because input then waits noticeably; absolute for that reason',
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
    // Asks from inside, at every frame from the first one on, as a hand over the page would.
    await opened.addInitScript(() => {
      const ask = (): void => {
        const zone = document.querySelector('[data-testid="drop-zone"]');
        const drag = new DragEvent('dragover', { bubbles: true, cancelable: true, dataTransfer: new DataTransfer() });
        drag.dataTransfer?.items.add(new File(['x'], 'meeting.wav', { type: 'audio/wav' }));
        // A page that takes the drop cancels the event.
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

/** Of `exact` the sample, of `fast` a minute, long enough for turns to be shown before the end. */
async function longestTaskOf(browser: Browser, context: BrowserContext, mode: 'exact' | 'fast'): Promise<number> {
  const opened = await context.newPage();
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  try {
    const recording = join(folder, 'recording.wav');
    writeFileSync(recording, mode === 'exact' ? readFileSync('public/sample.wav') : sampleTwice());
    await opened.goto('index.html');
    await untilState(opened, 'empty');
    await choose(opened, mode);
    // Loading the page is not measured; building the result at the end is.
    await browser.startTracing(opened, { categories: ['disabled-by-default-devtools.timeline'] });
    // From disk: bytes that a driver sends take time of the page's thread.
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
