import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { messageOf } from '../../src/util/errors';
import { writeCrowd } from '../../test/app/crowd';
import { untilState, withBrowser } from './browser';
import type { Group, Say } from './figure';
import { longestTask } from './trace';

const CROWD = { numSpeakers: 5000, numTurns: 1_000_000 };
const MANY_SPEAKERS = 'e2e/fixtures/cases/400-speakers.rttm';
/** Minimum number of tasks per step. A trace with fewer tasks does not cover the step. */
const FEWEST_TASKS = 5;
const LIMIT_MS = 100;
const REASON = 'longer input delays are noticeable, so the limit is absolute';

/** Interactions with an open result. */
const WORK: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  'table scrolled': (page) => scrolled(page, '.turns__scroller', 'scrollTop'),
  'tracks scrolled': (page) => scrolled(page, '.tracks__scroller', 'scrollTop'),
  'tracks zoomed': async (page) => {
    for (let step = 0; step < 6; step++) await page.keyboard.press('+');
    await scrolled(page, '.tracks__scroller', 'scrollLeft');
    await page.keyboard.press('0');
  },
  'speakers scrolled': (page) => scrolled(page, '.speakers', 'scrollTop'),
  'speaker renamed': async (page) => {
    const name = page.getByTestId('speaker-name').first();
    await name.fill('Ada');
    await name.press('Enter');
    await page.locator('.track-label', { hasText: 'Ada' }).waitFor({ state: 'attached' });
  },
  'turn selected': async (page) => {
    await page.getByTestId('turn-row').nth(3).click();
    await page.locator('tr[aria-selected="true"]').waitFor();
  },
  'turn deleted': (page) => changing(page, () => page.keyboard.press('Delete')),
  'deletion undone': (page) => changing(page, () => page.getByTestId('undo').click()),
  'speakers merged': (page) =>
    changing(page, async () => {
      await page.getByTestId('merge-speaker').nth(2).click();
      await page.keyboard.type('ada');
      await page.keyboard.press('Enter');
    }),
  'merge undone': (page) => changing(page, () => page.getByTestId('undo').click()),
};

/** A result with more speakers and turns than a page can show as elements. */
export const crowd: Group = {
  name: 'crowd',
  bounds: [
    {
      name: 'speakers-400',
      what: 'CPU time of the longest main-thread task while opening 400 speakers, renaming one, merging two, and undoing',
      unit: 'ms',
      limit: LIMIT_MS,
      side: 'at most',
      reason: REASON,
    },
    {
      name: 'crowd-open',
      what: 'the same while opening a million turns of 5,000 speakers',
      unit: 'ms',
      limit: LIMIT_MS,
      side: 'at most',
      reason: REASON,
    },
    {
      name: 'crowd-work',
      what: 'the same while scrolling, zooming, renaming, selecting, deleting, merging and undoing in this result',
      unit: 'ms',
      limit: LIMIT_MS,
      side: 'at most',
      reason: REASON,
    },
    {
      name: 'crowd-export',
      what: 'the same while showing exclusive turns and exporting RTTM and JSON',
      unit: 'ms',
      limit: LIMIT_MS,
      side: 'at most',
      reason: REASON,
    },
  ],
  measure: (wanted, say) =>
    withBrowser(say, async ({ browser, context }) => {
      const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
      const values: Record<string, number> = {};
      try {
        if (wanted.has('speakers-400')) {
          const page = await context.newPage();
          const opening = await measured(browser, page, say, 'opened', (opened) => open(opened, MANY_SPEAKERS));
          values['speakers-400'] = Math.max(opening, await longestOf(browser, page, say, WORK));
          await page.close();
        }
        if (wanted.has('crowd-open') || wanted.has('crowd-work') || wanted.has('crowd-export')) {
          const file = join(folder, 'crowd.rttm');
          writeCrowd(file, CROWD);
          const page = await context.newPage();
          values['crowd-open'] = await measured(browser, page, say, 'opened', (opened) => open(opened, file));
          if (wanted.has('crowd-work')) values['crowd-work'] = await longestOf(browser, page, say, WORK);
          if (wanted.has('crowd-export')) values['crowd-export'] = await longestOf(browser, page, say, EXPORTS);
          await page.close();
        }
        return values;
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }),
};

const EXPORTS: typeof WORK = {
  'exclusive turns shown': async (page) => {
    for (const mode of ['exclusive', 'overlapping']) {
      await page.keyboard.press('v');
      await page.locator(`input[value="${mode}"]:checked`).waitFor({ state: 'attached', timeout: 300_000 });
      await page.waitForTimeout(1000);
    }
  },
  'RTTM exported': (page) => exported(page, 'rttm'),
  'JSON exported': (page) => exported(page, 'json'),
};

async function open(page: Page, file: string): Promise<void> {
  // Load from disk, because bytes sent by the driver take time on the main thread.
  await page.getByTestId('file-input').setInputFiles(file);
  await untilState(page, 'done');
  await page.getByTestId('turn-row').first().waitFor();
  // Wait until the overview is painted and the memory of the file is freed.
  await page.waitForTimeout(3000);
}

/** Waits until the shown number of turns or speakers changes. */
async function changing(page: Page, act: () => Promise<void>): Promise<void> {
  const summary = page.getByTestId('summary');
  const before = await summary.textContent();
  await act();
  await page.waitForFunction((text) => document.querySelector('[data-testid="summary"]')?.textContent !== text, before, { timeout: 300_000 });
  await page.waitForTimeout(1000);
}

async function scrolled(page: Page, selector: string, side: 'scrollTop' | 'scrollLeft'): Promise<void> {
  await page.locator(selector).evaluate(async (element, way) => {
    const length = way === 'scrollTop' ? element.scrollHeight : element.scrollWidth;
    for (let step = 0; step <= 40; step += 1) {
      // Alternate long jumps and short scrolls.
      element[way] = step % 4 === 0 ? (step / 40) * length : element[way] + 100;
      await new Promise(requestAnimationFrame);
    }
    element[way] = 0;
    await new Promise(requestAnimationFrame);
  }, side);
}

async function exported(page: Page, format: string): Promise<void> {
  await page.getByTestId('export').click();
  const [download] = await Promise.all([
    page.waitForEvent('download', { timeout: 300_000 }),
    page.getByTestId(`download-${format}`).click(),
  ]);
  await download.path();
}

/** The longest task of all steps in milliseconds; NaN if a step fails. The remaining steps are still measured. */
async function longestOf(browser: Browser, page: Page, say: Say, work: typeof WORK): Promise<number> {
  let longest = 0;
  for (const [name, act] of Object.entries(work)) longest = Math.max(longest, await measured(browser, page, say, name, act));
  return longest;
}

/** CPU time of the longest task during one step, in milliseconds; NaN if the step fails. */
async function measured(browser: Browser, page: Page, say: Say, name: string, act: (page: Page) => Promise<void>): Promise<number> {
  if (page.url() === 'about:blank') {
    await page.goto('index.html');
    await untilState(page, 'empty');
  }
  await browser.startTracing(page, { categories: ['disabled-by-default-devtools.timeline'] });
  const failure = await act(page).catch((thrown: unknown) => messageOf(thrown));
  const trace = await browser.stopTracing();
  if (failure !== undefined) {
    say(`  ${name}: failed: ${failure}`);
    return NaN;
  }
  const task = longestTask(trace, FEWEST_TASKS);
  say(`  ${name}: ${task.toFixed(1)} ms`);
  return task;
}
