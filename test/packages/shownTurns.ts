import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page } from '@playwright/test';
import { parseRttm } from '../../src/formats/rttm';
import { diarizationErrorRate } from '../../src/score/der';
import type { Turn } from '../../src/timeline/turns';
import { ROOT } from './pack';

/** Format of a turn in the examples. */
const LINE = /^(\d+\.\d\d) to (\d+\.\d\d) s: (\S+)$/;

/** The turns of the sample, as shown by the examples, have a diarization error rate of 5.257 % with `campplus`. */
const MAX_ERROR = 0.0526;

/**
 * Opens a page and waits for its turns. Fails if the page or one of its scripts reports an error.
 *
 * @returns turns of two speakers
 */
export async function expectTurns(page: Page, address: string): Promise<Turn[]> {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    const { url } = message.location();
    // Browsers request a favicon automatically.
    if (message.type() === 'error' && !url.endsWith('/favicon.ico')) complaints.push(`${message.text()} ${url}`);
  });
  await page.goto(address);
  expect(await page.evaluate(() => crossOriginIsolated), 'isolation').toBe(false);
  await expect
    .poll(async () => complaints.length > 0 || (await page.locator('#turns').innerText()).includes(' s: '), { timeout: 120_000 })
    .toBe(true);
  expect(complaints).toEqual([]);
  const turns = (await page.locator('#turns').innerText()).trim().split('\n').map(readLine);
  expect(new Set(turns.map(({ speaker }) => speaker))).toEqual(new Set(['SPEAKER_00', 'SPEAKER_01']));
  return turns;
}

/** {@link expectTurns} for the whole sample, with a check of the error rate. */
export async function expectSampleTurns(page: Page, address: string): Promise<void> {
  const turns = await expectTurns(page, address);
  expect(turns).toHaveLength(11);
  const reference = parseRttm(readFileSync(join(ROOT, 'public/sample.rttm'), 'utf8')).get('sample')!;
  const { der, mapping } = diarizationErrorRate(reference, turns);
  expect(Object.keys(mapping)).toHaveLength(2);
  expect(der).toBeLessThan(MAX_ERROR);
}

function readLine(line: string): Turn {
  const [, start, end, speaker] = LINE.exec(line.trim()) ?? [];
  if (start === undefined || end === undefined || speaker === undefined) throw new Error(`no turn: ${line}`);
  return { startSeconds: Number(start), endSeconds: Number(end), speaker, confidence: null };
}
